#!/usr/bin/env bash
# What recording costs, side by side with other recorders on the same private sound servers. Reports, judges nothing:
#
# - while 48 kHz mono is recorded: processor time, wake-ups (of the program's own threads, and of those that a client
#   library of the sound server starts), memory at its peak
# - start and end: how much longer a recording of one second takes than a second
# - the time from the start of the program to its first bytes of sound in a pipe
# - from the signal to stop to a file that is safe, after 10 seconds and after 2 hours of sound
#
#   scripts/measure.sh [SECONDS]
#
# Uses no sound card and no server of the user's. Needs what `make test` installs.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-10}
program=$PWD/target/release/dictaphone
[[ -x $program ]] || { echo "error: no release build; run \`cargo build --release --locked\`" >&2; exit 1; }

home=$(mktemp -d /tmp/dictaphone-measure.XXXXXX)
servers=()
stop_servers() {
    for ((at = ${#servers[@]} - 1; at >= 0; at--)); do
        kill -KILL "${servers[at]}" 2>/dev/null || true
        wait "${servers[at]}" 2>/dev/null || true
    done
    servers=()
}
trap 'stop_servers; rm -rf "$home"' EXIT
export HOME=$home XDG_RUNTIME_DIR=$home/run XDG_CONFIG_HOME=$home/.config
export DBUS_SESSION_BUS_ADDRESS=unix:path=$home/run/bus ALSA_CONFIG_PATH=$home/alsa.conf
unset PULSE_SERVER PIPEWIRE_REMOTE DISPLAY
mkdir -m 700 "$XDG_RUNTIME_DIR"
mkdir -p "$XDG_CONFIG_HOME/wireplumber/main.lua.d"
cat > "$home/alsa.conf" <<'CONF'
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
CONF
# The session manager leaves the machine's own devices alone.
echo 'alsa_monitor.enabled = false v4l2_monitor.enabled = false libcamera_monitor.enabled = false' \
    > "$XDG_CONFIG_HOME/wireplumber/main.lua.d/51-no-hardware.lua"

server() {
    "$@" > "$home/${1##*/}.log" 2>&1 &
    servers+=("$!")
}

await() {
    local _
    for _ in {1..200}; do
        if "$@" > /dev/null 2>&1; then return; fi
        sleep 0.05
    done
    echo "error: in vain: $*" >&2
    exit 1
}

# A PulseAudio whose microphone delivers every 50 ms (norewinds=1), or as late as its readers allow (norewinds=0).
pulseaudio_server() {
    server pulseaudio -n --daemonize=no --exit-idle-time=-1 --load=module-native-protocol-unix \
        --load="module-null-sink sink_name=mic rate=48000 channels=1 format=s16le norewinds=$1"
    await pactl set-default-source mic.monitor
    source=mic.monitor
}

pipewire_server() {
    server dbus-daemon --session --nofork --address="$DBUS_SESSION_BUS_ADDRESS"
    server pipewire
    await test -S "$XDG_RUNTIME_DIR/pipewire-0"
    server wireplumber
    server pipewire-pulse
    await pactl info
    pw-cli create-node adapter '{ factory.name=support.null-audio-sink node.name=mic node.description=mic
        media.class=Audio/Source/Virtual object.linger=true audio.position=[MONO] audio.rate=48000 }' > /dev/null
    await pactl set-default-source mic
    source=mic
}

# Of every thread of a process: its number, whose it is, nanoseconds of processor time, times that it was woken up.
threads() {
    local task
    for task in /proc/"$1"/task/*; do
        awk -v task="${task##*/}" '
            FILENAME ~ /comm$/ { whose = ($0 ~ /^(threaded-ml|data-loop|pw-)/) ? "library" : "own" }
            FILENAME ~ /schedstat$/ { time = $1 }
            /^voluntary_ctxt/ { woken = $2 }
            END { print task, whose, time, woken }' "$task/comm" "$task/schedstat" "$task/status" 2>/dev/null || true
    done | sort
}

# One row: the command runs, is looked at for the given time once it is at work, and is stopped.
row() {
    local name=$1 pid memory
    shift
    "$@" > "$home/out.log" 2>&1 < /dev/null &
    pid=$!
    sleep 2
    threads "$pid" > "$home/before"
    sleep "$seconds"
    threads "$pid" > "$home/after"
    memory=$(awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$pid/status")
    kill -INT "$pid"
    wait "$pid" || true
    join "$home/before" "$home/after" | awk -v name="$name" -v s="$seconds" -v memory="$memory" '
        { time += $6 - $3; woken[$2] += $7 - $4 }
        END { printf "  %-32s %12.1f %10.1f %10.1f %10s\n", name, time / s / 1e5, woken["own"] / s,
                     woken["library"] / s, memory }'
}

millis() {
    echo $(($(date +%s%N) / 1000000))
}

# The best of three.
best() {
    sort -n | head -n 1
}

# How many milliseconds more than a second a command takes that records a second.
beyond() {
    local name=$1 begun _
    shift
    for _ in 1 2 3; do
        begun=$(millis)
        "$@" > /dev/null 2>&1 < /dev/null || true
        echo $(($(millis) - begun - 1000))
    done | best | xargs printf '  %-32s %12s\n' "$name"
}

# Milliseconds from the start of a program to its first bytes of sound in a pipe.
first() {
    local name=$1 begun _
    shift
    for _ in 1 2 3; do
        begun=$(millis)
        "$@" 2>/dev/null < /dev/null | head -c 64 > /dev/null || true
        echo $(($(millis) - begun))
    done | best | xargs printf '  %-32s %12s\n' "$name"
}

# Milliseconds from the signal to the end of the program, after so many bytes of sound; paused before, so that only the
# end itself is measured.
stop() {
    local name=$1 bytes=$2 pid begun
    "$program" record -q --force -i silence --fast -d 100h -r 48000 -c 1 "$home/long.wav" > "$home/out.log" 2>&1 \
        < /dev/null &
    pid=$!
    until [[ $(stat -c %s "$home/.long.wav.part" 2>/dev/null || echo 0) -ge $bytes ]]; do
        kill -0 "$pid" 2>/dev/null || { cat "$home/out.log" >&2; exit 1; }
        sleep 0.01
    done
    kill -USR2 "$pid"
    sleep 1
    sync "$home/.long.wav.part"
    begun=$(millis)
    kill -INT "$pid"
    wait "$pid" || true
    printf '  %-32s %12s   (%s bytes)\n' "$name" $(($(millis) - begun)) "$(stat -c %s "$home/long.wav")"
    rm -f "$home/long.wav"
}

ours=("$program" record -q --force -r 48000 -c 1)
piped=("$program" record -q -r 48000 -c 1 -f raw)
arecord=(arecord -q -D default -f S16_LE -r 48000 -c 1)

report() {
    echo "$1"
    printf '  %-32s %12s %10s %10s %10s\n' "" "ms per 10 s" "own/s" "library/s" "peak MiB"
    row "dictaphone, PulseAudio" "${ours[@]}" -i "pulseaudio:$source" "$home/a.wav"
    row "dictaphone, ALSA plugin" "${ours[@]}" -i alsa:default "$home/a.wav"
    row "arecord, ALSA plugin" "${arecord[@]}" "$home/b.wav"
    row "parecord" parecord -d "$source" --rate=48000 --channels=1 --format=s16le --file-format=wav "$home/c.wav"
    if [[ $source == mic ]]; then
        row "pw-record" pw-record --rate 48000 --channels 1 --format s16 "$home/d.wav"
    fi
    printf '  %-32s %12s\n' "a second takes longer by" "ms"
    beyond "dictaphone, PulseAudio" "${ours[@]}" -i "pulseaudio:$source" -d 1 "$home/a.wav"
    beyond "dictaphone, ALSA plugin" "${ours[@]}" -i alsa:default -d 1 "$home/a.wav"
    beyond "arecord, ALSA plugin" "${arecord[@]}" -s 48000 "$home/b.wav"
    printf '  %-32s %12s\n' "to the first bytes in a pipe" "ms"
    first "dictaphone, PulseAudio" "${piped[@]}" -i "pulseaudio:$source" -
    first "dictaphone, ALSA plugin" "${piped[@]}" -i alsa:default -
    first "arecord, ALSA plugin" "${arecord[@]}" -t raw
    first "parecord" parecord --raw -d "$source" --rate=48000 --channels=1 --format=s16le
    echo
}

pulseaudio_server 1
report "PulseAudio, blocks of 50 ms"
stop_servers
pulseaudio_server 0
report "PulseAudio, lazy"
stop_servers
pipewire_server
report "PipeWire, through pipewire-pulse"
stop_servers

printf '%-34s %12s\n' "from the signal to a safe file" "ms"
stop "after 10 s" 960000
stop "after 2 h" 691200000
