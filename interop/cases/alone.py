"""The judges judged: what needs no server, so that a verdict can be trusted."""

import os
import subprocess

from harness import sound, trace
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
    judge.scenario("an_early_answer_is_caught", an_early_answer_is_caught)
