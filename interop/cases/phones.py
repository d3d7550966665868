"""baresip and linphone sign in over UDP, TCP and TLS and call each other: sound, hold, resume, hang up, both ways."""

import os
import time

from harness import sound
from harness.baresip import Baresip
from harness.ear import Ear
from harness.linphone import Linphone

TALK = 5.0


def voices_heard(folder, phones, ear, since, where):
    """Each phone hears the other one, and not itself."""
    for phone, other in (phones, phones[::-1]):
        if phone.kind == "baresip" and where == "end":
            recording = ear.since(since, range(phone.rtp, phone.rtp + 10))
        else:
            recording = phone.recording()
        sound.check(recording, folder, other.voice, [phone.voice], where)


def set_up(caller, callee):
    caller.dial(callee.account.user)
    callee.incoming()
    caller.ringing()
    callee.answer()
    caller.established()
    callee.established()


def call_hold_resume(judge, name, folder, caller, callee, holder, ender, ear):
    """One call with everything a person does in it."""
    with judge.case(f"{name}: rings and is answered"):
        set_up(caller, callee)
    time.sleep(TALK)
    with judge.case(f"{name}: {holder.kind} holds and resumes"):
        holder.hold()
        holder.held()
        time.sleep(1.5)
        holder.resume()
        holder.resumed()
    resumed = time.monotonic()
    time.sleep(TALK)
    other = callee if ender is caller else caller
    with judge.case(f"{name}: {ender.kind} hangs up"):
        ender.hangup()
        other.ended()
        ender.ended()
    # Only now are the recordings whole.
    time.sleep(0.3)
    with judge.case(f"{name}: sound both ways before and after"):
        for where in ("start", "end"):
            voices_heard(folder, (caller, callee), ear, resumed, where)


def start(kind, folder, user, voice, server, transport):
    phone = kind(folder, server.account(user), server, transport, sound.speech(os.path.dirname(folder), voice)[0])
    phone.voice = voice
    return phone


def over_one_transport(judge, out, server, transport, ear, early):
    """Both phones on one transport; a call from each to the other. `early` ends calls from the caller's side."""
    folder = os.path.join(out, transport)
    os.makedirs(folder, exist_ok=True)
    with judge.case(f"baresip registers over {transport}"):
        one = start(Baresip, folder, f"alice-{transport}", "alice", server, transport)
        one.registered()
    with judge.case(f"linphone registers over {transport}"):
        two = start(Linphone, folder, f"bob-{transport}", "bob", server, transport)
        two.registered()
    for caller, callee in ((one, two), (two, one)):
        name = f"{caller.kind} calls {callee.kind} over {transport}"
        holder = caller if early else callee
        call_hold_resume(judge, name, out, caller, callee, holder, caller if early else callee, ear)
    two.close()
    one.close()


def across_transports(judge, out, server, ear):
    """baresip on UDP and linphone on TLS."""
    folder = os.path.join(out, "mixed")
    os.makedirs(folder, exist_ok=True)
    one = start(Baresip, folder, "alice-mixed", "alice", server, "udp")
    one.registered()
    two = start(Linphone, folder, "bob-mixed", "bob", server, "tls")
    two.registered()
    for caller, callee in ((one, two), (two, one)):
        name = f"{caller.kind} calls {callee.kind} between udp and tls"
        call_hold_resume(judge, name, out, caller, callee, callee, caller, ear)
    two.close()
    one.close()


def users(transports=("udp", "tcp", "tls", "mixed")):
    return {f"{who}-{transport}": f"pw-{who}" for who in ("alice", "bob") for transport in transports}


def run(judge, out, server):
    folder = os.path.join(out, "phones")
    os.makedirs(folder, exist_ok=True)
    for voice in ("alice", "bob"):
        sound.speech(folder, voice)
    ear = Ear()
    scenarios = [(f"phones over {transport}", over_one_transport, folder, server, transport, ear, early)
                 for transport, early in (("udp", True), ("tcp", False), ("tls", True))]
    scenarios.append(("phones across transports", across_transports, folder, server, ear))
    # Two at a time: a phone that waits for the processor drops sound.
    judge.together(scenarios[:2])
    judge.together(scenarios[2:])
    ear.close()
