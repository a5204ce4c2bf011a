#!/usr/bin/env python3
"""Makes docs/screen.svg: a picture of the real screen while it records.

    scripts/screenshot.py [PROGRAM [FILE]]

The program runs in a tmux of its own on a private sound server, into whose microphone something like a voice is played;
the pane is captured with its colours (`tmux capture-pane -e -p`) and drawn as it is. Letters are text in whatever
monospaced font the reader has; lines, blocks and dots are drawn, so that they meet. Needs tmux, PulseAudio and a build of
the program.
"""

import array
import math
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from html import escape

COLUMNS, ROWS = 100, 28
CELL_WIDTH, CELL_HEIGHT, FONT = 8.4, 18, 14
BACKGROUND, FOREGROUND = "#1b1d23", "#d7dae0"
COLOURS = ["#3f4451", "#e05561", "#8cc265", "#d18f52", "#4aa5f0", "#c162de", "#42b3c2", "#d7dae0"]
TAKES = [
    ("interview-anna", 730, "2026-11-19 10:02"),
    ("2026-11-18_09-12-44", 31, "2026-11-18 09:12"),
    ("ideas for the talk", 252, "2026-11-17 21:40"),
    ("grocery list", 18, "2026-11-17 18:05"),
    ("choir rehearsal, second half", 1_904, "2026-11-12 20:31"),
]


# ---- what is heard ---------------------------------------------------------------------------------------------------


def voice(seconds, rate, seed):
    """Noise that swells and pauses about as speech does."""
    chance = random.Random(seed)
    samples = array.array("h")
    loudness, wanted, moments = 0.0, 0.0, seconds * 40
    for moment in range(moments):
        if moment % 6 == 0:
            topic = 0.02 + 0.98 * abs(math.sin(math.pi * 3.4 * moment / moments + seed)) ** 4
            wanted = chance.choice([0.0, 0.02, 0.1, 0.4, 0.9]) * topic
        loudness += (wanted - loudness) * 0.3
        samples.extend(int(chance.uniform(-1, 1) * loudness * 20_000) for _ in range(rate // 40))
    return samples.tobytes()


def write_wav(path, data, rate):
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", len(data) + 36, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", len(data))
    with open(path, "wb") as file:
        file.write(head + data)


# ---- the screen ------------------------------------------------------------------------------------------------------


def capture(program, home):
    """The lines of the pane, with their escape sequences."""
    run, folder = os.path.join(home, "run"), os.path.join(home, "Music", "Recordings")
    os.makedirs(folder)
    os.mkdir(run, 0o700)
    for seed, (name, seconds, date) in enumerate(TAKES):
        path = os.path.join(folder, f"{name}.wav")
        write_wav(path, voice(seconds, 800, seed), 800)
        at = time.mktime(time.strptime(date, "%Y-%m-%d %H:%M"))
        os.utime(path, (at, at))
    env = {**os.environ, "HOME": home, "XDG_RUNTIME_DIR": run, "LC_ALL": "C.UTF-8", "DICTAPHONE_DIR": folder}
    for name in ("PULSE_SERVER", "PIPEWIRE_REMOTE", "DISPLAY", "NO_COLOR", "COLORFGBG", "TMUX"):
        env.pop(name, None)
    quiet = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    modules = ["module-native-protocol-unix", "module-null-sink sink_name=mic rate=48000 channels=1 format=s16le norewinds=1"]
    loads = [f"--load={module}" for module in modules]
    server = subprocess.Popen(["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", *loads], **quiet)
    player = None
    tmux = ["tmux", "-L", f"dictaphone-{os.getpid()}", "-f", "/dev/null"]
    try:
        microphone = ["source_name=usb", "master=mic.monitor", "source_properties=\"device.description='USB Microphone'\""]
        while subprocess.call(["pactl", "load-module", "module-remap-source", *microphone], **quiet):
            if server.poll() is not None:
                sys.exit("error: PulseAudio does not start")
            time.sleep(0.1)
        subprocess.check_call(["pactl", "set-default-source", "usb"], **quiet)
        write_wav(os.path.join(home, "voice.wav"), voice(60, 48_000, 7), 48_000)
        player = subprocess.Popen(["paplay", "-d", "mic", os.path.join(home, "voice.wav")], **quiet)
        size = ["-x", str(COLUMNS), "-y", str(ROWS)]
        subprocess.check_call([*tmux, "new-session", "-d", *size, program], **quiet)
        for key, pause in [(None, 5), ("r", 9), ("m", 2), ("Down", 6)]:
            if key:
                subprocess.check_call([*tmux, "send-keys", key], **quiet)
            time.sleep(pause)
        return subprocess.check_output([*tmux, "capture-pane", "-e", "-p"], env=env, text=True).split("\n")[:ROWS]
    finally:
        subprocess.call([*tmux, "kill-server"], **quiet)
        for process in filter(None, (player, server)):
            process.terminate()
            process.wait()


# ---- the picture -----------------------------------------------------------------------------------------------------


class Style:
    def __init__(self):
        self.colour, self.bold, self.dim, self.reversed = None, False, False, False

    def apply(self, codes):
        codes = list(codes)
        if codes[:2] == [38, 5]:
            # The first sixteen of 256.
            codes = [30 + codes[2] % 8]
        for code in codes:
            if code == 0:
                self.__init__()
            elif code in (1, 2, 7):
                setattr(self, {1: "bold", 2: "dim", 7: "reversed"}[code], True)
            elif code == 22:
                self.bold = self.dim = False
            elif code == 27:
                self.reversed = False
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.colour = COLOURS[code % 10]
            elif code == 39:
                self.colour = None

    def attributes(self):
        fill = BACKGROUND if self.reversed else self.colour or FOREGROUND
        opacity = ' opacity="0.55"' if self.dim and not self.reversed else ""
        return f'fill="{fill}"{opacity}', self.bold


def cells(line):
    """Characters with the style of each."""
    style = Style()
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b["):
            style.apply(int(code or 0) for code in part[2:-1].split(";"))
        else:
            for character in part:
                yield character, style.attributes(), style.reversed


def box(x, y, width, height):
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z"


LINES = {"─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ru", "┘": "lu", "├": "rud", "┤": "lud"}
EIGHTHS = "▏▎▍▌▋▊▉█"
BARS = "▁▂▃▄▅▆▇█"
DOTS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]


def shape(character, x, y):
    """The outline of a character that is drawn and not written."""
    width, height = CELL_WIDTH, CELL_HEIGHT
    if character in LINES:
        middle_x, middle_y = x + width / 2 - 0.5, y + height / 2 - 0.5
        parts = {
            "l": box(x, middle_y, width / 2 + 0.5, 1), "r": box(middle_x, middle_y, width / 2 + 0.5, 1),
            "u": box(middle_x, y, 1, height / 2 + 0.5), "d": box(middle_x, middle_y, 1, height / 2 + 0.5),
        }
        return "".join(parts[end] for end in LINES[character])
    if character in BARS:
        part = (BARS.index(character) + 1) / 8 * (height - 2)
        return box(x, y + height - 1 - part, width, part)
    if character in EIGHTHS:
        return box(x, y + 2, (EIGHTHS.index(character) + 1) / 8 * width, height - 4)
    if character == "▕":
        return box(x + width * 7 / 8, y + 2, width / 8, height - 4)
    if character == "░":
        return "".join(box(x + 1 + 2.8 * i, y + 3 + 3 * j, 1, 1) for i in range(3) for j in range(5))
    if "\u2801" <= character <= "\u28ff":
        bits = ord(character) - 0x2800
        set_dots = (dot for bit, dot in enumerate(DOTS) if bits >> bit & 1)
        return "".join(box(x + 0.8 + column * width / 2, y + 1 + row * height / 4, 2.6, 2.8) for column, row in set_dots)
    return None


def draw(lines):
    shapes, texts, backs = {}, [], []
    for row, line in enumerate(lines):
        y, run = row * CELL_HEIGHT + CELL_HEIGHT / 2, None
        for column, (character, (fill, bold), is_reversed) in enumerate(cells(line)):
            x = CELL_WIDTH * (column + 1)
            if is_reversed:
                backs.append(box(x, y, CELL_WIDTH + 0.1, CELL_HEIGHT))
            outline = shape(character, x, y)
            if outline:
                shapes.setdefault(fill, []).append(outline)
            if outline or character == " ":
                run = None
            elif run and run[1:3] == [fill, bold]:
                run[3] += character
            else:
                run = [(x, y), fill, bold, character]
                texts.append(run)
    width, height = CELL_WIDTH * (COLUMNS + 2), CELL_HEIGHT * (len(lines) + 1)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" font-size="{FONT}" '
    yield "font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\">\n"
    yield f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>\n'
    yield f'<path fill="{FOREGROUND}" d="{"".join(backs)}"/>\n'
    for fill, outlines in shapes.items():
        yield f'<path {fill} d="{"".join(outlines)}"/>\n'
    for (x, y), fill, bold, text in texts:
        weight = ' font-weight="bold"' if bold else ""
        length = f' textLength="{len(text) * CELL_WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"'
        yield f'<text x="{x:.1f}" y="{y + 13.5:.1f}" {fill}{weight}{length}>{escape(text)}</text>\n'
    yield "</svg>\n"


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    program = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(root, "target/release/dictaphone")
    target = sys.argv[2] if len(sys.argv) > 2 else os.path.join(root, "docs/screen.svg")
    if not os.access(program, os.X_OK):
        sys.exit("error: there is no such program; run `cargo build --release`")
    home = tempfile.mkdtemp(prefix="dictaphone-screenshot.")
    try:
        lines = capture(program, home)
    finally:
        shutil.rmtree(home)
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    with open(target, "w", encoding="utf-8") as file:
        file.write("".join(draw(lines)))


if __name__ == "__main__":
    main()
