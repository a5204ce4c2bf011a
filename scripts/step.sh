#!/usr/bin/env bash
# Runs a command, says which one, and how long it took. Its exit code is the command's.
set -euo pipefail

printf '==> %s\n' "$*" >&2
started=$SECONDS
code=0
"$@" || code=$?
if ((code == 0)); then outcome="done in"; else outcome="failed (exit code $code) after"; fi
printf '<== %s %d s: %s\n' "$outcome" "$((SECONDS - started))" "$*" >&2
exit "$code"
