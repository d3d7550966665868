"""Sound to speak and the comparison of what was heard with what was said.

Two recordings of the same speech differ in codec, level, delay and a few lost packets, but the course of their
loudness is the same. So both are reduced to one loudness value per 10 ms, and the best normalised correlation over
all delays decides. Another sentence stays far below.
"""

import math
import os
import struct
import subprocess
import wave

from .process import Failed

FRAME = 80  # samples at 8 kHz: 10 ms
SENTENCES = {
    "alice": "Good morning. The first train to the harbour leaves at seven, from platform three.",
    "bob": "Seventeen small boats came home. Nobody had counted the lamps, until late at night!",
    "carol": "Why not? Tomorrow the whole library moves, one hundred thousand books, over the bridge.",
}
PIECE = 250  # frames that are compared: two and a half seconds
SAME, OTHER = 0.9, 0.75


def speech(folder, who, seconds=180):
    """A WAV file, 8 kHz mono, in which `who` says one sentence again and again; and the sentence alone."""
    once, loop = os.path.join(folder, who + "-once.wav"), os.path.join(folder, who + ".wav")
    if not os.path.exists(loop):
        raw = os.path.join(folder, who + "-raw.wav")
        subprocess.run(["espeak-ng", "-s", "150", "-w", raw, SENTENCES[who]], check=True, capture_output=True)
        subprocess.run(["sox", raw, "-r", "8000", "-c", "1", "-b", "16", once, "pad", "0", "0.4", "norm", "-6"],
                       check=True, capture_output=True)
        with wave.open(once) as one:
            times = int(seconds * one.getframerate() / one.getnframes())
        subprocess.run(["sox", once, loop, "repeat", str(times)], check=True, capture_output=True)
    return loop, once


def samples(path):
    """The samples of a WAV file as floats at 8 kHz, also when its header was never finished."""
    with open(path, "rb") as file:
        data = file.read()
    at, rate, channels, body = 12, 8000, 1, b""
    if data[:4] != b"RIFF":
        raise Failed(f"{path} is no WAV file")
    while at + 8 <= len(data):
        kind, size = data[at:at + 4], struct.unpack("<I", data[at + 4:at + 8])[0]
        if kind == b"fmt ":
            channels, rate = struct.unpack("<HI", data[at + 10:at + 16])
        if kind == b"data":
            body = data[at + 8:at + 8 + size] if 0 < size <= len(data) - at - 8 else data[at + 8:]
            break
        at += 8 + size + (size & 1)
    count = len(body) // 2
    values = struct.unpack(f"<{count}h", body[:count * 2])
    values = values[::channels]
    if rate == 8000:
        return values
    step = rate / 8000
    return [values[int(i * step)] for i in range(int(len(values) / step))]


def envelope(values):
    """Loudness per 10 ms, compressed so that one loud syllable does not decide alone."""
    out = []
    for at in range(0, len(values) - FRAME + 1, FRAME):
        energy = sum(value * value for value in values[at:at + FRAME]) / FRAME
        out.append(math.log1p(energy))
    return out


def correlation(heard, said):
    """The best normalised correlation of `said` at any delay within `heard`, and that delay in frames."""
    n = len(said)
    if len(heard) < n:
        return 0.0, 0
    mean = sum(said) / n
    pattern = [value - mean for value in said]
    norm = math.sqrt(sum(value * value for value in pattern)) or 1.0
    total = sum(heard[:n])
    squares = sum(value * value for value in heard[:n])
    best, where = -1.0, 0
    for at in range(len(heard) - n + 1):
        if at:
            total += heard[at + n - 1] - heard[at - 1]
            squares += heard[at + n - 1] ** 2 - heard[at - 1] ** 2
        spread = math.sqrt(max(squares - total * total / n, 1e-9))
        value = sum(map(float.__mul__, pattern, heard[at:at + n])) / (norm * spread)
        if spread > 1.0 and value > best:
            best, where = value, at
    return best, where


def pieces(recording, where):
    """The stretches that are compared: each two and a half seconds, from the first or the last five seconds.

    The very ends may hold ringing or the silence of hanging up; a phone that the machine left waiting for a moment
    drops some sound, so one good stretch is enough.
    """
    heard = envelope(samples(recording) if isinstance(recording, str) else recording)
    part = heard[40:500] if where == "start" else heard[-500:-40]
    return [part[at:at + PIECE] for at in range(0, len(part) - PIECE + 1, 25)]


def spoken_by(piece, folder, who):
    """How well a stretch fits somewhere into what `who` says all the time."""
    said = envelope(samples(speech(folder, who)[1]))
    return correlation(said + said, piece)[0]


def check(recording, folder, who, others, where):
    """Holds when the recording has the voice of `who` there, and not one of the `others`."""
    found = [(spoken_by(piece, folder, who), piece) for piece in pieces(recording, where)]
    if not found:
        raise Failed(f"at the {where}: less than three seconds of sound; {named(recording)}")
    right, piece = max(found, key=lambda pair: pair[0])
    wrong = max([spoken_by(piece, folder, other) for other in others] or [-1.0])
    if right < SAME or wrong > OTHER:
        raise Failed(f"at the {where}: {who} {right:.2f} (needs {SAME}), another voice {wrong:.2f} (at most {OTHER});"
                     f" {named(recording)}")
    return right


def named(recording):
    return recording if isinstance(recording, str) else "off the wire"
