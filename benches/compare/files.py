"""Rows about files: encoding, decoding, resampling, listing."""

import array
import math
import os
import time

import bed as beds
import measure
import peers
from report import Table, number

MINUTES = 10


def _table(title, made, commands, options, size=None):
    commands = {name: command for name, command in commands.items() if peers.there(command[0])}
    cases = [(name, lambda c=c: measure.child_seconds(made, c)) for name, c in commands.items()]
    results = measure.rounds(options.rounds, cases)
    table = Table(title, ["program", "CPU s", "to ours"] + (["MB"] if size else []))
    own = measure.median(results["dictaphone"])
    for name, values in results.items():
        seconds = measure.median(values)
        ratio = seconds / own if seconds is not None and own else None
        cells = [name, number(seconds, 2), number(ratio, 2, "×")]
        table.row(*cells, *([number(size(name), 2)] if size else []))
    return table


def _source(made):
    minute = beds.speech_like(60)
    beds.wav(made.path("long.wav"), minute * MINUTES)


def _megabytes(path):
    return os.path.getsize(path) / 1e6 if os.path.exists(path) else None


def codecs(options):
    """FLAC and Opus, both ways, of ten minutes of 48 kHz mono."""
    with beds.bed() as made:
        _source(made)
        convert = [peers.OURS, "convert", "-q", "--force"]
        ffmpeg = ["ffmpeg", "-nostdin", "-y", "-v", "quiet"]
        wav, path = made.path("long.wav"), made.path
        encoders = {
            "FLAC": {"dictaphone": [*convert, wav, path("a.flac")], "flac -5": ["flac", "-s", "-f", "-5", wav, "-o", path("b.flac")],
                     "ffmpeg": [*ffmpeg, "-i", wav, path("c.flac")]},
            "Opus, 40 kbit/s": {"dictaphone": [*convert, "--bitrate", "40", wav, path("a.opus")],
                     "opusenc": ["opusenc", "--quiet", "--speech", "--bitrate", "40", wav, path("b.opus")],
                     "ffmpeg": [*ffmpeg, "-i", wav, "-c:a", "libopus", "-b:a", "40k", path("c.opus")]},
        }
        tables = []
        for name, commands in encoders.items():
            tables.append(_table(f"Encoding {MINUTES} minutes: {name}", made, commands, options,
                                 lambda n, c=commands: _megabytes(c[n][-1])))
        decoders = {
            "FLAC": {"dictaphone": [*convert, path("b.flac"), path("a.wav")],
                     "flac -d": ["flac", "-d", "-s", "-f", path("b.flac"), "-o", path("b.wav")],
                     "ffmpeg": [*ffmpeg, "-i", path("b.flac"), path("c.wav")]},
            "Opus": {"dictaphone": [*convert, path("b.opus"), path("a.wav")],
                     "opusdec": ["opusdec", "--quiet", "--force-wav", path("b.opus"), path("b.wav")],
                     "ffmpeg": [*ffmpeg, "-i", path("b.opus"), path("c.wav")]},
        }
        for name, commands in decoders.items():
            tables.append(_table(f"Decoding {MINUTES} minutes: {name}", made, commands, options))
        return tables


def _tone_level(path, rate, frequency):
    """Level of one frequency in a WAV file of 32-bit floats, in dB below full scale (a Hann window, one bin)."""
    samples = array.array("f", beds.data_of_wav(path))[rate // 4 : rate // 4 + rate]
    count, real, imaginary, weight = len(samples), 0.0, 0.0, 0.0
    for n, sample in enumerate(samples):
        window = 0.5 - 0.5 * math.cos(2 * math.pi * n / count)
        angle = 2 * math.pi * frequency * n / rate
        real += sample * window * math.cos(angle)
        imaginary += sample * window * math.sin(angle)
        weight += window
    return 20 * math.log10(max(2 * math.hypot(real, imaginary) / weight, 1e-9))


def resampling(options):
    """48 kHz to 16 kHz: speed, the worst error in the pass-band (100 Hz to 7 kHz), the worst image (9 to 23 kHz)."""
    rate, amplitude = 16_000, 0.5
    table = Table("Resampling 48 kHz to 16 kHz", ["program", "CPU s, 10 minutes", "pass-band error dB", "worst image dB"])
    with beds.bed() as made:
        _source(made)
        ffmpeg = ["ffmpeg", "-nostdin", "-y", "-v", "quiet"]
        calls = {
            "dictaphone": lambda i, o, *f: [peers.OURS, "convert", "-q", "--force", "-r", "16000", "-b", "f32", i, o],
            "sox rate": lambda i, o, *f: ["sox", "-q", i, "-e", "floating-point", "-b", "32", o, "rate", "16000"],
            "ffmpeg, soxr": lambda i, o, *f: [*ffmpeg, "-i", i, "-af", "aresample=16000:resampler=soxr", "-c:a", "pcm_f32le", o],
            "ffmpeg": lambda i, o, *f: [*ffmpeg, "-i", i, "-ar", "16000", "-c:a", "pcm_f32le", o],
        }
        calls = {name: call for name, call in calls.items() if peers.there(call("", "")[0])}
        speed = measure.rounds(options.rounds, [
            (name, lambda call=call: measure.child_seconds(made, call(made.path("long.wav"), made.path("out.wav"))))
            for name, call in calls.items()
        ])
        worst = {name: [0.0, -200.0] for name in calls}
        for frequency in (100, 1_000, 3_000, 5_000, 6_000, 7_000, 9_000, 10_000, 12_000, 17_000, 23_000):
            tone = (int(amplitude * 32767 * math.sin(2 * math.pi * frequency * n / 48_000)) for n in range(48_000 * 2))
            beds.wav(made.path("tone.wav"), array.array("h", tone))
            for name, call in calls.items():
                measure.child_seconds(made, call(made.path("tone.wav"), made.path("tone16.wav")))
                seen = frequency if frequency < 8_000 else abs(frequency - round(frequency / rate) * rate)
                level = _tone_level(made.path("tone16.wav"), rate, seen) - 20 * math.log10(amplitude)
                if frequency < 8_000:
                    worst[name][0] = max(worst[name][0], abs(level))
                else:
                    worst[name][1] = max(worst[name][1], level)
    for name in calls:
        table.row(name, number(measure.median(speed[name]), 2), number(worst[name][0], 2), number(worst[name][1], 0))
    return [table]


def listing(options):
    """10,000 takes in a folder."""
    table = Table("Listing 10,000 takes", ["program", "s, the first time", "s, after that"])
    with beds.bed() as made:
        folder = made.path("takes")
        os.mkdir(folder)
        beds.wav(os.path.join(folder, "0.wav"), beds.counter(4_800))
        with open(os.path.join(folder, "0.wav"), "rb") as file:
            data = file.read()
        for n in range(1, 10_000):
            with open(os.path.join(folder, f"{n}.wav"), "wb") as file:
                file.write(data)
        commands = {"dictaphone": [peers.OURS, "list", "--json", "--dir", folder],
                    "soxi": ["sh", "-c", f"find {folder} -name '*.wav' -print0 | xargs -0 soxi -D"]}
        for name, command in commands.items():
            times = []
            for _ in range(1 + options.rounds):
                begun = time.monotonic()
                made.run(command)
                times.append(time.monotonic() - begun)
            table.row(name, number(times[0], 2), number(measure.median(times[1:]), 2))
    return [table]
