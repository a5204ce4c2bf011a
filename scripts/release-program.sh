#!/usr/bin/env bash
# Prints where the release build of the program is, wherever the user lets cargo build.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(cargo metadata --format-version 1 --no-deps --locked | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
# A build for a named target has a folder of its own.
printf '%s/%srelease/dictaphone\n' "$target" "${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}"
