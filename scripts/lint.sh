#!/usr/bin/env bash
# Format, lints and documentation. Warnings are errors.
set -euo pipefail
cd "$(dirname "$0")/.."

# A minimal toolchain comes without them.
for component in rustfmt clippy; do
    if ! "cargo-${component/rustfmt/fmt}" --version >/dev/null 2>&1; then
        rustup component add "$component" || {
            printf 'error: %s is not installed\nhint: install the one that belongs to your Rust toolchain\n' "$component" >&2
            exit 1
        }
    fi
done

# The feature pipewire changes dependencies and none of our code: with it everywhere, they are checked once.
host=()
if pkg-config --exists libpipewire-0.3 && ldconfig -p | grep -F libclang >/dev/null; then
    host=(--features pipewire)
else
    printf 'not linted: tests of the feature pipewire, whose headers are missing ("make setup-test" installs them)\n' >&2
fi

scripts/step.sh cargo fmt --check
scripts/step.sh cargo clippy --all-targets --locked "${host[@]}" --features internals -- -D warnings
# What only benchmarks use would be dead without them.
scripts/step.sh cargo clippy --lib --bins --locked "${host[@]}" -- -D warnings
RUSTDOCFLAGS="-D warnings" scripts/step.sh cargo doc --no-deps --locked "${host[@]}"
if command -v python3 >/dev/null; then
    scripts/step.sh scripts/public-items.py --check
else
    printf 'not checked: docs/API.md, for want of python3\n' >&2
fi
