#!/usr/bin/env python3
"""What the screen costs, on a private sound server and in a pseudo-terminal of 80 x 24: processor time and memory while it
records and draws, how soon a key is seen, how soon a folder of 10,000 takes is open, and how soon the waveform of a take
of three hours is there.

    scripts/measure-screen.py [PROGRAM]

Uses no sound card and no server of the user's. Needs the release build, what `make test` installs, and 1 GB in the
folder for temporary files.
"""

import array
import fcntl
import os
import pty
import random
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

RATE = 48_000
SECONDS = 20
PRESSES = 40
TAKES = 10_000
HOURS = 3
TICKS = os.sysconf("SC_CLK_TCK")


def wav_header(data_bytes):
    head = struct.pack("<4sI4s", b"RIFF", data_bytes + 36, b"WAVE")
    return head + struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16, b"data", data_bytes)


def noise(seconds):
    samples = array.array("h", (random.randint(-9_000, 9_000) for _ in range(RATE)))
    return samples.tobytes() * seconds


class Server:
    """A PulseAudio of its own, into whose microphone noise is played."""

    def __init__(self, home):
        run = os.path.join(home, "run")
        os.mkdir(run, 0o700)
        self.env = {**os.environ, "HOME": home, "XDG_RUNTIME_DIR": run, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        for name in ("PULSE_SERVER", "PIPEWIRE_REMOTE", "DISPLAY", "NO_COLOR", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            self.env.pop(name, None)
        module = "module-null-sink sink_name=mic rate=48000 channels=1 format=s16le norewinds=1"
        arguments = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--load=module-native-protocol-unix", f"--load={module}"]
        quiet = {"env": self.env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.server = subprocess.Popen(["pulseaudio", *arguments], **quiet)
        while subprocess.call(["pactl", "set-default-source", "mic.monitor"], **quiet):
            if self.server.poll() is not None:
                sys.exit("error: PulseAudio does not start")
            time.sleep(0.05)
        voice = os.path.join(home, "voice.wav")
        with open(voice, "wb") as file:
            file.write(wav_header(RATE * 2 * 600) + noise(600))
        self.player = subprocess.Popen(["paplay", "-d", "mic", voice], **quiet)

    def stop(self):
        for process in (self.player, self.server):
            process.terminate()
            process.wait()


class Screen:
    """The program in a terminal."""

    def __init__(self, program, arguments, env):
        self.started = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(program, [program, *arguments], env)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def wait_for(self, text, limit=60.0):
        """Reads until the text goes by, and returns the time when it did."""
        seen, end = b"", time.monotonic() + limit
        while time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.5)[0]:
                seen = (seen + os.read(self.terminal, 65_536))[-100_000:]
                if any(word.encode() in seen for word in text):
                    return time.monotonic()
        sys.exit(f"error: the screen never showed {text}")

    def drain(self, seconds):
        end = time.monotonic() + seconds
        read = 0
        while (left := end - time.monotonic()) > 0:
            if select.select([self.terminal], [], [], left)[0]:
                read += len(os.read(self.terminal, 65_536))
        return read

    def send(self, text):
        os.write(self.terminal, text.encode())
        return time.monotonic()

    def cpu(self):
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        with open(f"/proc/{self.pid}/status") as file:
            facts = dict(line.split(":", 1) for line in file)
        return int(facts["VmHWM"].split()[0]) / 1024, int(facts["VmRSS"].split()[0]) / 1024

    def leave(self):
        self.send("q")
        while True:
            try:
                if not os.read(self.terminal, 65_536):
                    break
            except OSError:
                break
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def measure_recording(program, home, env):
    screen = Screen(program, ["--dir", os.path.join(home, "takes")], env)
    # Cells that stay as they were are not written, as some of "mono" may be.
    screen.wait_for(["kHz"])
    screen.drain(1)
    screen.send("r")
    screen.wait_for(["REC"])
    screen.drain(2)
    before = screen.cpu()
    written = screen.drain(SECONDS)
    cpu = (screen.cpu() - before) / SECONDS * 100
    print(f"written to the terminal while it records         {written / SECONDS / 1000:6.2f} kB a second")
    peak, now = screen.memory()
    print(f"processor while recording, 30 pictures a second   {cpu:6.1f} % of one core")
    print(f"memory while recording                            {now:6.1f} MiB, at most {peak:.1f}")
    waits = []
    for _ in range(PRESSES):
        # The title of the help is drawn nowhere else.
        sent = screen.send("?")
        waits.append((screen.wait_for(["keys"]) - sent) * 1_000)
        screen.send("\x1b")
        screen.drain(0.1 + random.random() / 10)
    middle, late = statistics.median(waits), sorted(waits)[int(PRESSES * 0.95)]
    print(f"from a key to the picture of it                   {middle:6.1f} ms, 95 % within {late:.1f}, at most {max(waits):.1f}")
    screen.leave()


def measure_folder(program, home, env):
    folder = os.path.join(home, "many")
    os.mkdir(folder)
    clip = wav_header(RATE // 5) + noise(1)[: RATE // 5]
    for number in range(TAKES):
        with open(os.path.join(folder, f"take-{number:05}.wav"), "wb") as file:
            file.write(clip)
    screen = Screen(program, ["--device", "silence", "--dir", folder], env)
    seen = screen.wait_for([str(TAKES)])
    print(f"a folder of {TAKES:,} takes is open after            {seen - screen.started:6.2f} s")
    peak, _ = screen.memory()
    print(f"memory with them                                  {peak:6.1f} MiB at most")
    screen.leave()


def measure_waveform(program, home, env):
    folder = os.path.join(home, "long")
    os.mkdir(folder)
    block = noise(60)
    with open(os.path.join(folder, "long.wav"), "wb") as file:
        file.write(wav_header(len(block) * HOURS * 60))
        for _ in range(HOURS * 60):
            file.write(block)
    for kind in ("wav", "flac"):
        if kind == "flac":
            compressed = os.path.join(home, "long.flac")
            subprocess.run([program, "convert", "-q", os.path.join(folder, "long.wav"), compressed], check=True, env=env, stdout=subprocess.DEVNULL)
            os.remove(os.path.join(folder, "long.wav"))
            shutil.move(compressed, folder)
        screen = Screen(program, ["--device", "silence", "--dir", folder], env)
        seen = screen.wait_for("▂▃▄▅▆▇█")
        print(f"the waveform of {HOURS} hours of {kind:4} is there after     {seen - screen.started:6.2f} s")
        screen.leave()


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    program = sys.argv[1] if len(sys.argv) > 1 else os.path.join(root, "target/release/dictaphone")
    if not os.access(program, os.X_OK):
        sys.exit("error: no release build; run `cargo build --release`")
    home = tempfile.mkdtemp(prefix="dictaphone-measure.")
    server = Server(home)
    try:
        for measure in (measure_recording, measure_folder, measure_waveform):
            measure(os.path.abspath(program), home, server.env)
    finally:
        server.stop()
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
