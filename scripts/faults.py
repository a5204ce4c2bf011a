#!/usr/bin/env python3
"""Puts faults into the library, one after the other, and lists those that no test notices.

    scripts/faults.py --sample 60 src/media src/storage        # in a copy below /tmp; some seconds a fault

All faults are compiled at once, each behind a question that the variable DICTAPHONE_FAULT answers, so that a fault
costs a run of the tests and no build. A fault is a condition that is the other way round, or a statement that is left
out. What hangs or crashes is noticed too. Survivors are written to standard output, one a line, as FILE:LINE.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SWITCH = """\
//! Whether a fault is put in. Written by scripts/faults.py.

use std::sync::OnceLock;

pub(crate) fn on(fault: u32) -> bool {
    static PUT_IN: OnceLock<Option<u32>> = OnceLock::new();
    *PUT_IN.get_or_init(|| std::env::var("DICTAPHONE_FAULT").ok().and_then(|fault| fault.parse().ok())) == Some(fault)
}
"""

CONDITION = re.compile(r"^(\s*(?:\} else )?if )((?!let\b)[^{}]+)( \{)$")
STATEMENT = re.compile(r"^(\s*)((?:self|[a-z_][a-z_0-9]*)(?:\.[a-z_0-9]+)*(?:(?:::[a-z_]+)*\(.*\)\??|(?:\.[a-z_]+\(.*\)\??)| [+|&-]?= [^{}]+);)$")

# The tests that can notice a fault in a part: filters of the library's own, and whole test targets.
TESTS = {
    "audio": (["audio::"], []),
    "capture": (["capture::", "media::"], ["media"]),
    "format": (["format::"], ["formats", "wav_files"]),
    "media": (["media::"], ["media"]),
    "storage": (["storage::", "clips::"], ["recover"]),
    "clips": (["clips::"], ["recover"]),
    "playback": (["playback::"], []),
}


def code_lines(text: str) -> list[int]:
    """Lines of code outside of tests, macros, constants and functions that run while compiling."""
    lines, found, skip, depth = text.split("\n"), [], None, 0
    for number, line in enumerate(lines):
        if skip is None and re.search(r"#\[cfg\(test\)\]|macro_rules!|\bconst fn\b|^\s*(pub\S* )?(const|static) ", line):
            skip = depth
            if "#[cfg(test)]" in line:
                depth += line.count("{") - line.count("}")
                continue
        opened = line.count("{") - line.count("}")
        depth += opened
        if skip is None:
            found.append(number)
        elif depth <= skip and (opened < 0 or line.rstrip().endswith((";", "}"))):
            skip = None
    return found


def put_in(tree: Path, folders: list[str], without: set[str]) -> dict[int, str]:
    """Rewrites the files of the copy, and says where each fault is."""
    faults: dict[int, str] = {}
    for folder in folders:
        start = ROOT / folder
        for file in sorted([start] if start.is_file() else start.rglob("*.rs")):
            name = str(file.relative_to(ROOT))
            if name.endswith("tests.rs") or "/tests/" in name:
                continue
            text = file.read_text()
            lines = text.split("\n")
            for number in code_lines(text):
                place = f"{name}:{number + 1}"
                line, fault = lines[number], len(faults) + 1
                if place in without:
                    continue
                if found := CONDITION.match(line):
                    changed = f"{found[1]}({found[2]}) != crate::fault::on({fault}){found[3]}"
                elif (found := STATEMENT.match(line)) and not found[2].startswith(("pub", "return", "break", "log::", "drop(")):
                    changed = f"{found[1]}if !crate::fault::on({fault}) {{ {found[2]} }}"
                else:
                    continue
                lines[number] = changed
                faults[fault] = place
            (tree / name).write_text("\n".join(lines))
    (tree / "src/fault.rs").write_text(SWITCH)
    lib = (ROOT / "src/lib.rs").read_text()
    (tree / "src/lib.rs").write_text(re.sub(r"^pub mod audio;", "mod fault;\npub mod audio;", lib, count=1, flags=re.M))
    return faults


def build(tree: Path, targets: list[str]) -> tuple[dict[str, Path], set[str]]:
    """The test programs by name, or the places at which the compiler stops."""
    wanted = [word for target in targets for word in ("--test", target)]
    command = ["cargo", "test", "--locked", "--no-run", "--lib", *wanted, "--message-format", "short"]
    # Of its own, so that the program with faults in it never stands where other tests look for theirs.
    quick = {"CARGO_TARGET_DIR": str(ROOT / "target/faults")}
    made = subprocess.run(command, cwd=tree, capture_output=True, text=True, env={**os.environ, **quick})
    if made.returncode == 0:
        paths = re.findall(r"Executable (?:unittests )?(\S+) \((\S+)\)", made.stderr)
        return {("lib" if source == "src/lib.rs" else Path(source).parts[1].removesuffix(".rs")): tree / path for source, path in paths}, set()
    wrong = set(re.findall(r"^(src/[^:]+:\d+):\d+: error", made.stderr, re.M))
    if not wrong:
        sys.exit(made.stderr)
    return {}, wrong


def is_noticed(tree: Path, programs: dict[str, Path], place: str, fault: int, seconds: float) -> bool:
    filters, targets = TESTS[place.split("/")[1]]
    # The tests of the file itself are the quickest to notice; only what they let through costs all the others.
    own = place.split(":")[0].removeprefix("src/").removesuffix(".rs").removesuffix("/mod").replace("/", "::")
    filters = [f"{own}::", *filters]
    runs = [[str(programs["lib"]), word] for word in filters] + [[str(programs[target])] for target in targets]
    for run in runs:
        try:
            done = subprocess.run(run, cwd=tree, capture_output=True, timeout=seconds, env={**os.environ, "DICTAPHONE_FAULT": str(fault)})
        except subprocess.TimeoutExpired:
            return True
        if done.returncode != 0:
            return True
    return False


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("folders", nargs="+", help="folders or files below src/")
    words.add_argument("--sample", type=int, help="try so many, chosen at random")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--seconds", type=float, default=120.0, help="what a run may take")
    words.add_argument("--tree", type=Path, default=Path("/tmp/dictaphone-faults"))
    given = words.parse_args()
    shutil.copytree(ROOT, given.tree, dirs_exist_ok=True, ignore=shutil.ignore_patterns("target", ".git"))
    targets = sorted({target for folder in given.folders for target in TESTS[Path(folder).parts[1]][1]})
    without: set[str] = set()
    while True:
        faults = put_in(given.tree, given.folders, without)
        programs, wrong = build(given.tree, targets)
        if programs:
            break
        if wrong <= without:
            sys.exit("error: does not compile without these: " + " ".join(sorted(wrong)))
        without |= wrong
        print(f"{len(without)} left out, as they do not compile", file=sys.stderr)
    chosen = sorted(faults)
    if given.sample and given.sample < len(chosen):
        chosen = sorted(random.Random(given.seed).sample(chosen, given.sample))
    if any(is_noticed(given.tree, programs, faults[fault], 0, given.seconds) for fault in chosen[:1]):
        sys.exit("error: the tests fail without a fault")
    survivors = 0
    for count, fault in enumerate(chosen, 1):
        noticed = is_noticed(given.tree, programs, faults[fault], fault, given.seconds)
        survivors += not noticed
        if not noticed:
            print(faults[fault], flush=True)
        print(f"\r{count} of {len(chosen)}, {survivors} not noticed", end="", file=sys.stderr, flush=True)
    print(f"\n{len(chosen)} of {len(faults)} faults tried, {survivors} not noticed", file=sys.stderr)


if __name__ == "__main__":
    main()
