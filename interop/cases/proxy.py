"""SIPp registers and calls through the proxy: Record-Route, forking, cancelling, declining, and a kill in between."""

import time

from harness.process import Failed, free_port
from harness.sipp import REGISTER, RINGS, Sipp, answers, cancels, declines, refused, talk

PASSWORD = "pw-sipp"


def users():
    names = [f"s{number}" for number in range(20)] + ["caller", "callee", "forked", "shy", "away", "kept"]
    return {name: PASSWORD for name in names}


def row(user, other="-"):
    return (user, PASSWORD, other)


def registered(out, server, user, transport="udp"):
    """Registers one endpoint; the port it will be called on."""
    return Sipp(out, server, f"register-{user}", REGISTER, [row(user)], transport, free_port()).done().port


def digest_registration(judge, out, server):
    with judge.case("sipp registers twenty users with digest over udp"):
        Sipp(out, server, "register-udp", REGISTER, [row(f"s{number}") for number in range(20)], calls=20).done()
    with judge.case("sipp registers twenty users with digest over tcp"):
        Sipp(out, server, "register-tcp", REGISTER, [row(f"s{number}") for number in range(20)], "tcp", calls=20).done()
    with judge.case("a wrong password is refused"):
        try:
            Sipp(out, server, "register-wrong", REGISTER, [("s0", "wrong", "-")], seconds=5).done()
        except Failed:
            return
        raise Failed("it was accepted")


def calls_with_record_route(judge, out, server):
    port = registered(out, server, "callee")
    with judge.case("two hundred calls through the proxy, each with Record-Route and digest"):
        callee = Sipp(out, server, "callee", answers(20), port=port, calls=200)
        caller = Sipp(out, server, "caller", talk(50), [row("caller", "callee")], calls=200, rate=50)
        caller.done()
        callee.done()


def forked_call(judge, out, server):
    """Three endpoints of one user ring; the third answers; the others are cancelled."""
    ports = [registered(out, server, "forked") for _ in range(3)]
    with judge.case("a forked call is answered by one of three endpoints, the others are cancelled"):
        ringing = [Sipp(out, server, "rings", RINGS, port=port) for port in ports[:2]]
        answering = Sipp(out, server, "answers", answers(700), port=ports[2])
        Sipp(out, server, "forks", talk(300), [row("caller", "forked")]).done()
        answering.done()
        for endpoint in ringing:
            endpoint.done()


def caller_cancels(judge, out, server):
    port = registered(out, server, "shy")
    with judge.case("the caller cancels while it rings"):
        callee = Sipp(out, server, "rings", RINGS, port=port)
        Sipp(out, server, "cancels", cancels(400), [row("caller", "shy")]).done()
        callee.done()


def callee_declines(judge, out, server):
    port = registered(out, server, "away")
    for line, code in (("603 Decline", 603), ("486 Busy Here", 486)):
        with judge.case(f"the callee declines with {code}"):
            callee = Sipp(out, server, "declines", declines(line), port=port)
            Sipp(out, server, "declined", refused(code), [row("caller", "away")]).done()
            callee.done()
    with judge.case("a user without an endpoint is 480"):
        Sipp(out, server, "nobody", refused(480), [row("caller", "kept")]).done()


def kill_in_the_middle(judge, out, server):
    """A power cut while two people talk: the call ends by itself later, and both are reachable at once."""
    port = registered(out, server, "kept")
    with judge.case("a call survives kill -9 and restart: its BYE still finds the other side"):
        callee = Sipp(out, server, "kept", answers(20), port=port)
        caller = Sipp(out, server, "keeps", talk(5000), [row("caller", "kept")])
        time.sleep(1.5)
        server.kill()
        server.start()
        caller.done()
        callee.done()
    with judge.case("after kill -9 and restart the registered phone is called without registering again"):
        callee = Sipp(out, server, "kept-again", answers(20), port=port)
        Sipp(out, server, "calls-again", talk(50), [row("caller", "kept")]).done()
        callee.done()


def run(judge, out, server):
    judge.together([(scenario.__name__, scenario, out, server)
                    for scenario in (digest_registration, calls_with_record_route, forked_call, caller_cancels, callee_declines)])
    judge.scenario("kill_in_the_middle", kill_in_the_middle, out, server)
