#!/usr/bin/env bash
# Records five seconds with the release build, shows their waveform, and says where the file is.
set -euo pipefail
cd "$(dirname "$0")/.."

# An unsigned little-endian number: the file, its offset and its length in bytes.
number_at() {
    od -An -v --endian=little -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# Draws a 16-bit WAV file, 60 columns wide. A column shows the loudest sample of its time, in decibels: silence is the
# lowest block, full scale the highest, each step between them 6 dB.
draw_waveform() {
    local file=$1 bytes at=12 tag size
    bytes=$(wc -c <"$file")
    while ((at + 8 <= bytes)); do
        tag=$(od -An -v -c -j "$at" -N 4 "$file" | tr -d ' ')
        size=$(number_at "$file" $((at + 4)) 4)
        [[ $tag == data ]] && break
        at=$((at + 8 + size + size % 2))
    done
    [[ ${tag:-} == data ]] || {
        printf 'error: no sound in %s\n' "$file" >&2
        return 1
    }
    od -An -v --endian=little -w32 -t d2 -j $((at + 8)) -N "$size" "$file" |
        awk -v samples=$((size / 2)) '
            {
                for (i = 1; i <= NF; i++) {
                    level = $i < 0 ? -$i : $i
                    column = int(n++ * 60 / samples)
                    if (level > peak[column]) peak[column] = level
                    if (level > loudest) loudest = level
                }
            }
            function decibels(level) { return 20 * log(level / 32768) / log(10) }
            # Not "-0.0".
            function shown(level) { return level > -0.05 ? 0 : level }
            END {
                split("▁ ▂ ▃ ▄ ▅ ▆ ▇ █", blocks, " ")
                for (column = 0; column < 60; column++) {
                    step = peak[column] > 0 ? 8 + int(decibels(peak[column]) / 6) : 1
                    line = line blocks[step < 1 ? 1 : step]
                }
                print "  " line
                if (loudest > 0) printf "  loudest: %.1f dBFS\n", shown(decibels(loudest))
                else print "  nothing but digital silence: is the microphone muted?"
            }'
}

record() {
    "$program" record -d 5s -f wav -b s16 --print-path "$@"
}

main() {
    program=$(scripts/release-program.sh)
    printf '\nRecording five seconds. Say something.\n\n'
    local file code=0
    file=$(record) || code=$?
    case $code in
    0 | 3) ;;
    4)
        printf '\nThere is no microphone here, so the built-in test tone is recorded instead.\n\n'
        file=$(record -i tone)
        ;;
    1 | 5)
        printf '\nThe microphone could not be recorded (see above), so the built-in test tone is, instead.\n\n'
        file=$(record -i tone)
        ;;
    *) return "$code" ;;
    esac
    printf '\n'
    draw_waveform "$file"
    printf '\nYour recording: %s\n' "$file"
}

# Read as a library by whoever wants the drawing alone.
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main; fi
