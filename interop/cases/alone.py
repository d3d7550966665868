"""The judges judged: what needs no server, so that a verdict can be trusted."""

import os
import subprocess

from harness import sound
from harness.process import Failed


def voices_are_told_apart(judge, out):
    """A worse line still carries the voice; another voice is not taken for it; silence is nobody."""
    for voice in ("alice", "bob"):
        sound.speech(out, voice)
    poor = os.path.join(out, "poor.wav")
    subprocess.run(["sox", os.path.join(out, "alice.wav"), "-e", "mu-law", "-b", "8", poor + ".ul.wav", "trim", "1.3", "6",
                    "vol", "0.3", "lowpass", "2500"], check=True, capture_output=True)
    subprocess.run(["sox", poor + ".ul.wav", "-e", "signed", "-b", "16", poor], check=True, capture_output=True)
    with judge.case("a poor line still carries the voice"):
        sound.check(poor, out, "alice", ["bob"], "start")
        sound.check(poor, out, "alice", ["bob"], "end")
    for name, recording in (("another voice", poor), ("silence", [0] * 48000)):
        with judge.case(f"{name} is not taken for it"):
            try:
                sound.check(recording, out, "bob", [], "start")
            except Failed:
                continue
            raise Failed("it was")


def run(judge, out, binary, depth):
    voices_are_told_apart(judge, out)
