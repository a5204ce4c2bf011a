# What a person types. Anything longer than a few lines is in scripts/.

# What the program needs to be built on Debian and Ubuntu; what its tests need besides is in tests/support/packages.txt.
export BUILD_PACKAGES := gcc libc6-dev pkg-config libasound2-dev

# Where `make install` puts things. DESTDIR is for packagers.
PREFIX ?= $(HOME)/.local
DESTDIR ?=

# A shell that was open while rustup was installed does not know cargo yet.
export PATH := $(PATH):$(HOME)/.cargo/bin:/sbin:/usr/sbin

# The tests wait for sound far more than they compute: twice as many at once as there are processors.
export RUST_TEST_THREADS ?= $(shell echo $$(($$(nproc) * 2)))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint fuzz bench bench-micro profile dist deb install uninstall setup setup-test setup-bench

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## build it, record five seconds from your microphone, show the waveform
	@scripts/first-build.sh
	@scripts/step.sh cargo build --release --locked
	@scripts/demo.sh

# What tests delete does not go into the trash of whoever runs them.
# One build for all of them: the feature pipewire adds a host to cpal, and no code of the program depends on it.
test: setup-test ## install what the tests need, then run all of them
	@rm -rf target/trash
	@XDG_DATA_HOME="$(CURDIR)/target/trash" scripts/step.sh cargo test --locked --no-fail-fast --features pipewire

lint: setup ## check format, lints and documentation; warnings are errors
	@scripts/lint.sh

fuzz: setup ## feed the readers broken files, with any stable toolchain (MINUTES=5)
	@scripts/step.sh scripts/fuzz.sh $(or $(MINUTES),5)

bench: setup-bench ## compare with other recorders, written to docs/BENCHMARKS.md (BENCH="--rounds 1 --only cost")
	@scripts/step.sh cargo build --release --locked
	@scripts/step.sh python3 -B benches/compare $(BENCH)

bench-micro: setup ## time the parts of a recording one by one (FILTER=mix)
	@cargo bench --locked --features internals --bench micro -- $(FILTER)

profile: setup ## where the time goes while ten minutes are encoded (needs perf)
	@scripts/profile.sh

dist: setup ## archive, checksums and bill of materials in target/dist, the same bytes from the same commit
	@scripts/dist.sh

deb: setup ## a Debian package in target/debian (needs cargo-deb)
	@scripts/deb.sh

install: setup ## install program, man page and completions below PREFIX (~/.local)
	@scripts/step.sh cargo build --release --locked
	@scripts/install.sh install "$(DESTDIR)$(PREFIX)"

uninstall: ## remove what install has put there
	@scripts/install.sh uninstall "$(DESTDIR)$(PREFIX)"

setup: ## install what the build needs (Debian, Ubuntu)
	@scripts/setup.sh build

setup-test: ## install what the build and the tests need (Debian, Ubuntu)
	@scripts/setup.sh test

setup-bench: ## install what the comparison with others needs (Debian, Ubuntu)
	@scripts/setup.sh bench

# Asked for together, the PipeWire headers come first, so that lint reads the code of that feature too.
ifneq (,$(filter test,$(MAKECMDGOALS)))
lint: setup-test
endif
