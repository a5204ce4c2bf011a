#!/usr/bin/env bash
# What recording costs, side by side with other recorders on the same private sound server: processor time, wake-ups and
# memory of ten seconds of 48 kHz mono, and the time from the start of the program to its first bytes of sound.
#
#   scripts/measure.sh [SECONDS]
#
# Uses no sound card and no server of the user's. Needs what `make test` installs.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-10}
program=$PWD/target/release/dictaphone
[[ -x $program ]] || { echo "error: no release build; run \`cargo build --release\`" >&2; exit 1; }

home=$(mktemp -d /tmp/dictaphone-measure.XXXXXX)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$home"' EXIT
export HOME=$home XDG_RUNTIME_DIR=$home/run
unset PULSE_SERVER PIPEWIRE_REMOTE DISPLAY
mkdir -m 700 "$XDG_RUNTIME_DIR"
cat > "$home/alsa.conf" <<'CONF'
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
CONF

pulseaudio -n --daemonize=no --exit-idle-time=-1 --load=module-native-protocol-unix \
    --load="module-null-sink sink_name=mic rate=48000 channels=1 format=s16le" > "$home/server.log" 2>&1 &
server=$!
until pactl info > /dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || { cat "$home/server.log" >&2; exit 1; }
    sleep 0.05
done
pactl set-default-source mic.monitor
export ALSA_CONFIG_PATH=$home/alsa.conf

ticks=$(getconf CLK_TCK)

# One row: the command runs for the given time, is looked at, and is stopped.
row() {
    local name=$1 pid fields cpu wakes rss
    shift
    "$@" > "$home/out.log" 2>&1 < /dev/null &
    pid=$!
    sleep "$seconds"
    read -r -a fields < "/proc/$pid/stat"
    cpu=$(awk -v t=$((fields[13] + fields[14])) -v hz="$ticks" 'BEGIN { printf "%.2f", t / hz }')
    wakes=$(cat /proc/"$pid"/task/*/status | awk -v s="$seconds" '/^voluntary_ctxt/ { n += $2 } END { printf "%.0f", n / s }')
    rss=$(awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$pid/status")
    kill -INT "$pid"
    wait "$pid" || true
    printf '%-34s %8s %12s %10s\n' "$name" "$cpu" "$wakes" "$rss"
}

# Milliseconds from the start of a program to its first bytes of sound in a pipe.
first() {
    local name=$1 start now
    shift
    start=$(date +%s%N)
    "$@" 2>/dev/null | head -c 64 > /dev/null || true
    now=$(date +%s%N)
    printf '%-34s %8s\n' "$name" $(((now - start) / 1000000))
}

printf '%-34s %8s %12s %10s\n' "${seconds} s of recording" "CPU s" "wake-ups/s" "peak MiB"
row "dictaphone, PulseAudio" "$program" record -i pulseaudio:mic.monitor "$home/a.wav"
row "dictaphone, ALSA plugin" "$program" record -i alsa:default -r 48000 -c 1 "$home/b.wav"
row "arecord, ALSA plugin" arecord -q -D default -f S16_LE -r 48000 -c 1 "$home/c.wav"
row "parecord" parecord -d mic.monitor --rate=48000 --channels=1 --format=s16le --file-format=wav "$home/d.wav"
echo
printf '%-34s %8s\n' "to the first bytes in a pipe" "ms"
first "dictaphone, PulseAudio" "$program" record -q -i pulseaudio:mic.monitor -f raw -
first "dictaphone, ALSA plugin" "$program" record -q -i alsa:default -r 48000 -c 1 -f raw -
first "arecord, ALSA plugin" arecord -q -D default -f S16_LE -r 48000 -c 1 -t raw
first "parecord" parecord --raw -d mic.monitor --rate=48000 --channels=1 --format=s16le
