"""The recorders that are compared, and how each is called for the same recording."""

import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = os.environ.get("DICTAPHONE", os.path.join(ROOT, "target/release/dictaphone"))

# How to ask a program for its version, and the line of the answer.
VERSIONS = {
    "arecord": ["arecord", "--version"],
    "parecord": ["parecord", "--version"],
    "pw-record": ["pw-record", "--version"],
    "sox": ["sox", "--version"],
    "ffmpeg": ["ffmpeg", "-version"],
    "flac": ["flac", "--version"],
    "opusenc": ["opusenc", "--version"],
    "asak": ["asak", "--version"],
}


def there(program):
    return shutil.which(program) is not None


def versions():
    found = []
    for name, command in VERSIONS.items():
        if there(command[0]):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            lines = [line for line in done.stdout.decode(errors="replace").splitlines() if any(c.isdigit() for c in line)]
            found.append((name, lines[0].strip()[:60] if lines else "unknown"))
    return found


def ours(device, file, rate=48_000, channels=1, *more):
    return [OURS, "record", "-q", "--force", "-i", device, "-r", str(rate), "-c", str(channels), *more, file]


def through_pulseaudio(source, out, rate=48_000, channels=1):
    """name -> (command, file) for 16-bit WAV files from that source of a PulseAudio server."""
    file = {name: out(name) for name in ("ours", "ours-cpal", "parecord", "sox", "ffmpeg")}
    made = {
        "dictaphone": (ours(f"pulseaudio:{source}", file["ours"], rate, channels), file["ours"]),
        "dictaphone, cpal's host": (ours(f"cpal:pulseaudio:{source}", file["ours-cpal"], rate, channels), file["ours-cpal"]),
        "parecord": (["parecord", "-d", source, f"--rate={rate}", f"--channels={channels}", "--format=s16le",
                      "--file-format=wav", "--no-remix", file["parecord"]], file["parecord"]),
        "sox": (["sox", "-q", "-r", str(rate), "-c", str(channels), "-b", "16", "-t", "pulseaudio", source,
                 file["sox"]], file["sox"]),
        "ffmpeg": (["ffmpeg", "-nostdin", "-y", "-v", "quiet", "-f", "pulse", "-sample_rate", str(rate),
                    "-channels", str(channels), "-i", source, file["ffmpeg"]], file["ffmpeg"]),
    }
    return {name: row for name, row in made.items() if there(row[0][0])}


def through_alsa(out, rate=48_000, channels=1):
    """The same from ALSA's default device (the plugin of the sound server)."""
    file = {name: out(f"alsa-{name}") for name in ("ours", "arecord", "sox", "ffmpeg")}
    made = {
        "dictaphone": (ours("alsa:default", file["ours"], rate, channels), file["ours"]),
        "arecord": (["arecord", "-q", "-D", "default", "-f", "S16_LE", "-r", str(rate), "-c", str(channels),
                     file["arecord"]], file["arecord"]),
        "sox": (["sox", "-q", "-r", str(rate), "-c", str(channels), "-b", "16", "-t", "alsa", "default", file["sox"]],
                file["sox"]),
        "ffmpeg": (["ffmpeg", "-nostdin", "-y", "-v", "quiet", "-f", "alsa", "-sample_rate", str(rate),
                    "-channels", str(channels), "-i", "default", file["ffmpeg"]], file["ffmpeg"]),
    }
    return {name: row for name, row in made.items() if there(row[0][0])}


def through_pipewire(out):
    """From PipeWire: ours by its server for clients of PulseAudio, as on a desktop; pw-record natively."""
    file = {name: out(f"pw-{name}") for name in ("ours", "pw-record", "parecord")}
    made = {
        "dictaphone": (ours("pulseaudio:mic", file["ours"]), file["ours"]),
        "pw-record": (["pw-record", "--rate", "48000", "--channels", "1", "--format", "s16", file["pw-record"]],
                      file["pw-record"]),
        "parecord": (["parecord", "-d", "mic", "--rate=48000", "--channels=1", "--format=s16le", "--file-format=wav",
                      file["parecord"]], file["parecord"]),
    }
    return {name: row for name, row in made.items() if there(row[0][0])}


def to_pipe(source):
    """Raw 16-bit sound on standard output, for the time to the first bytes."""
    return {
        "dictaphone": [OURS, "record", "-q", "-i", f"pulseaudio:{source}", "-r", "48000", "-c", "1", "-f", "raw", "-"],
        "parecord": ["parecord", "--raw", "-d", source, "--rate=48000", "--channels=1", "--format=s16le"],
        "arecord (ALSA plugin)": ["arecord", "-q", "-D", "default", "-f", "S16_LE", "-r", "48000", "-c", "1", "-t", "raw"],
        "sox": ["sox", "-q", "-r", "48000", "-c", "1", "-b", "16", "-t", "pulseaudio", source, "-t", "raw", "-"],
        "ffmpeg": ["ffmpeg", "-nostdin", "-v", "quiet", "-f", "pulse", "-sample_rate", "48000", "-channels", "1",
                   "-i", source, "-f", "s16le", "-"],
    }
