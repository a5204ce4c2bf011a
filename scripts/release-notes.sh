#!/usr/bin/env bash
# The newest part of CHANGELOG.md, without its heading: what a release says of itself.
set -euo pipefail
cd "$(dirname "$0")/.."

awk '/^## / { if (seen++) exit; next } seen' CHANGELOG.md | sed -e '/./,$!d'
