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

scripts/step.sh cargo fmt --check
# With the features everything is read; without them something may be unused.
if pkg-config --exists libpipewire-0.3 && ldconfig -p | grep -F libclang >/dev/null; then
    scripts/step.sh cargo clippy --all-targets --locked --features pipewire,internals -- -D warnings
    scripts/step.sh cargo clippy --lib --bins --locked -- -D warnings
else
    printf 'not linted: feature pipewire, whose headers are missing ("make setup-test" installs them)\n' >&2
    scripts/step.sh cargo clippy --all-targets --locked --features internals -- -D warnings
fi
RUSTDOCFLAGS="-D warnings" scripts/step.sh cargo doc --no-deps --locked
if command -v python3 >/dev/null; then
    scripts/step.sh scripts/public-items.py --check
else
    printf 'not checked: docs/API.md, for want of python3\n' >&2
fi
