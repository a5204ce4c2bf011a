"""Private sound servers with one virtual microphone, and sound to speak into it. No sound card, no server of the user's."""

import array
import contextlib
import os
import random
import shutil
import struct
import subprocess
import tempfile
import time

RATE = 48_000

ALSA_CONF = """</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
"""

NO_HARDWARE = "alsa_monitor.enabled = false v4l2_monitor.enabled = false libcamera_monitor.enabled = false\n"

NODE = (
    "{ factory.name=support.null-audio-sink node.name=mic node.description=mic media.class=Audio/Source/Virtual"
    " object.linger=true audio.position=[MONO] audio.rate=48000 }"
)


class Bed:
    """A folder with a home and a runtime folder of its own, and the processes that were started in it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="dictaphone-bench.")
        run = os.path.join(self.folder, "run")
        os.mkdir(run, 0o700)
        config = os.path.join(self.folder, ".config")
        os.makedirs(os.path.join(config, "wireplumber/main.lua.d"))
        self.write(".config/wireplumber/main.lua.d/51-no-hardware.lua", NO_HARDWARE)
        self.write("alsa.conf", ALSA_CONF)
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TERM", "USER")}
        self.env = kept | {
            "HOME": self.folder,
            "XDG_RUNTIME_DIR": run,
            "XDG_CONFIG_HOME": config,
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={run}/bus",
            "ALSA_CONFIG_PATH": os.path.join(self.folder, "alsa.conf"),
        }
        self.servers = []
        self.source = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self, command, **kinds):
        """A process in this bed that nobody listens to."""
        kinds = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | kinds
        return subprocess.Popen(command, env=self.env, cwd=self.folder, **kinds)

    def run(self, command, timeout=600):
        """Runs a command to its end; what it wrote on standard output, as text."""
        done = subprocess.run(
            command, env=self.env, cwd=self.folder, timeout=timeout, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
        )
        return done.stdout.decode(errors="replace")

    def serve(self, command):
        self.servers.append(self.start(command))

    def wait_for(self, what, condition, seconds=20):
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                raise RuntimeError(f"in vain: {what}")
            time.sleep(0.02)

    def answers(self, command):
        done = subprocess.run(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        return done.returncode == 0

    def stop_servers(self):
        for server in reversed(self.servers):
            server.kill()
            server.wait()
        self.servers = []

    def close(self):
        self.stop_servers()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- servers ----

    def pulseaudio(self, channels=1, rate=RATE, form="s16le"):
        """PulseAudio whose microphone is the monitor of a null sink."""
        places = ",".join(f"aux{n}" for n in range(channels)) if channels > 2 else ["mono", "left,right"][channels - 1]
        self.serve([
            "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--load=module-native-protocol-unix",
            f"--load=module-null-sink sink_name=mic rate={rate} channels={channels} channel_map={places} format={form}",
        ])
        self.wait_for("PulseAudio", lambda: self.answers(["pactl", "set-default-source", "mic.monitor"]))
        self.source = "mic.monitor"

    def pipewire(self):
        """PipeWire with its own session manager and the server for clients of PulseAudio."""
        self.serve(["dbus-daemon", "--session", "--nofork", f"--address={self.env['DBUS_SESSION_BUS_ADDRESS']}"])
        self.serve(["pipewire"])
        self.wait_for("PipeWire", lambda: os.path.exists(os.path.join(self.env["XDG_RUNTIME_DIR"], "pipewire-0")))
        self.serve(["wireplumber"])
        self.serve(["pipewire-pulse"])
        self.wait_for("pipewire-pulse", lambda: self.answers(["pactl", "info"]))
        self.run(["pw-cli", "create-node", "adapter", NODE])
        self.wait_for("the microphone", lambda: self.answers(["pactl", "set-default-source", "mic"]))
        self.source = "mic"

    def speak(self, file, channels=1):
        """Plays a WAV file into the microphone of PulseAudio."""
        player = self.start(["paplay", "-d", "mic", file])
        self.wait_for("the player", lambda: "Sink Input" in self.run(["pactl", "list", "sink-inputs"]))
        return player


@contextlib.contextmanager
def bed():
    """A bed that is taken away afterwards, whatever happens in it."""
    made = Bed()
    try:
        yield made
    finally:
        made.close()


# ---- sound ----------------------------------------------------------------------------------------------------------


def wav(path, samples, rate=RATE, channels=1):
    """Writes 16-bit samples (an array of `h`, interleaved)."""
    data = samples.tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", len(data) + 36, b"WAVE", b"fmt ", 16, 1, channels, rate,
                       rate * channels * 2, channels * 2, 16, b"data", len(data))
    with open(path, "wb") as file:
        file.write(head + data)


def data_of_wav(path):
    """The bytes of sound, as far as header and file both have them."""
    with open(path, "rb") as file:
        data = file.read()
    at = 12
    while at + 8 <= len(data):
        size = struct.unpack("<I", data[at + 4 : at + 8])[0]
        if data[at : at + 4] == b"data":
            return data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return b""


PERIOD = 30_000


def counter(frames, channels=1):
    """Sound that says at each frame which one it is, modulo PERIOD: no zero, the same on every channel."""
    period = array.array("h", (value for n in range(1, PERIOD + 1) for value in [n] * channels))
    whole, rest = divmod(frames, PERIOD)
    return period * whole + period[: rest * channels]


def lost_of_counter(path, channels=1):
    """Frames that are missing, doubled or silenced in a recording of `counter`, from its first to its last sound."""
    sound = data_of_wav(path)
    samples = array.array("h", sound[: len(sound) // (2 * channels) * 2 * channels])[::channels]
    first = next((n for n, value in enumerate(samples) if value), len(samples))
    last = len(samples)
    while last > first and not samples[last - 1]:
        last -= 1
    lost, silence, before = 0, 0, None
    for value in samples[first:last]:
        if value == 0:
            silence += 1
            continue
        missing = 0 if before is None else (value - before - 1) % PERIOD
        # A jump back is sound that came twice; silence that replaces as much is no second loss.
        lost += max(min(missing, PERIOD - missing), silence)
        silence, before = 0, value
    return lost, last - first


def speech_like(seconds, rate=RATE, seed=1):
    """Noise that swells, pauses and hums about as speech does."""
    chance = random.Random(seed)
    samples = array.array("h")
    loudness, wanted, low = 0.0, 0.0, 0.0
    for moment in range(seconds * 40):
        if moment % 6 == 0:
            wanted = chance.choice([0.0, 0.02, 0.1, 0.4, 0.9])
        loudness += (wanted - loudness) * 0.3
        for _ in range(rate // 40):
            low += (chance.uniform(-1, 1) - low) * 0.2
            samples.append(int(low * loudness * 28_000))
    return samples
