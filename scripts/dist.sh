#!/usr/bin/env bash
# Makes what a release consists of in target/dist: an archive (program, man page, completions, licence, README), a bill of
# materials (CycloneDX), the notes of the release out of CHANGELOG.md, and the checksums of them. From one commit, with one
# toolchain, always the same bytes: no path and no time of this machine gets into them.
set -euo pipefail
cd "$(dirname "$0")/.."

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
home=${CARGO_HOME:-$HOME/.cargo}
export RUSTFLAGS="--remap-path-prefix=$PWD=. --remap-path-prefix=$home=cargo ${RUSTFLAGS:-}"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
host=${CARGO_BUILD_TARGET:-$(rustc -vV | sed -n 's/^host: //p')}
name=dictaphone-$version-$host
out=target/dist
rm -rf "$out"
mkdir -p "$out/$name/completions"

export CARGO_TARGET_DIR=target/dist-build
scripts/step.sh cargo build --release --locked
program=$(scripts/release-program.sh)
install -m 755 "$program" "$out/$name/dictaphone"
"$program" man >"$out/$name/dictaphone.1"
for shell in bash zsh fish; do "$program" completions "$shell" >"$out/$name/completions/dictaphone.$shell"; done
install -m 644 README.md LICENSE CHANGELOG.md "$out/$name/"

tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw -C "$out" -cf - "$name" |
    gzip -9n >"$out/$name.tar.gz"
rm -r "${out:?}/$name"
scripts/bill-of-materials.py >"$out/$name.cdx.json"
scripts/release-notes.sh >"$out/NOTES.md"
(cd "$out" && sha256sum -- * >SHA256SUMS)
printf 'made in %s:\n' "$out"
(cd "$out" && ls -l)
