#!/usr/bin/env python3
"""Makes pictures of the real screen.

    scripts/screenshot.py [PROGRAM [FILE]]            docs/screen.svg: while it records
    scripts/screenshot.py --sizes FOLDER [PROGRAM]    while it plays a lecture, in each size, on dark and on light
    scripts/screenshot.py --story FOLDER [PROGRAM]    each moment of a day with it
    scripts/screenshot.py --moving FILE [PROGRAM]     some seconds with it, as a picture that moves

The program runs in a tmux of its own on a private sound server, into whose microphone something like a voice is played;
the pane is captured with its colours (`tmux capture-pane -e -p`) and drawn as it is. Letters are text in whatever
monospaced font the reader has; lines, blocks and dots are drawn, so that they meet. The one that moves is a single SVG
without a script: what is on the screen at the same times is a group, and keyframes show and hide it; whoever wants no
motion sees one moment. Needs tmux, PulseAudio and a build of the program.
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
import unicodedata
from html import escape

README_SIZE = (100, 28)
SIZES = [(40, 10), (80, 24), (120, 40), (200, 50)]
CELL_WIDTH, CELL_HEIGHT, FONT = 8.4, 18, 14
# Background, letters, and the first eight colours of a terminal.
DARK = ("#1b1d23", "#d7dae0", ["#3f4451", "#e05561", "#8cc265", "#d18f52", "#4aa5f0", "#c162de", "#42b3c2", "#d7dae0"])
LIGHT = ("#fafafa", "#2a2c33", ["#2a2c33", "#c3242d", "#3a7d12", "#a06600", "#2f5fd0", "#9a2fae", "#0f7d8c", "#a0a1a7"])
TAKES = [
    ("interview-anna", 730, "2026-11-19 10:02"),
    ("2026-11-18_09-12-44", 31, "2026-11-18 09:12"),
    ("ideas for the talk", 252, "2026-11-17 21:40"),
    ("grocery list", 18, "2026-11-17 18:05"),
    ("choir rehearsal, second half", 1_904, "2026-11-12 20:31"),
]
LECTURE = ("lecture with questions", 6_000, "2026-11-10 14:15")


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


def lecture(seconds, rate):
    """Somebody who speaks, a break, and quiet questions at the end; a cough everywhere."""
    chance = random.Random(5)
    samples = array.array("h")
    for tenth in range(seconds * 10):
        part = tenth / (seconds * 10)
        loudness = 0.001 if 0.45 < part < 0.55 else 0.03 if part > 0.8 and tenth % 400 > 60 else 0.25
        word = loudness * chance.choice([0.05, 0.4, 0.7, 1.0])
        peak = 0.9 if chance.random() < 0.02 else word
        samples.extend(int(chance.uniform(-1, 1) * (peak if n == 0 else word) * 32_000) for n in range(rate // 10))
    return samples.tobytes()


def write_wav(path, data, rate):
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", len(data) + 36, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", len(data))
    with open(path, "wb") as file:
        file.write(head + data)


# ---- the screen ------------------------------------------------------------------------------------------------------


class Stage:
    """A folder of clips, a sound server with a microphone, and the program in a terminal."""

    def __init__(self, program, home, size, light=False, clips=TAKES):
        run, self.folder = os.path.join(home, "run"), os.path.join(home, "Music", "Recordings")
        os.makedirs(self.folder)
        os.mkdir(run, 0o700)
        for seed, (name, seconds, date) in enumerate(clips):
            path = os.path.join(self.folder, f"{name}.wav")
            write_wav(path, lecture(seconds, 400) if name == LECTURE[0] else voice(seconds, 800, seed), 400 if name == LECTURE[0] else 800)
            at = time.mktime(time.strptime(date, "%Y-%m-%d %H:%M"))
            os.utime(path, (at, at))
        self.size = size
        self.env = {**os.environ, "HOME": home, "XDG_RUNTIME_DIR": run, "LC_ALL": "C.UTF-8", "DICTAPHONE_DIR": self.folder}
        for name in ("PULSE_SERVER", "PIPEWIRE_REMOTE", "DISPLAY", "NO_COLOR", "COLORFGBG", "TMUX", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
            self.env.pop(name, None)
        if light:
            self.env["COLORFGBG"] = "0;15"
        self.quiet = {"env": self.env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        sinks = [f"module-null-sink sink_name={name} rate=48000 channels=1 format=s16le norewinds=1" for name in ("mic", "out")]
        loads = [f"--load={module}" for module in ["module-native-protocol-unix", *sinks]]
        self.server = subprocess.Popen(["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", *loads], **self.quiet)
        self.tmux = ["tmux", "-L", f"dictaphone-{os.getpid()}", "-f", "/dev/null"]
        while not self.plug():
            if self.server.poll() is not None:
                sys.exit("error: PulseAudio does not start")
            time.sleep(0.1)
        subprocess.check_call(["pactl", "set-default-sink", "out"], **self.quiet)
        write_wav(os.path.join(home, "voice.wav"), voice(120, 16_000, 7), 16_000)
        self.player = subprocess.Popen(["paplay", "-d", "mic", os.path.join(home, "voice.wav")], **self.quiet)
        size = ["-x", str(size[0]), "-y", str(size[1])]
        subprocess.check_call([*self.tmux, "new-session", "-d", *size, f"{program} -i USB"], **self.quiet)

    def plug(self):
        """The microphone is connected."""
        microphone = ["source_name=usb", "master=mic.monitor", "source_properties=\"device.description='USB Microphone'\""]
        loaded = subprocess.call(["pactl", "load-module", "module-remap-source", *microphone], **self.quiet) == 0
        return loaded and subprocess.call(["pactl", "set-default-source", "usb"], **self.quiet) == 0

    def unplug(self):
        subprocess.check_call(["pactl", "unload-module", "module-remap-source"], **self.quiet)

    def press(self, *keys):
        for key in keys:
            subprocess.check_call([*self.tmux, "send-keys", key], **self.quiet)

    def lines(self):
        """The lines of the pane, with their escape sequences."""
        return subprocess.check_output([*self.tmux, "capture-pane", "-e", "-p"], env=self.env, text=True).split("\n")[: self.size[1]]

    def close(self):
        subprocess.call([*self.tmux, "kill-server"], **self.quiet)
        for process in (self.player, self.server):
            process.terminate()
            process.wait()


def on_stage(program, size, light=False, clips=TAKES):
    """A stage that is taken down afterwards, as a generator of one."""
    home = tempfile.mkdtemp(prefix="dictaphone-screenshot.")
    stage = Stage(program, home, size, light, clips)
    try:
        yield stage
    finally:
        stage.close()
        shutil.rmtree(home, ignore_errors=True)


def perform(stage, steps):
    """Does each step, and waits after it; keys are names of tmux, functions are called with the stage."""
    for step, pause in steps:
        if callable(step):
            step(stage)
        elif step:
            stage.press(*([step] if isinstance(step, str) else step))
        time.sleep(pause)


README_STEPS = [(None, 5), ("r", 9), ("m", 1), ("Enter", 2), ("Tab", 1), ("Down", 5)]
LECTURE_STEPS = [(None, 4), ("G", 1), (" ", 5), ("3", 2)]
MOVING_SIZE, MOVING_POSTER = (80, 18), 7.0
MOVING = [
    (None, 1.5), ("r", 4), ("m", 0.8), *[(letter, 0.15) for letter in "budget"], ("Enter", 2.5), ("s", 1.2),
    *[(letter, 0.12) for letter in "talk with anna"], ("Enter", 1.5), ("Space", 2.5), (".", 2), ("Space", 1.5),
]
# Each moment of the story: its name, and what leads to it.
STORY = [
    ("record", [(None, 5), ("r", 5)]),
    ("lost", [(Stage.unplug, 4)]),
    ("back", [(Stage.plug, 5)]),
    ("marker", [("r", 4), (["m", *"budget"], 1)]),
    ("name", [("Enter", 3), ("s", 2), ([*"budget", "Space", *"talk"], 1)]),
    ("find", [("Enter", 2), (["/", *"TALK", "Space", *"budg"], 1)]),
    ("play", [("Enter", 1), ("Space", 2), ("Space", 1)]),
    ("zoom", [(["0", "z", "z"], 2)]),
    ("part", [(["0", "b"], 0.5), ("5", 0.5), ("b", 1)]),
    ("cut", [("c", 2)]),
    ("undo", [("u", 2)]),
    ("overwrite", [("o", 4)]),
    ("play-on", [("s", 3), ("Space", 1)]),
]


# ---- the picture -----------------------------------------------------------------------------------------------------


class Style:
    def __init__(self, palette):
        self.palette = palette
        self.colour, self.bold, self.dim, self.reversed = None, False, False, False

    def apply(self, codes):
        codes = list(codes)
        if codes[:2] == [38, 5]:
            # The first sixteen of 256.
            codes = [30 + codes[2] % 8]
        for code in codes:
            if code == 0:
                self.__init__(self.palette)
            elif code in (1, 2, 7):
                setattr(self, {1: "bold", 2: "dim", 7: "reversed"}[code], True)
            elif code == 22:
                self.bold = self.dim = False
            elif code == 27:
                self.reversed = False
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.colour = self.palette[2][code % 10]
            elif code == 39:
                self.colour = None

    def attributes(self):
        fill = self.palette[0] if self.reversed else self.colour or self.palette[1]
        opacity = ' opacity="0.55"' if self.dim and not self.reversed else ""
        return f'fill="{fill}"{opacity}', self.bold


def cells(line, palette):
    """Characters with the style of each."""
    style = Style(palette)
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b["):
            style.apply(int(code or 0) for code in part[2:-1].split(";"))
        else:
            for character in part:
                yield character, style.attributes(), style.reversed


def box(x, y, width, height):
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z"


LINES = {"┃": "ud", "─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ru", "┘": "lu", "├": "rud", "┤": "lud"}
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
        # Whole blocks meet also where two of them belong to different groups.
        return box(x, y + 2, (EIGHTHS.index(character) + 1) / 8 * width + (0.2 if character == "█" else 0), height - 4)
    if character == "▕":
        return box(x + width * 7 / 8, y + 2, width / 8, height - 4)
    return None


def dots(runs, character, x, y):
    """The dots of a braille character, gathered in rows that are drawn as dashed lines."""
    bits = ord(character) - 0x2800
    for bit, (column, row) in enumerate(DOTS):
        if bits >> bit & 1:
            at, place = round(y + 2.4 + row * CELL_HEIGHT / 4, 1), round((x + 0.8 + column * CELL_WIDTH / 2) / (CELL_WIDTH / 2))
            rows = runs.setdefault(at, [])
            rows.append(place)


def dashes(runs):
    step = CELL_WIDTH / 2
    for y, places in sorted(runs.items()):
        start = before = None
        for place in [*sorted(places), None]:
            if before is not None and place == before + 1:
                before = place
                continue
            if start is not None:
                yield f"M{start * step + 0.6:.1f} {y:g}h{(before - start) * step + 2.6:.1f}"
            start = before = place


def placed(lines, palette):
    """Every cell that shows something: row, column, character, style, whether it is reversed."""
    for row, line in enumerate(lines):
        column = 0
        for character, style, is_reversed in cells(line, palette):
            if character != " " or is_reversed:
                yield row, column, character, style, is_reversed
            column += 2 if unicodedata.east_asian_width(character) in "WF" else 0 if unicodedata.combining(character) else 1


def elements(cells, palette):
    """What draws these cells."""
    shapes, shades, texts, backs, runs, run = {}, {}, [], [], {}, None
    for row, column, character, (fill, bold), is_reversed in sorted(cells):
        x, y = CELL_WIDTH * (column + 1), row * CELL_HEIGHT + CELL_HEIGHT / 2
        if is_reversed:
            backs.append(box(x, y, CELL_WIDTH + 0.1, CELL_HEIGHT))
        is_dots = "\u2801" <= character <= "\u28ff"
        if is_dots:
            dots(runs.setdefault(fill, {}), character, x, y)
        if character == "░":
            shades.setdefault(fill, []).append(box(x, y + 3, CELL_WIDTH, CELL_HEIGHT - 6))
        outline = shape(character, x, y)
        if outline:
            shapes.setdefault(fill, []).append(outline)
        if outline or is_dots or character in " ░":
            continue
        # One blank between words is part of the text.
        gap = column - run["end"] if run and run["place"] == (row, fill, bold) else None
        if gap in (-1, 0, 1):
            run["text"] += " " * max(gap, 0) + character
        else:
            run = {"place": (row, fill, bold), "x": x, "y": y, "text": character, "column": column}
            texts.append(run)
        run["end"] = column + (2 if unicodedata.east_asian_width(character) in "WF" else 1)
    if backs:
        yield f'<path fill="{palette[1]}" d="{"".join(backs)}"/>\n'
    for fill, outlines in shapes.items():
        yield f'<path {fill} d="{"".join(outlines)}"/>\n'
    for fill, outlines in shades.items():
        yield f'<path fill-opacity="0.2" {fill} d="{"".join(outlines)}"/>\n'
    for fill, rows in runs.items():
        stroke = fill.replace("fill=", "stroke=")
        yield f'<path class="d" {stroke} d="{"".join(dashes(rows))}"/>\n'
    for run in texts:
        _, fill, bold = run["place"]
        weight = ' font-weight="bold"' if bold else ""
        length = f' textLength="{(run["end"] - run["column"]) * CELL_WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"'
        yield f'<text x="{run["x"]:.1f}" y="{run["y"] + 13.5:.1f}" {fill}{weight}{length}>{escape(run["text"])}</text>\n'


def frame(size, palette, style, body):
    width, height = CELL_WIDTH * (size[0] + 2), CELL_HEIGHT * (size[1] + 1)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" font-size="{FONT}" '
    yield "font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\">\n"
    dots = f".d{{stroke-width:2.8px;stroke-dasharray:2.6px {CELL_WIDTH / 2 - 2.6:.1f}px}}"
    yield f'<style>text{{white-space:pre}}{dots}{style}</style>\n'
    yield f'<rect width="100%" height="100%" rx="8" fill="{palette[0]}"/>\n'
    yield from body
    yield "</svg>\n"


def draw(lines, size, palette=DARK):
    return frame(size, palette, "", elements(placed(lines, palette), palette))


def move(pictures, seconds, poster, size, palette=DARK):
    """Pictures, each as it was after so many seconds, as one that moves and begins anew after `seconds`."""
    times = [at for at, _ in pictures] + [seconds]
    spans, since = {}, {}
    for number, shown in enumerate([set(placed(lines, palette)) for _, lines in pictures] + [set()]):
        for cell in [cell for cell in since if cell not in shown]:
            spans.setdefault((since.pop(cell), number), []).append(cell)
        for cell in shown:
            since.setdefault(cell, number)
    style, body = [], []
    for number, ((first, end), cells) in enumerate(sorted(spans.items())):
        always = first == 0 and end == len(pictures)
        if always:
            body.append("".join(elements(cells, palette)))
            continue
        begin, over = (100 * times[at] / seconds for at in (first, end))
        hidden = "0%{visibility:hidden}" if first else ""
        after = f"{over:.2f}%,to{{visibility:hidden}}" if end < len(pictures) else "to{visibility:visible}"
        still = "" if first <= poster < end else "visibility:hidden;"
        style.append(f"@keyframes k{number}{{{hidden}{begin:.2f}%{{visibility:visible}}{after}}}#k{number}{{{still}animation:k{number} {seconds:g}s step-end infinite}}\n")
        body.append(f'<g id="k{number}">{"".join(elements(cells, palette))}</g>\n')
    style.append("@media(prefers-reduced-motion){g{animation:none!important}}")
    return frame(size, palette, "".join(style), body)


def save(path, picture):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(picture))


def watch(stage, steps, interval):
    """Does each step, and captures the pane meanwhile: pictures with the seconds after which they were there."""
    pictures, began = [], time.monotonic()
    for step, pause in steps:
        perform(stage, [(step, 0)])
        end = time.monotonic() + pause
        while time.monotonic() < end:
            pictures.append((time.monotonic() - began, stage.lines()))
            time.sleep(max(0, min(interval, end - time.monotonic())))
    return pictures, time.monotonic() - began


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    words = sys.argv[1:]
    kind, folder = (words.pop(0), words.pop(0)) if words and words[0] in ("--sizes", "--story", "--moving") else (None, None)
    program = os.path.abspath(words[0]) if words else os.path.join(root, "target/release/dictaphone")
    if not os.access(program, os.X_OK):
        sys.exit("error: there is no such program; run `cargo build --release`")
    if kind == "--sizes":
        for size in SIZES:
            for name, palette in (("dark", DARK), ("light", LIGHT)):
                for stage in on_stage(program, size, palette is LIGHT, [*TAKES, LECTURE]):
                    perform(stage, LECTURE_STEPS)
                    save(os.path.join(folder, f"{size[0]}x{size[1]}-{name}.svg"), draw(stage.lines(), size, palette))
    elif kind == "--story":
        for stage in on_stage(program, (80, 24)):
            for number, (name, steps) in enumerate(STORY, 1):
                perform(stage, steps)
                save(os.path.join(folder, f"{number:02}-{name}.svg"), draw(stage.lines(), (80, 24)))
    elif kind == "--moving":
        for stage in on_stage(program, MOVING_SIZE):
            perform(stage, [(None, 4)])
            pictures, seconds = watch(stage, MOVING, 0.25)
            poster = sum(1 for at, _ in pictures if at < MOVING_POSTER)
            save(folder, move(pictures, seconds, poster, MOVING_SIZE))
    else:
        target = words[1] if len(words) > 1 else os.path.join(root, "docs/screen.svg")
        for stage in on_stage(program, README_SIZE):
            perform(stage, README_STEPS)
            save(target, draw(stage.lines(), README_SIZE))


if __name__ == "__main__":
    main()
