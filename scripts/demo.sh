#!/usr/bin/env bash
# Records five seconds with the release build, shows their waveform, and says where the file is.
set -euo pipefail
cd "$(dirname "$0")/.."

program=$(scripts/release-program.sh)

record() {
    "$program" record -d 5s -f wav -b s16 --print-path "$@"
}

printf '\nRecording five seconds. Say something.\n\n'
code=0
file=$(record) || code=$?
case $code in
0 | 3) ;;
4)
    printf '\nThere is no microphone here, so a melody that is built in is recorded instead.\n\n'
    file=$(record -i melody)
    ;;
1 | 5)
    printf '\nThe microphone could not be recorded (see above), so a melody that is built in is, instead.\n\n'
    file=$(record -i melody)
    ;;
*) exit "$code" ;;
esac
printf '\n'
"$program" info "$file"
printf '\nYour recording: %s\n' "$file"
