#!/usr/bin/env bash
# Fuzzes every target of fuzz/ for its share of so many minutes, beginning with the files that the tests read and with
# what earlier runs found (target/fuzz/corpus). Needs no nightly toolchain: the compiler's coverage is an ordinary pass.
# Fails if a target fails; what made it fail is then in target/fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=${1:-5}
if ! [[ $minutes =~ ^[0-9]+$ ]] || ((minutes < 1)); then
    echo "usage: scripts/fuzz.sh MINUTES [TARGET…]" >&2
    exit 2
fi
shift || true
targets=("$@")
if ((!${#targets[@]})); then mapfile -t targets < <(sed -n 's/^name = "\([a-z]*\)"$/\1/p' fuzz/Cargo.toml); fi

out=$PWD/target/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
coverage+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
coverage+=" -Cllvm-args=-sanitizer-coverage-trace-compares"
# The versions are those of the program.
cp Cargo.lock fuzz/Cargo.lock
# With a target of its own name, so that programs which run while it is built are not covered.
RUSTFLAGS="$coverage --cfg fuzzing" CARGO_TARGET_DIR="$out" \
    cargo build --release --manifest-path fuzz/Cargo.toml --target "$host" "${targets[@]/#/--bin=}"

# A target puts in front what it takes for granted, so that a seed is a file without that.
seed() {
    local name=$1 file=$2 seeds=$3
    local base=$seeds/${file//\//_}
    case $name in
        flac) [[ $file != *.flac ]] || tail -c +5 "$file" >"$base" ;;
        opus) [[ $file != *.opus && $file != *.ogg && $file != *.oga ]] || tail -c +6 "$file" >"$base" ;;
        recover) { printf '\0' && cat "$file"; } >"$base" && { printf '\1' && head -c -7 "$file"; } >"$base.cut" ;;
        mime) printf 'audio/ogg; codecs="opus"' >"$base" ;;
        wav) [[ $file != *.wav ]] || tail -c +5 "$file" >"$base" ;;
        *) cat "$file" >"$base" ;;
    esac
}

code=0
seconds=$((minutes * 60 / ${#targets[@]}))
for name in "${targets[@]}"; do
    corpus=$out/corpus/$name seeds=$out/seeds/$name artifacts=$out/artifacts/$name log=$out/$name.log
    rm -rf "$seeds"
    mkdir -p "$corpus" "$seeds" "$artifacts"
    while IFS= read -r file; do seed "$name" "$file" "$seeds"; done < <(find tests/files -type f -size -64k -size +0)
    if ! "$out/$host/release/$name" -max_total_time="$seconds" -max_len=32768 -len_control=0 -rss_limit_mb=2048 \
        -timeout=30 -print_final_stats=1 -artifact_prefix="$artifacts/" "$corpus" "$seeds" >"$log" 2>&1; then
        grep -E -A 3 "panicked|ERROR" "$log" | tail -n 12 >&2 || tail -n 20 "$log" >&2
        printf 'error: the target %s failed\nhint: its input is in %s\n' "$name" "$artifacts" >&2
        code=1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(grep -o 'cov: [0-9]* ft: [0-9]*' "$log" | tail -n 1)
    printf '%-8s %4d s  %8d runs  %s\n' "$name" "$seconds" "$runs" "$covered"
done
exit "$code"
