"""A program of its own, for what it needs is not in every Python (`quality.py` sees to that).

`level IN OUT` brings a WAV file to an active level of -26 dBov (ITU-T P.56, method B). `score SAID HEARD` tells what PESQ
(ITU-T P.862, narrow band, mapped by P.862.1) makes of each repetition of what was said that is whole in what was heard, as
one JSON line.
"""

import json
import sys
import wave

import numpy
from pesq import pesq

RATE = 8000
LEVEL = -26.0


def load(path):
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2), file.getparams()
        return numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float) / 32768


def active_level(samples):
    """P.56 §7: the level while there is speech, with an envelope of 30 ms, 200 ms of hang-over and a margin of 15.9 dB."""
    g, hang = numpy.exp(-1 / (RATE * 0.03)), int(RATE * 0.2)
    p = q = 0.0
    envelope = numpy.empty(len(samples))
    for at, value in enumerate(numpy.abs(samples)):
        p = g * p + (1 - g) * value
        q = g * q + (1 - g) * p
        envelope[at] = q
    energy, before = float((samples ** 2).sum()), None
    for threshold in 2.0 ** numpy.arange(-1, -16, -1):
        above = numpy.flatnonzero(envelope >= threshold)
        if len(above) == 0:
            continue
        # Each sample above the threshold counts, and those of the hang-over after it.
        active = numpy.minimum(numpy.diff(numpy.append(above, len(samples))), hang + 1).sum()
        level, floor = 10 * numpy.log10(energy / active), 20 * numpy.log10(threshold)
        if level - floor >= 15.9:
            if before is None:
                return level
            (level0, floor0) = before
            share = (15.9 - (level0 - floor0)) / ((level - floor) - (level0 - floor0))
            return level0 + share * (level - level0)
        before = (level, floor)
    return before[0]


def normalise(source, target):
    samples = load(source)
    samples *= 10 ** ((LEVEL - active_level(samples)) / 20)
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(numpy.clip(numpy.round(samples * 32768), -32768, 32767).astype("<i2").tobytes())


def places(said, heard):
    """Where what was said begins in what was heard: the peaks of their correlation, a whole repetition apart."""
    size = 1 << (len(heard) + len(said)).bit_length()
    # By the ear's measure a delay within 10 ms is found by PESQ itself; the first differences keep the hum out.
    a, b = numpy.diff(heard, prepend=0), numpy.diff(said, prepend=0)
    found = numpy.fft.irfft(numpy.fft.rfft(a, size) * numpy.conj(numpy.fft.rfft(b, size)), size)[:max(len(heard) - len(said), 0) + 1]
    out = []
    while len(found) and len(out) < 4:
        at = int(found.argmax())
        if out and found[at] < 0.3 * out[0][1]:
            break
        out.append((at, float(found[at])))
        found[max(at - len(said) // 2, 0):at + len(said) // 2] = -numpy.inf
    return sorted(at for at, value in out if numpy.isfinite(value))


def score(said_path, heard_path):
    said, heard = load(said_path), load(heard_path)
    if len(heard) < len(said):
        return {"scores": [], "seconds": len(heard) / RATE}
    at = places(said, heard)
    scores = [round(float(pesq(RATE, said, heard[one:one + len(said)], "nb")), 3) for one in at]
    return {"scores": scores, "places": [round(one / RATE, 3) for one in at], "seconds": round(len(heard) / RATE, 2),
            "level": round(float(active_level(heard)), 1)}


if sys.argv[1] == "level":
    normalise(*sys.argv[2:4])
else:
    print(json.dumps(score(*sys.argv[2:4])))
