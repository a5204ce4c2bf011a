#!/usr/bin/env bash
# Says before the first build that it takes a while.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ! -x $(scripts/release-program.sh) ]]; then
    printf 'The first build takes about four minutes of one processor (%s here); later ones are much shorter.\n' "$(nproc)" >&2
fi
