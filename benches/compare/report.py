"""Tables in Markdown, with what they were measured on."""

import datetime
import os
import platform
import subprocess

import peers


def number(value, digits, unit=""):
    """A figure, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}{unit}"


class Table:
    def __init__(self, title, columns):
        self.title, self.columns, self.rows, self.notes = title, columns, [], []

    def row(self, *cells):
        self.rows.append([str(cell) for cell in cells])

    def note(self, text):
        self.notes.append(text)

    def markdown(self):
        lines = [f"## {self.title}", ""]
        if self.rows:
            lines += ["| " + " | ".join(self.columns) + " |", "|---" * len(self.columns) + "|"]
            lines += ["| " + " | ".join(row) + " |" for row in self.rows]
            lines.append("")
        for note in self.notes:
            lines += [note, ""]
        return "\n".join(lines)


def _command(*words):
    done = subprocess.run(words, cwd=peers.ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode().strip()


def _processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def page(tables, options):
    commit = _command("git", "rev-parse", "--short", "HEAD") or "unknown"
    today = datetime.date.today().isoformat()
    head = [
        "# Measured", "",
        f"{today}, commit {commit}, {os.cpu_count()} × {_processor()}, Linux {platform.release()}. Made by `make bench`"
        f" ({options.rounds} rounds in turns, {options.seconds} s each; medians). A machine that is busy with other things"
        " makes every row worse, so compare within a table, not between two runs. Where another program is better, the"
        " table says so.", "",
        "Versions: " + "; ".join(f"{name} ({version})" for name, version in peers.versions()) + ".", "",
    ]
    return "\n".join(head) + "\n".join(table.markdown() for table in tables)
