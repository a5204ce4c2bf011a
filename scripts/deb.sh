#!/usr/bin/env bash
# Makes a Debian package with cargo-deb: program, man page, completions, and the user unit. Needs nothing of this machine
# that is not built here.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo deb --version >/dev/null 2>&1 || {
    printf 'error: cargo-deb is not installed\nhint: cargo install cargo-deb --locked\n' >&2
    exit 1
}
scripts/step.sh cargo build --release --locked
program=$(scripts/release-program.sh)
mkdir -p target/package-files
"$program" man | gzip -9n >target/package-files/dictaphone.1.gz
for shell in bash zsh fish; do "$program" completions "$shell" >"target/package-files/dictaphone.$shell"; done
cargo deb --no-build --locked
