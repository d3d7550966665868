"""The judges judged: what needs no server, so that a verdict can be trusted."""

import os
import struct
import subprocess
import wave

from harness import quality, sound, trace
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


def quality_is_told(judge, out):
    """PESQ: what G.711 leaves is good, what a line drops or adds is heard, and another sentence is none of it."""
    with judge.case("quality is measured: the sample itself, and in G.711"):
        once, loop, _ = quality.sample(out)
        length, name = str(3 * quality.SECONDS), lambda what: os.path.join(out, f"line-{what}.wav")
        quality.sox(loop, "-e", "mu-law", "-b", "8", name("law"), "trim", "0", length)
        quality.sox(name("law"), "-e", "signed", "-b", "16", name("good"))
        whole, good = quality.score(out, loop), quality.score(out, name("good"))
        if len(good) < 3 or whole[0] < 4.5 or not 3.8 <= good[-1] <= good[0] < 4.5:
            raise Failed(f"the sample {whole}, in G.711 {good}")
    with judge.case("quality is measured: a line that loses one packet of thirty is worse than asked, and noise worse still"):
        values = list(sound.samples(name("good")))
        packet = 160
        for at in range(10 * packet, len(values), 30 * packet):
            values[at:at + packet] = [0] * packet
        write(name("gaps"), values)
        quality.sox("-n", "-r", "8000", "-b", "16", "-c", "1", name("hiss"), "synth", length, "whitenoise", "vol", "0.02")
        quality.sox("-m", "-v", "1", name("good"), "-v", "1", name("hiss"), name("noisy"))
        gaps, noisy = quality.score(out, name("gaps")), quality.score(out, name("noisy"))
        if not gaps or not noisy or gaps[0] >= 3.5 or noisy[0] >= gaps[0]:
            raise Failed(f"with gaps {gaps}, with noise {noisy}")
    with judge.case("quality is measured: another sentence is no good speech"):
        sound.speech(out, "bob")
        other = quality.score(out, os.path.join(out, "bob.wav"))
        if other and other[0] > 2.0:
            raise Failed(f"{other}")


def write(path, values):
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(struct.pack(f"<{len(values)}h", *values))


TRACE = r"""
1 recvmmsg(5, [{iov_base="REGISTER sip:d SIP/2.0\r\nCall-ID: a1\r\nCSeq: 2 REGISTER\r\nAuthorization: x\r\n\r\n"}]) = 1
2 pwrite64(9</d/bindings.db-wal>, "abc", 3, 32) = 3
2 fdatasync(9</d/bindings.db-wal> <unfinished ...>
1 recvmmsg(5, [{iov_base="REGISTER sip:d SIP/2.0\r\nCall-ID: b1\r\nCSeq: 2 REGISTER\r\nAuthorization: x\r\n\r\n"}]) = 1
2 <... fdatasync resumed>) = 0
1 sendmmsg(5, [{iov_base="SIP/2.0 200 OK\r\nCall-ID: a1\r\nCSeq: 2 REGISTER\r\n"}]) = 1
1 sendmmsg(5, [{iov_base="SIP/2.0 200 OK\r\nCall-ID: b1\r\nCSeq: 2 REGISTER\r\n"}]) = 1
2 pwrite64(9</d/bindings.db-wal>, "abc", 3, 35) = 3
""".strip().split("\n")


def an_early_answer_is_caught(judge):
    """b1 came after the sync had begun, so the sync does not cover it; the last write was never synced."""
    with judge.case("an answer before its sync is caught in a trace"):
        early, seen = trace.told_before_durable(TRACE)
        if (early, seen) != ([("b1", "2")], 2):
            raise Failed(f"{early} of {seen}")
    with judge.case("bytes that no sync covers are not counted as safe"):
        safe = trace.synced_length(TRACE, "bindings.db-wal")
        if safe != 35:
            raise Failed(f"{safe}")


def run(judge, out, binary, depth):
    voices_are_told_apart(judge, out)
    judge.scenario("quality_is_told", quality_is_told, out)
    judge.scenario("an_early_answer_is_caught", an_early_answer_is_caught)
