"""Calls under faults: a line that loses packets and brings others late, an Edge that is killed and comes back, a browser whose
address changes. Hosts are network namespaces; what is between two of them is ours to spoil."""

import os
import socket
import struct
import time
import wave

from cases.bridge import TALK, set_up, voice
from harness import quality, sound
from harness.baresip import Baresip
from harness.crowd import Crowd
from harness.network import Network
from harness.ownpage import OwnPage
from harness.process import FIRST, Child, Failed, until
from harness.server import Lyceum
from harness.turn import BINDING, message

PAIRS = 2
CROWD = [f"f-{side}{number}" for number in range(PAIRS) for side in ("caller", "callee")]
PEOPLE = {name: f"pw-{name}" for name in ("f-page", "f-near", "f-far", "f-other", *CROWD)}
CORE, FAR, MOVED, EDGE, RELAY = "10.77.0.2", "10.77.1.2", "10.77.1.3", "10.77.2.2", "10.77.9.9"
RELAY_PORT = 3478
SECRET = "north-star"
LOSS, DELAY, JITTER, LASTS = 5, 40, 30, 60
# Packets that the phones wait for: as long as the line brings them late.
BUFFERS = "3-10"
PESQ = 2.5
# Seconds within which media has to be back after an Edge restarted, and part of the calls that it holds for.
EDGE_BACK, PART = 5.0, 0.95
MOVE_BACK = 3.0
# Without sound for this long is a gap. A busy page may look that late.
GAP = 0.5
# How long is waited for what must be back sooner, and shall stay.
SETTLES = 7


class Line:
    """The cable to the far host."""

    def __init__(self, net, folder):
        script = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "harness", "poor_wire.py")
        self.child = Child(net.on("wire") + FIRST + ["python3", script, "c1b", "c2a"], os.path.join(folder, "wire.log"), stdin=True)
        self.child.expect("stands", 10, "the cable")

    def becomes(self, loss, delay, jitter):
        """What came and what was lost since the last time."""
        self.child.say(f"{loss} {delay} {jitter}")
        return self.child.expect(r"(\d+) came, (\d+) lost", 5).groups()


def network():
    return Network("far", "wire", "router", "core", "edge")


def laid(net):
    net.cable("far", f"{FAR}/24", "wire", None)
    net.cable("wire", None, "router", "10.77.1.1/24")
    net.cable("core", f"{CORE}/24", "router", "10.77.0.1/24")
    net.cable("edge", f"{EDGE}/24", "router", "10.77.2.1/24")
    net.forwards("router")
    for host, by in (("far", "10.77.1.1"), ("core", "10.77.0.1"), ("edge", "10.77.2.1")):
        net.route(host, "default", by)
    # The server tells of this address, and has it: but the way of all others leads to the Edge.
    for host in ("core", "edge"):
        net.address(host, "add", f"{RELAY}/32", "lo")
    net.route("router", RELAY, EDGE)


def at(net, host, make):
    """What a phone or a browser opens and starts is there."""
    with net.inside(host):
        return make()


def poor_line(judge, folder, net, line, server):
    """Two calls at once: phones with unlike media, and our page with a phone. One end of each is behind the poor line."""
    once, loop, wide = quality.sample(folder)
    made = lambda host, user, media, transport, encrypts: at(net, host, lambda: Baresip(
        folder, server.account(user), server, transport, loop, encrypts=encrypts, media=media, buffers=BUFFERS))
    with judge.case("faults, poor line: all sign in"):
        far = made("far", "f-far", FAR, "udp", None)
        near, other = made("core", "f-near", CORE, "tls", "srtp-mand"), made("core", "f-other", CORE, "udp", None)
        page = at(net, "far", lambda: OwnPage(folder, server.account("f-page"), server, wide))
        for one in (far, near, other, page):
            one.registered()
    calls = ((far, near), (page, other))
    with judge.case("faults, poor line: both calls are answered"):
        for caller, callee in calls:
            set_up(caller, callee)
    ends = [end for call in calls for end in call]
    with judge.case("faults, poor line: a whole recording with the line as it is"):
        page.record()
        time.sleep(quality.RECORDING)
        found = {end.account.user: [kept(end, 0)] for end in ends}
    line.becomes(LOSS, DELAY, JITTER)
    began = time.monotonic()
    with judge.case(f"faults, poor line: {LASTS} s with {LOSS} % loss and {DELAY} ± {JITTER} ms each way"):
        for number in range(1, LASTS // quality.RECORDING + 1):
            page.record()
            time.sleep(quality.RECORDING)
            for end in ends:
                found[end.account.user].append(kept(end, number))
        time.sleep(max(0, began + LASTS - time.monotonic()))
        came, lost = map(int, line.becomes(LOSS, DELAY, JITTER))
    scores = {user: [quality.score(folder, one)[0] for one in recordings] for user, recordings in found.items()}
    told = ", ".join(f"{user[2:]} {' '.join(f'{one:.2f}' for one in values[1:])} (before {values[0]:.2f})" for user, values in scores.items())
    with judge.case(f"faults, poor line: {lost} of {came} frames were lost"):
        if not 0.03 < lost / came < 0.07:
            raise Failed("that is not the loss that was asked")
    with judge.case("faults, poor line: no call has ended, each ends when it is hung up"):
        line.becomes(0, 0, 0)
        for caller, callee in calls:
            caller.hangup()
            callee.ended()
        page.ended()
    with judge.case(f"faults, poor line: PESQ {told}; {PESQ} is asked"):
        if min(max(values[1:]) for values in scores.values()) < PESQ:
            raise Failed(f"recordings in {folder}")
    for one in ends:
        one.close()


def kept(end, number):
    """The last whole recording of an end. A phone has one file from the beginning to the end of its call."""
    if end.kind == "page":
        return end.recording()
    path = os.path.join(end.home, f"part-{number}.wav")
    values = sound.samples(end.recording())[-quality.RECORDING * 8000:]
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(struct.pack(f"<{len(values)}h", *values))
    return path


def answers():
    """Whether the relay answers a question, and when it did."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.05)
        try:
            probe.sendto(message(BINDING, os.urandom(12), []), (RELAY, RELAY_PORT))
            probe.recv(2048)
            return time.time()
        except OSError:
            return None


def back_at(samples, since):
    """When packets came again and for good: the end of the last gap. None if none come at the end."""
    came = [when for (_, before, _), (when, packets, _) in zip(samples, samples[1:]) if packets > before and when >= since]
    if not came or samples[-1][0] - came[-1] > GAP:
        return None
    gaps = [when for before, when in zip([since, *came], came) if when - before > GAP]
    return gaps[-1] if gaps else since


def course(samples, since):
    """How ICE went, for people."""
    told = []
    for when, _, state in samples:
        if when >= since and (not told or told[-1][1] != state):
            told.append((when - since, state))
    return ", ".join(f"{state} {after:.1f}" for after, state in told)


def edge_restarts(judge, folder, net, binary, server):
    """The Edge's relay is a process of its own; all media goes through it, that of the callers and that of the callees."""
    home = os.path.join(folder, "edge")
    os.makedirs(home)
    edge = Lyceum(binary, home, {}, wrap=net.on("edge"), extra=["--expose", "--turn", f"{RELAY}:{RELAY_PORT}", "--turn-secret", SECRET])
    with judge.case("faults, Edge: it starts"):
        edge.start()
        at(net, "far", lambda: until(answers, 5, "its answer"))
    with judge.case(f"faults, Edge: {2 * PAIRS} pages sign in"):
        crowd = at(net, "far", lambda: Crowd(folder, [server.account(user) for user in CROWD], server))
        crowd.registered()
    with judge.case(f"faults, Edge: {PAIRS} calls through the relay alone"):
        crowd.call()
        time.sleep(3)
        flowing(crowd.flow(time.time() - 1))
    killed = time.time()
    with judge.case("faults, Edge: it is killed and starts again"):
        edge.kill()
        edge.start()
        up = at(net, "far", lambda: until(answers, 5, "its answer"))
    time.sleep(SETTLES)
    found = crowd.flow(killed)
    backs = [back_at(samples, killed) for samples in found]
    told = " ".join("never" if back is None else f"{back - up:.1f}" for back in backs)
    late = max((back or time.time()) for back in backs)
    with judge.case(f"faults, Edge: it answers {up - killed:.1f} s after the kill; media is back {told} s after that, at most "
                    f"{late - killed:.1f} s after the kill"):
        good = sum(back is not None and back - up <= EDGE_BACK for back in backs)
        if good < PART * len(backs):
            raise Failed("; ".join(course(samples, killed) for samples in found))
    with judge.case("faults, Edge: no call has ended, each ends when it is hung up"):
        standing = crowd.talking()
        if standing != 2 * PAIRS:
            raise Failed(f"{standing} of {2 * PAIRS} pages still have their call")
        crowd.hangup()
    crowd.close()
    edge.stop()


def flowing(found):
    for samples in found:
        if not samples or samples[-1][1] <= samples[0][1]:
            raise Failed("no sound comes to one of them")


def address_changes(judge, folder, net, server):
    loop = sound.speech(os.path.dirname(folder), "alice")[0]
    with judge.case("faults, address: a page and a phone sign in"):
        page = at(net, "far", lambda: OwnPage(folder, server.account("f-page"), server, voice(folder, "bob")))
        phone = at(net, "core", lambda: Baresip(folder, server.account("f-other"), server, "udp", loop, media=CORE))
        page.registered()
        phone.registered()
    for name, caller, callee in (("the page called", page, phone), ("the page was called", phone, page)):
        here, there = (FAR, MOVED) if caller is page else (MOVED, FAR)
        with judge.case(f"faults, address, {name}: sound comes"):
            set_up(caller, callee)
            time.sleep(2)
            flowing([page.flow(time.time() - 1)])
        began = time.time()
        net.address("far", "del", f"{here}/24", "c1a")
        net.address("far", "add", f"{there}/24", "c1a")
        net.route("far", "default", "10.77.1.1")
        moved = time.time()
        time.sleep(SETTLES)
        samples = page.flow(began)
        back = back_at(samples, began)
        told = "never" if back is None else f"{back - moved:.1f} s after it"
        with judge.case(f"faults, address, {name}: its address changes, and media is back {told}"):
            if back is None or back - moved > MOVE_BACK:
                raise Failed(course(samples, began))
        with judge.case(f"faults, address, {name}: speech both ways, and hang up"):
            page.record()
            time.sleep(TALK)
            sound.check(page.recording(), folder, "alice", ["bob"], "end")
            sound.check(phone.recording(), folder, "bob", ["alice"], "end")
            callee.hangup()
            caller.ended()
        page.ended()
    page.close()
    phone.close()


def run(judge, out, binary, _depth):
    with network() as net:
        laid(net)
        folder = os.path.join(out, "faults")
        os.makedirs(folder)
        line = Line(net, out)
        with judge.case("faults: the server starts"):
            extra = ["--expose", "--turn", f"{RELAY}:{RELAY_PORT}", "--turn-secret", SECRET]
            server = Lyceum(binary, out, PEOPLE, wrap=net.on("core"), extra=extra, host=CORE).start()
        judge.scenario("faults, poor line", poor_line, folder, net, line, server)
        judge.scenario("faults, Edge", edge_restarts, folder, net, binary, server)
        judge.scenario("faults, address", address_changes, folder, net, server)
        with judge.case("faults: the server drains and exits with 0"):
            code = server.stop()
            if code != 0:
                raise Failed(f"exit code {code}; log {server.child.log_path}")
