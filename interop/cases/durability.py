"""What a phone was told is on the disk: under strace, under SIGKILL, and from a copy cut at the last synced byte."""

import glob
import os
import random
import shutil
import time

from harness import trace
from harness.process import Failed, until
from harness.server import Lyceum
from harness.storm import Storm, bindings
from harness.wire import Udp

CALLS = "trace=recvfrom,recvmsg,recvmmsg,read,sendto,sendmsg,sendmmsg,write,writev,fdatasync,fsync,pwrite64,ftruncate"


def crowd(count):
    return {f"u{number:05}": f"pw{number:05}" for number in range(count)}


def none_lost(server, wanted, tag):
    """`wanted` maps a user to the contacts of which one must be there."""
    if not wanted:
        raise Failed("nothing was acknowledged, so nothing is shown")
    missing = []
    link = Udp(server.address("udp"), timeout=3)
    for user, contacts in wanted.items():
        if not bindings(link, server.account(user), f"ask-{tag}-{user}") & set(contacts):
            missing.append(user)
    link.close()
    if missing:
        raise Failed(f"{len(missing)} of {len(wanted)} acknowledged bindings are gone: {', '.join(missing[:5])}")


def traced(out, name, binary, users, seconds, rate):
    """A storm against a server under strace, ended by SIGKILL; the server, the storm and the trace."""
    folder = os.path.join(out, name)
    os.makedirs(folder)
    file = os.path.join(folder, "strace")
    wrap = ["strace", "-f", "-y", "-s", "1600", "-e", CALLS, "-e", "signal=none", "-o", file]
    server = Lyceum(binary, folder, users, wrap=wrap).start(120)
    storm = Storm(server.address("udp"), server.domain, users.items(), rate, name).start()
    time.sleep(seconds)
    server.kill()
    storm.stop()
    with open(file, errors="replace") as text:
        return server, storm, text.read().splitlines()


def sync_before_answer(judge, out, binary):
    with judge.case("an fdatasync precedes each batch's 200s"):
        _, storm, lines = traced(out, "order", binary, crowd(300), 4, 100)
        early, seen = trace.told_before_durable(lines)
        if seen < 50:
            raise Failed(f"only {seen} answers were seen; {storm.sent} sent, {storm.answered} answered, {storm.refused}")
        if early:
            raise Failed(f"{len(early)} of {seen} answers left before their facts were synced, first {early[0]}")


def cut_at_last_synced_byte(judge, out, binary):
    """The journal may hold bytes that no sync has covered; without them nothing acknowledged is missing."""
    with judge.case("a copy of the data cut at the last synced byte has every acknowledged binding"):
        server, storm, lines = traced(out, "cut", binary, crowd(300), 4, 100)
        journals = glob.glob(os.path.join(server.data, "**", "*-wal"), recursive=True)
        if not journals:
            raise Failed(f"no write-ahead journal under {server.data}")
        copy = os.path.join(out, "cut", "copy")
        shutil.copytree(server.data, copy, ignore=shutil.ignore_patterns("*.sock", "*-shm"))
        cut = 0
        for journal in journals:
            safe = trace.synced_length(lines, os.path.basename(journal))
            if safe is None:
                continue
            path = os.path.join(copy, os.path.relpath(journal, server.data))
            cut += 1
            if os.path.getsize(path) > safe:
                os.truncate(path, safe)
        if not cut:
            raise Failed("no journal was synced at all")
        again = Lyceum(binary, os.path.join(out, "cut"), server.users)
        again.data = copy
        again.start()
        none_lost(again, {user: storm.may_have(user) for user in storm.acknowledged}, "cut")
        again.stop()


def kills(judge, out, binary, rounds, rate):
    folder = os.path.join(out, "kills")
    os.makedirs(folder)
    users = crowd(1200)
    server = Lyceum(binary, folder, users).start(120)
    dice = random.Random(20)
    wanted, answered, slowest = {}, 0, 0.0
    with judge.case(f"{rounds} kills under {rate} REGISTER/s lose no acknowledged binding"):
        for number in range(rounds):
            storm = Storm(server.address("udp"), server.domain, users.items(), rate, f"k{number}").start()
            time.sleep(0.6 + dice.random() * 0.8)
            server.kill()
            storm.stop()
            if storm.answered < 100:
                raise Failed(f"round {number}: {storm.sent} sent, only {storm.answered} answered, {storm.refused}")
            answered += storm.answered
            for user in users:
                if user in storm.acknowledged or user in wanted:
                    wanted[user] = storm.may_have(user, wanted.get(user, ()))
            began = time.monotonic()
            server.start()
            slowest = max(slowest, time.monotonic() - began)
            # All of this round, and a sample of what earlier rounds left.
            asked = set(storm.acknowledged) | set(dice.sample(sorted(wanted), min(50, len(wanted))))
            none_lost(server, {user: wanted[user] for user in asked}, f"k{number}")
    print(f"note {rounds} kills, {answered} registrations acknowledged, slowest start {slowest:.2f} s", flush=True)
    with judge.case("after the kills it drains and exits with 0"):
        code = server.stop()
        if code != 0:
            raise Failed(f"exit code {code}")


def a_second_server_is_refused(judge, out, binary):
    """Two processes on one data folder would be two owners."""
    folder = os.path.join(out, "twice")
    os.makedirs(folder)
    first = Lyceum(binary, folder, crowd(2)).start()
    second = Lyceum(binary, os.path.join(folder), crowd(2))
    with judge.case("a second server on the same data folder says so in one sentence and exits"):
        try:
            second.start(20)
        except Failed:
            until(lambda: not second.child.alive(), 10, "the second server's end")
        else:
            raise Failed("it started")
        if second.child.process.returncode == 0 or "panicked" in second.child.text:
            raise Failed(f"exit code {second.child.process.returncode}; log {second.child.log_path}")
    first.stop()


def run(judge, out, binary, depth):
    rounds = 200 if depth == "soak" else 20
    judge.together([("sync_before_answer", sync_before_answer, out, binary),
                    ("cut_at_last_synced_byte", cut_at_last_synced_byte, out, binary)])
    judge.scenario("kills", kills, out, binary, rounds, 1000)
    judge.scenario("a_second_server_is_refused", a_second_server_is_refused, out, binary)
