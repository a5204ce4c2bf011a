"""Rows about recording: what it costs, how soon it begins and ends, and what is left when something goes wrong."""

import os
import signal
import struct
import subprocess
import time

import bed as beds
import measure
import peers
from report import Table, number


def _cost_table(title, made_bed, recorders, options):
    names = list(recorders)
    cases = [(name, lambda name=name: measure.cost(made_bed, recorders[name][0], options.seconds)) for name in names]
    results = measure.rounds(options.rounds, cases)
    table = Table(title, ["recorder", "CPU s a minute", "to ours", "wake-ups a second", "peak MiB"])
    medians = {name: [measure.median([row[n] for row in results[name] if row]) for n in range(3)] for name in names}
    own = medians["dictaphone"][0]
    for name in names:
        cpu, wakes, memory = medians[name]
        ratio = cpu / own if cpu is not None and own else None
        table.row(name, number(cpu, 3), number(ratio, 2, "×"), number(wakes, 1), number(memory, 1))
    return table


def cost(options):
    """Processor, wake-ups and memory while 48 kHz mono is recorded into a WAV file."""
    tables = []
    with beds.bed() as made:
        made.pulseaudio()
        recorders = peers.through_pulseaudio(made.source, lambda name: made.path(f"{name}.wav"))
        tables.append(_cost_table("Cost while recording, PulseAudio", made, recorders, options))
        recorders = peers.through_alsa(lambda name: made.path(f"{name}.wav"))
        tables.append(_cost_table("Cost while recording, ALSA (the plugin of the sound server)", made, recorders, options))
    with beds.bed() as made:
        made.pipewire()
        recorders = peers.through_pipewire(lambda name: made.path(f"{name}.wav"))
        tables.append(_cost_table("Cost while recording, PipeWire", made, recorders, options))
    return tables


def voice_preset(options):
    """What resampling to 16 kHz costs, beside the plain recording."""
    with beds.bed() as made:
        made.pulseaudio()
        call = [peers.OURS, "record", "-q", "--force", "-i", f"pulseaudio:{made.source}"]
        recorders = {
            "dictaphone": ([*call, made.path("plain.wav")], None),
            "dictaphone --preset voice": ([*call, "--preset", "voice", made.path("voice.wav")], None),
        }
        return [_cost_table("Cost of the preset `voice`", made, recorders, options)]


def _first_bytes(made, command):
    begun = time.monotonic()
    process = made.start(command, stdout=subprocess.PIPE)
    # Beyond the header, which some write before they hear anything.
    got = process.stdout.read(2048)
    passed = time.monotonic() - begun
    process.stdout.close()
    measure.end(process, signal.SIGKILL)
    return passed * 1000 if got else None


def first_bytes(options):
    """From the start of the program to its first bytes of sound in a pipe."""
    with beds.bed() as made:
        made.pulseaudio()
        beds.wav(made.path("voice.wav"), beds.speech_like(60))
        player = made.speak(made.path("voice.wav"))
        cases = peers.to_pipe(made.source)
        # Whoever comes first to a source that nobody has recorded waits for the two seconds that it has under way.
        _first_bytes(made, next(iter(cases.values())))
        results = measure.rounds(options.rounds, [(n, lambda c=c: _first_bytes(made, c)) for n, c in cases.items()])
        player.kill()
        player.wait()
    table = Table("From the start to the first bytes in a pipe", ["recorder", "ms"])
    for name, values in results.items():
        table.row(name, number(measure.median(values), 0))
    return [table]


def _stop(made, seconds):
    """Milliseconds from the signal to the end of the program, after so much sound, all of it on the disk."""
    file, part = made.path("long.wav"), made.path(".long.wav.part")
    size = seconds * 96_000
    hurry = ["--fast", "-d", "12h"] if seconds > 60 else []
    command = [peers.OURS, "record", "-q", "--force", "-i", "silence", *hurry, "-r", "48000", "-c", "1", file]
    process = made.start(command)
    made.wait_for("the recording", lambda: os.path.exists(part) and os.path.getsize(part) >= size, 600)
    process.send_signal(signal.SIGUSR2)
    time.sleep(0.5)
    made.run(["sync", part])
    begun = time.monotonic()
    measure.end(process)
    return (time.monotonic() - begun) * 1000


def stop(options):
    """From the signal to the finished file."""
    with beds.bed() as made:
        # Not in turns: the disk is busy for a while with what hours of sound in a hurry have left in memory.
        results = measure.rounds(options.rounds, [("10 s", lambda: _stop(made, 10))])
        results |= measure.rounds(options.rounds, [("3 h", lambda: _stop(made, 3 * 3600))])
    table = Table("From the signal to a file that is safe (dictaphone)", ["length of the recording", "ms"])
    for name, values in results.items():
        table.row(name, number(measure.median(values), 0))
    return [table]


def _claimed_seconds(path):
    """What the header of a WAV file says that there is, and whether it is what there is."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return "no file"
    at = data.find(b"data")
    if at < 0 or len(data) < at + 8:
        return f"{len(data)} bytes without a header"
    claimed, real = struct.unpack("<I", data[at + 4 : at + 8])[0], len(data) - at - 8
    if abs(claimed - real) <= 4096:
        return f"{real / 96_000:.1f} s, header true"
    return f"{real / 96_000:.1f} s of sound, header says {claimed / 96_000:.1f} s"


def killed(options):
    """What is left on the disk after `kill -9` 4 s after the start."""
    table = Table("What is left after kill -9, 4 s after the start", ["recorder", "file"])
    with beds.bed() as made:
        made.pulseaudio()
        recorders = peers.through_pulseaudio(made.source, lambda name: made.path(f"{name}.wav"))
        recorders |= {"arecord": row for name, row in peers.through_alsa(lambda n: made.path(f"{n}.wav")).items() if name == "arecord"}
        for name, (command, file) in recorders.items():
            process = made.start(command)
            time.sleep(4)
            measure.end(process, signal.SIGKILL)
            part = os.path.join(os.path.dirname(file), f".{os.path.basename(file)}.part")
            what = _claimed_seconds(part if os.path.exists(part) else file)
            if os.path.exists(part):
                made.run([peers.OURS, "recover", part])
                what += f"; after `recover` {_claimed_seconds(file)}"
            table.row(name, what)
    return [table]


STRESS = "while :; do :; done"


def stress(options):
    """Frames lost of position-coded sound while four processes compute and two write to the disk."""
    table = Table("Frames lost under load (4 processes that compute, 2 that write to the disk)", ["recorder", "lost", "of"])
    results = {}
    for _ in range(options.rounds):
        with beds.bed() as made:
            made.pulseaudio()
            beds.wav(made.path("code.wav"), beds.counter((options.seconds + 6) * beds.RATE))
            recorders = peers.through_pulseaudio(made.source, lambda name: made.path(f"{name}.wav"))
            recorders |= {f"{n}, ALSA": r for n, r in peers.through_alsa(lambda n: made.path(f"{n}.wav")).items()}
            load = [made.start(["sh", "-c", STRESS]) for _ in range(4)]
            write = "while :; do dd if=/dev/zero of=$0 bs=1M count=200 conv=fsync; done"
            load += [made.start(["sh", "-c", write, made.path(f"load{n}")], start_new_session=True) for n in range(2)]
            for name, (command, file) in recorders.items():
                player = made.speak(made.path("code.wav"))
                process = made.start(command)
                time.sleep(options.seconds)
                measure.end(process)
                player.kill()
                player.wait()
                results.setdefault(name, []).append(beds.lost_of_counter(file) if os.path.exists(file) else (None, 0))
            for process in load:
                if process.pid == os.getpgid(process.pid):
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
                process.wait()
    for name, values in results.items():
        table.row(name, number(measure.median([v[0] for v in values]), 0), number(measure.median([v[1] for v in values]), 0))
    return [table]


def wide(options):
    """32 channels at once."""
    table = Table("32 channels of 48 kHz, PulseAudio", ["recorder", "lost", "of"])
    with beds.bed() as made:
        made.pulseaudio(channels=32)
        seconds = 6
        beds.wav(made.path("code.wav"), beds.counter((seconds + 8) * beds.RATE, 32), channels=32)
        recorders = peers.through_pulseaudio(made.source, lambda name: made.path(f"{name}.wav"), channels=32)
        for name, (command, file) in recorders.items():
            places = ",".join(f"aux{n}" for n in range(32))
            play = ["paplay", "-d", "mic", f"--channel-map={places}", made.path("code.wav")]
            player = made.start(play)
            made.wait_for("the player", lambda: "Sink Input" in made.run(["pactl", "list", "sink-inputs"]))
            process = made.start(command + [f"--channel-map={places}"] if name == "parecord" else command)
            time.sleep(seconds)
            measure.end(process)
            player.kill()
            player.wait()
            lost, frames = beds.lost_of_counter(file, 32) if os.path.exists(file) else (None, None)
            table.row(name, number(lost, 0) if frames else "nothing recorded", number(frames, 0))
    return [table]


def _pace(path, factor, seconds):
    """Writes the counter into a pipe source at so many times the nominal rate."""
    data, sent = beds.counter(int((seconds + 4) * beds.RATE * factor)).tobytes(), 0
    pipe = os.open(path, os.O_WRONLY)
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        due = min(len(data), int((time.monotonic() - begun) * beds.RATE * factor) * 2)
        while sent < due:
            sent += os.write(pipe, data[sent : min(due, sent + 4096)])
        time.sleep(0.01)
    os.close(pipe)


def clock(options):
    """A source whose clock runs 0.3 % fast: whether anything is put in or left out."""
    table = Table("A source whose clock is 0.3 % off", ["recorder", "frames put in or lost", "of"])
    seconds = max(60, options.seconds)
    with beds.bed() as made:
        made.pulseaudio()
        recorders = peers.through_pulseaudio("fast", lambda name: made.path(f"{name}.wav"))
        for name, (command, file) in recorders.items():
            pipe = made.path("fast.pipe")
            made.run(["pactl", "load-module", "module-pipe-source", "source_name=fast", f"file={pipe}", "format=s16le",
                      "rate=48000", "channels=1"])
            process = made.start(command)
            _pace(pipe, 1.003, seconds)
            measure.end(process)
            made.run(["pactl", "unload-module", "module-pipe-source"])
            lost, frames = beds.lost_of_counter(file) if os.path.exists(file) else (None, None)
            table.row(name, number(lost, 0), number(frames, 0))
    return [table]


def stall(options):
    """The longest time for which the disk may stand still without a frame lost: a file system that is frozen."""
    table = Table("The disk stands still", ["recorder", "lost after 5 s", "after 20 s"])
    if os.geteuid() != 0:
        table.note("Not measured: freezing a file system needs root.")
        return [table]
    results = {}
    for seconds in (5, 20):
        with beds.bed() as made:
            made.pulseaudio()
            image, mount = made.path("disk.img"), made.path("disk")
            os.mkdir(mount)
            made.run(["truncate", "-s", "256M", image])
            made.run(["mkfs.ext4", "-q", image])
            made.run(["mount", "-o", "loop", image, mount])
            try:
                beds.wav(made.path("code.wav"), beds.counter((seconds + 30) * beds.RATE))
                recorders = peers.through_pulseaudio(made.source, lambda name: os.path.join(mount, f"{name}.wav"))
                recorders |= {"arecord": peers.through_alsa(lambda n: os.path.join(mount, f"{n}.wav"))["arecord"]}
                player = made.speak(made.path("code.wav"))
                running = {name: made.start(command) for name, (command, _) in recorders.items()}
                time.sleep(3)
                made.run(["fsfreeze", "-f", mount])
                time.sleep(seconds)
                made.run(["fsfreeze", "-u", mount])
                time.sleep(5)
                for process in running.values():
                    measure.end(process)
                player.kill()
                player.wait()
                for name, (_, file) in recorders.items():
                    there = os.path.exists(file)
                    results.setdefault(name, []).append(beds.lost_of_counter(file)[0] if there else None)
            finally:
                made.run(["fsfreeze", "-u", mount])
                made.stop_servers()
                made.run(["umount", mount])
    for name, values in results.items():
        table.row(name, *[number(value, 0) for value in values])
    return [table]
