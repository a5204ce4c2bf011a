"""Compares dictaphone with the usual recorders and writes docs/BENCHMARKS.md.

    python3 benches/compare [--rounds N] [--seconds N] [--only ROW,...] [--out FILE]

Private sound servers, one virtual microphone, every recorder in its turn. Reports, judges nothing.
"""

import argparse
import os
import subprocess
import sys

import files
import peers
import recording
import report
import screen

ROWS = {
    "cost": recording.cost,
    "voice": recording.voice_preset,
    "first": recording.first_bytes,
    "stop": recording.stop,
    "stress": recording.stress,
    "stall": recording.stall,
    "killed": recording.killed,
    "wide": recording.wide,
    "clock": recording.clock,
    "codecs": files.codecs,
    "resampling": files.resampling,
    "listing": files.listing,
    "screen": screen.cost,
}


def main():
    parser = argparse.ArgumentParser(prog="benches/compare", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each recorder has its turn")
    parser.add_argument("--seconds", type=int, default=60, help="length of a recording whose cost is measured")
    parser.add_argument("--only", default=",".join(ROWS), help="rows, with commas: " + ", ".join(ROWS))
    parser.add_argument("--out", default=os.path.join(peers.ROOT, "docs/BENCHMARKS.md"))
    options = parser.parse_args()
    unknown = [name for name in options.only.split(",") if name not in ROWS]
    if unknown:
        parser.error(f"there is no row {unknown[0]}")
    if not os.access(peers.OURS, os.X_OK):
        parser.error(f"{peers.OURS} is not there; `cargo build --release --locked` makes it")
    tables, failed = [], []
    for name in options.only.split(","):
        print(f"measuring {name}", file=sys.stderr, flush=True)
        try:
            tables += ROWS[name](options)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            # The other rows stand for themselves.
            print(f"not measured: {name}: {error}", file=sys.stderr, flush=True)
            failed.append(name)
        with open(options.out, "w", encoding="utf-8") as file:
            file.write(report.page(tables, options).rstrip() + "\n")
    print(f"written to {options.out}", file=sys.stderr)
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
