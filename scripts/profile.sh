#!/usr/bin/env bash
# Where the processor's time goes while ten minutes of sound are recorded as fast as they can be encoded, by function.
#
#   scripts/profile.sh [FORMAT]     wav unless another is named; needs perf (Debian: linux-perf)
set -euo pipefail
cd "$(dirname "$0")/.."

command -v perf >/dev/null || {
    printf 'error: perf is not installed\nhint: apt-get install linux-perf\n' >&2
    exit 1
}
format=${1:-wav}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The names of functions are needed, which the release leaves out.
export CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only CARGO_TARGET_DIR=target/profile
scripts/step.sh cargo build --release --locked
perf record -q -g -o "$folder/perf.data" -- "$CARGO_TARGET_DIR/release/dictaphone" record -q -i melody --fast -d 10m \
    "$folder/take.$format"
perf report --stdio --no-children -i "$folder/perf.data" --percent-limit 1 2>/dev/null | sed '/^$/d' | head -n 60
