"""What a running process costs: processor time, wake-ups, memory. Linux, by /proc."""

import os
import signal
import statistics
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def snapshot(pid):
    """Processor seconds and wake-ups of all threads together."""
    seconds, wakes = 0.0, 0
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return None
    for task in tasks:
        times = _read(f"/proc/{pid}/task/{task}/schedstat").split()
        seconds += int(times[0]) / 1e9 if times else 0.0
        for line in _read(f"/proc/{pid}/task/{task}/status").splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                wakes += int(line.split()[1])
    return seconds, wakes


def peak_mib(pid):
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return None


def end(process, how=signal.SIGINT, seconds=30):
    """Ends a recorder as its user would; its exit code."""
    process.send_signal(how)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def cost(bed, command, seconds):
    """Runs a recorder and looks at it for so long once it is at work: processor seconds a minute, wake-ups a second,
    peak memory in MiB."""
    process = bed.start(command)
    time.sleep(2)
    before, begun = snapshot(process.pid), time.monotonic()
    time.sleep(seconds)
    after, passed, memory = snapshot(process.pid), time.monotonic() - begun, peak_mib(process.pid)
    end(process)
    if before is None or after is None:
        return None
    return (after[0] - before[0]) / passed * 60, (after[1] - before[1]) / passed, memory


def child_seconds(bed, command, stdin=None):
    """Processor seconds of a command that runs to its end, its children included; None if it failed."""
    with open(stdin or os.devnull, "rb") as source:
        process = bed.start(command, stdin=source)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime if process.returncode == 0 else None


def median(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def rounds(count, cases):
    """Runs each case (name, function) in turn, `count` times over; name -> list of results."""
    results = {name: [] for name, _ in cases}
    for _ in range(count):
        for name, case in cases:
            results[name].append(case())
    return results
