"""What somebody without a password can do (nothing), and what somebody with one can pretend (nothing)."""

import re
import socket

from harness.process import Failed
from harness.server import Account
from harness.talk import Call
from harness.wire import Udp, answer as answer_to, ask, authorization, final, header, headers, line, register, request, status, until


def bare(server, method, user, target, name, extra="", to=None):
    """A request without credentials; its final answer, or nothing when there is silence."""
    link = Udp(server.address("udp"), timeout=1.0)
    link.send(request(link, method, target, user, server.domain, 1, name, extra, to))
    try:
        return final(link)
    except TimeoutError:
        return None
    finally:
        link.close()


def shape(answer):
    """What a stranger could tell two answers apart by."""
    if answer is None:
        return None
    lines = answer.split(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
    return lines[0], sorted(line.split(":")[0].lower() for line in lines[1:])


def users_stay_unknown(judge, out, server):
    known, unknown = "s0", "nobody-of-that-name"
    for method in ("REGISTER", "INVITE", "MESSAGE", "SUBSCRIBE"):
        with judge.case(f"a bare {method} tells nobody whether a user exists"):
            answers = []
            for user in (known, unknown):
                target = f"sip:{server.domain}" if method == "REGISTER" else f"sip:{user}@{server.domain}"
                answers.append(shape(bare(server, method, user, target, f"exists-{method}-{user}", to=f"<{target}>")))
            if answers[0] != answers[1]:
                raise Failed(f"{answers[0]} for a user, {answers[1]} for nobody")
            if answers[0] is None or not answers[0][0].startswith(("SIP/2.0 401", "SIP/2.0 407", "SIP/2.0 403")):
                raise Failed(f"answered {answers[0]}")
    with judge.case("a wrong password tells nobody whether a user exists"):
        answers = []
        for user in (known, unknown):
            link = Udp(server.address("udp"))
            answers.append(shape(register(link, Account(user, "wrong", server.domain), f"wrong-{user}", f"sip:{user}@{link.host}:{link.port}")))
            link.close()
        if answers[0] != answers[1]:
            raise Failed(f"{answers[0]} for a user, {answers[1]} for nobody")


def nothing_is_relayed(judge, out, server):
    victim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    victim.bind(("127.0.0.1", 0))
    victim.settimeout(0.7)
    there = f"sip:x@127.0.0.1:{victim.getsockname()[1]}"
    host, port = server.address("udp")
    route = f"Route: <sip:{host}:{port};lr>\r\n"
    onward = f"Route: <sip:{host}:{port};lr>, <{there};lr>\r\n"
    tagged = f"<sip:x@{server.domain}>;tag=forged"

    def silent(name, answer):
        try:
            raise Failed(f"{name}: the victim got {victim.recv(65536)[:60]!r}")
        except TimeoutError:
            pass
        if answer is not None and 200 <= status(answer) < 300:
            raise Failed(f"{name}: answered {status(answer)}")

    for name, method, target, extra, to in (
            ("a bare INVITE to elsewhere", "INVITE", there, "", None),
            ("a bare MESSAGE to elsewhere", "MESSAGE", there, "", None),
            ("a bare INVITE with a Route to elsewhere", "INVITE", f"sip:s0@{server.domain}", onward, None),
            ("a BYE with a forged To tag and our Route", "BYE", there, route, tagged),
            ("an INVITE with a forged To tag and our Route", "INVITE", there, route, tagged),
            ("an INFO with a forged To tag and a Route onward", "INFO", f"sip:x@{server.domain}", onward, tagged)):
        with judge.case(f"{name} goes nowhere"):
            silent(name, bare(server, method, "s0", target, f"relay-{len(name)}-{method}", extra, to))
    with judge.case("somebody with a password cannot relay to elsewhere either"):
        link = Udp(server.address("udp"))
        silent("with a password", ask(link, "MESSAGE", there, server.account("s1"), "relay-known", to=f"<{there}>"))
        link.close()
    victim.close()


def silence(link, name):
    """Nothing arrives."""
    try:
        raise Failed(f"{name}: {link.receive()[:60]!r} arrived")
    except TimeoutError:
        pass


def an_ended_dialog_relays_nothing(judge, out, server):
    """Somebody who once was in a call has its token, and tries what it opens."""
    call = Call(server, "s1", "s2", "ended")
    call.invite()
    call.accept()
    call.end()
    victim = Udp(server.address("udp"), timeout=0.5)
    there = f"sip:x@{victim.host}:{victim.port}"
    stranger = Udp(server.address("udp"), timeout=0.7)
    for method in ("INVITE", "MESSAGE", "REFER", "INFO", "ACK"):
        with judge.case(f"{method} with the token of an ended call follows no further Route"):
            stranger.send(call.request(stranger, method, there, number=90, onward=f", <{there};lr>"))
            silence(victim, "the victim")
            if method != "ACK" and status(final(stranger)) not in (403, 407):
                raise Failed("it was not refused")
        with judge.case(f"{method} with the token of an ended call leads to no Request-URI of one's choice"):
            stranger.send(call.request(stranger, method, there, number=91))
            silence(victim, "the victim")
    with judge.case("the token of a call lets nobody speak under another name"):
        boss = f"sip:boss@{server.domain}"
        stranger = Udp(server.address("udp"), timeout=0.7)
        stranger.send(call.request(stranger, "MESSAGE", number=92, sender=boss))
        if status(final(stranger)) not in (403, 407):
            raise Failed("it was not refused")
    victim.close()
    stranger.close()
    call.close()


def a_callee_gets_no_credentials(judge, out, server):
    carl = Udp(server.address("udp"), timeout=0.7)
    if status(register(carl, server.account("s3"), "creds-carl", f"sip:s3@{carl.host}:{carl.port}")) != 200:
        raise Failed("cannot register the third phone")
    elsewhere = f"sip:s3@{server.domain}"
    call = Call(server, "s1", "s2", "creds")
    invite = call.invite()
    call.accept()
    with judge.case("no request in a call carries credentials for us to the other end"):
        seen = [invite]
        for method in ("INVITE", "ACK", "INFO", "BYE"):
            number = call.number if method == "ACK" else None
            count = {"INVITE": 2, "ACK": 2, "INFO": 3, "BYE": 4}[method]
            call.send(method, [call.credentials(method, call.contact, count)], number)
            got = call.heard(method)
            seen.append(got)
            if method != "ACK":
                call.b.send(answer_to(got, "200 OK"))
        for message in seen:
            if header(message, "proxy-authorization") or header(message, "authorization"):
                raise Failed(f"{message.split(b' ')[0]!r} carries them")
    with judge.case("credentials heard in a call are good for nothing elsewhere"):
        thief = Udp(server.address("udp"), timeout=0.7)
        stolen = call.credentials("INVITE", call.contact, 9)
        lines = [f"From: <sip:s1@{server.domain}>;tag=thief", f"To: <{elsewhere}>", "Call-ID: thief", "CSeq: 1 INVITE", stolen]
        thief.send(line(thief, "INVITE", elsewhere, lines))
        got = final(thief)
        if status(got) not in (400, 407):
            raise Failed(f"answered {status(got)}")
        silence(carl, "the third phone")
        thief.close()
    call.close()
    with judge.case("a callee who asks for our password is not heard"):
        call = Call(server, "s1", "s2", "phish")
        fork = call.invite()
        asks = f'Digest realm="{server.domain}", nonce="{dict_of(call.challenge)["nonce"]}", algorithm=MD5, qop="auth"'
        call.b.send(answer_to(fork, "401 Unauthorized", "bob", [f"WWW-Authenticate: {asks}", f"Proxy-Authenticate: {asks}"]))
        told = until(call.a, lambda message: status(message) >= 300)
        if header(told, "www-authenticate") or header(told, "proxy-authenticate"):
            raise Failed("the caller was asked")
        call.close()
    with judge.case("an answer to a nonce that somebody else fetched is good for nothing"):
        call = Call(server, "s1", "s2", "fetched")
        thief = Udp(server.address("udp"), timeout=0.7)
        moved = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        moved.bind(("127.0.0.66", 0))
        moved.connect(server.address("udp"))
        moved.settimeout(1)
        thief.socket.close()
        thief.socket, (thief.host, thief.port) = moved, moved.getsockname()
        thief.send(line(thief, "INVITE", call.uri, call.lines("INVITE")))
        call.challenge = next(one for one in headers(final(thief), "proxy-authenticate") if "MD5" in one)
        signed = call.credentials("INVITE", call.uri, 1)
        call.a.send(line(call.a, "INVITE", call.uri, call.lines("INVITE", extra=[signed])))
        got = final(call.a)
        if status(got) != 407 or "stale=true" not in header(got, "proxy-authenticate"):
            raise Failed(f"answered {status(got)}")
        thief.close()
        call.close()
    carl.close()


def dict_of(challenge):
    return dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))


def identity_is_ones_own(judge, out, server):
    with judge.case("From of somebody else is 403"):
        link = Udp(server.address("udp"))
        answer = ask(link, "MESSAGE", f"sip:s2@{server.domain}", server.account("s1"), "from-other",
                     to=f"<sip:s2@{server.domain}>", sender="s3")
        link.close()
        if status(answer) != 403:
            raise Failed(f"answered {status(answer)}")
    with judge.case("registering for somebody else is refused"):
        link = Udp(server.address("udp"))
        answer = ask(link, "REGISTER", f"sip:{server.domain}", server.account("s1"), "register-other",
                     f"Contact: <sip:s1@{link.host}:{link.port}>\r\n", to=f"<sip:s2@{server.domain}>")
        link.close()
        if status(answer) != 403:
            raise Failed(f"answered {status(answer)}")
    with judge.case("identity headers of the untrusted are taken off"):
        phone = Udp(server.address("udp"), timeout=3)
        done = register(phone, server.account("s9"), "phone-s9", f"sip:s9@{phone.host}:{phone.port}")
        if status(done) != 200:
            raise Failed(f"cannot register the phone: {status(done)}")
        caller = Udp(server.address("udp"), timeout=3)
        spoofed = "P-Asserted-Identity: <sip:boss@example.org>\r\nDiversion: <sip:boss@example.org>\r\n"
        spoofed += "History-Info: <sip:boss@example.org>;index=1\r\nLyceum-Diagnostics: LYS0000\r\n"
        account = server.account("s8")
        # The phone's silence lets the MESSAGE end by itself; what arrived is what counts.
        target = f"sip:s9@{server.domain}"
        caller.send(request(caller, "MESSAGE", target, "s8", server.domain, 1, "spoofed", spoofed, f"<{target}>"))
        challenge = final(caller)
        asks = header(challenge, "proxy-authenticate")
        if asks is None:
            raise Failed(f"not challenged: {status(challenge)}")
        extra = spoofed + f"Proxy-Authorization: {authorization(asks, 'MESSAGE', target, account.user, account.password)}\r\n"
        caller.send(request(caller, "MESSAGE", target, "s8", server.domain, 2, "spoofed", extra, f"<{target}>"))
        arrived = phone.receive()
        for name in ("p-asserted-identity", "diversion", "history-info", "lyceum-diagnostics", "proxy-authorization"):
            if any("boss" in value or "LYS0000" in value or name == "proxy-authorization" for value in headers(arrived, name)):
                raise Failed(f"{name} came through")
        caller.close()
        phone.close()


def run(judge, out, server):
    for scenario in (users_stay_unknown, nothing_is_relayed, an_ended_dialog_relays_nothing, a_callee_gets_no_credentials,
                     identity_is_ones_own):
        judge.scenario(scenario.__name__, scenario, out, server)
