"""The screen: what it costs while it records, in a terminal of 80×24 that is read to its end."""

import fcntl
import os
import pty
import shutil
import struct
import termios
import threading
import time

import bed as beds
import measure
import peers
from report import Table, number

COLUMNS, ROWS = 80, 24


def _run(made, command, keys, seconds):
    """Percent of a core, bytes a second to the terminal, peak memory in MiB."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(made.folder)
        os.execvpe(command[0], command, made.env | {"TERM": "xterm-256color"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    written = [0]

    def read():
        try:
            while data := os.read(terminal, 65_536):
                written[0] += len(data)
        except OSError:
            pass

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    time.sleep(2)
    for key in keys:
        os.write(terminal, key)
        time.sleep(1)
    time.sleep(1)
    before, bytes_before, begun = measure.snapshot(child), written[0], time.monotonic()
    time.sleep(seconds)
    after, passed, memory = measure.snapshot(child), time.monotonic() - begun, measure.peak_mib(child)
    sent = (written[0] - bytes_before) / passed
    os.kill(child, 15)
    os.waitpid(child, 0)
    os.close(terminal)
    if before is None or after is None or written[0] == bytes_before:
        return None
    return (after[0] - before[0]) / passed * 100, sent / 1000, memory


def cost(options):
    """Ours beside asak, both recording."""
    table = Table("The screen while it records, 80×24", ["program", "% of a core", "kB/s to the terminal", "peak MiB"])
    with beds.bed() as made:
        made.pulseaudio()
        beds.wav(made.path("voice.wav"), beds.speech_like(60) * 5)
        player = made.speak(made.path("voice.wav"))
        calls = {"dictaphone": ([peers.OURS, "--dir", made.path("")], [b"r"])}
        if shutil.which("asak"):
            # Down to its recorder, in there, and go with the name that it suggests.
            calls["asak"] = (["asak"], [b"\x1b[B", b"\r", b"\r"])
        for name, (command, keys) in calls.items():
            rows = [_run(made, command, keys, min(options.seconds, 20)) for _ in range(options.rounds)]
            rows = [row for row in rows if row]
            if not rows:
                table.note(f"{name} showed nothing in this terminal.")
                continue
            table.row(name, *[number(measure.median([row[n] for row in rows]), d) for n, d in ((0, 2), (1, 1), (2, 1))])
        player.kill()
        player.wait()
    if not shutil.which("asak"):
        table.note("asak is not installed here (`cargo install asak`).")
    return [table]
