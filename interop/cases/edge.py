"""Users outside through an Access Edge: enrolment, sign-in, calls, forged trust, the link down and back, and what the Edge
remembers of all this (nothing)."""

import json
import os
import re
import time

from cases.phones import set_up, start
from cases.policy import shell
from harness import sound
from harness.baresip import Baresip
from harness.edge import Edge, certificate, remembered
from harness.process import Failed, free_port, until
from harness.server import Account, Lyceum
from harness.wire import (Stream, Udp, answer as answer_to, ask, final, header, headers, register, request, status,
                          until as message_until)

# Names that stand in nothing else that a process has in its memory.
INSIDE, OUTSIDE, TEXT = "quillfeather", "wrenbramble", "thistledownpost"
PEOPLE = {INSIDE: "pw-velvetmoss", OUTSIDE: "pw-copperlarch", TEXT: "pw-saffronreed", "plain": "pw-plain"}
SECRETS = [*PEOPLE, *PEOPLE.values(), "+4930987612345"]
SECRETS.remove("plain")


def token(server, name="edge1", *more):
    return json.loads(shell(server, "edge", "token", name, *more, "--output", "json"))["token"]


def edges(server):
    return json.loads(shell(server, "edge", "list", "--output", "json"))


def linked(server, name="edge1"):
    return any(edge["name"] == name and edge["linked"] for edge in edges(server))


def tls(edge, timeout=5.0):
    return Stream(edge.address("tls"), timeout, edge.ca)


def code(message):
    return header(message, "lyceum-diagnostics")


def expect(message, wanted, diagnostics=None):
    if status(message) != wanted or diagnostics and code(message) != diagnostics:
        raise Failed(f"answered {status(message)} {code(message)}, not {wanted} {diagnostics}: {message[:300]!r}")


def signs_in(edge, user, name, password=None):
    """Registers by text over the Edge; the link and the answer."""
    account = edge.account(user)
    if password:
        account = Account(account.user, password, account.domain)
    link = tls(edge)
    contact = f"sip:{user}@{link.host}:{link.port};transport=tls"
    return link, register(link, account, name, contact)


def enrolment(judge, out, server, edge):
    with judge.case("edge: a token is good once, for an hour, for the pool that made it"):
        good = token(server)
        parts = good.split(".", 4)
        forged = ".".join([*parts[:3], "00" * 32, parts[4]])
        guessed = ".".join([*parts[:2], "00" * 16, *parts[3:]])
        for name, wrong in (("of another pool", forged), ("with a guessed secret", guessed)):
            done, said = edge.enrol(wrong, os.path.join(out, "wrong"))
            if done == 0 or os.path.exists(os.path.join(out, "wrong", "link.key")):
                raise Failed(f"a token {name} was taken: {said}")
        done, said = edge.enrol(good)
        if done != 0:
            raise Failed(said)
        done, said = edge.enrol(good, os.path.join(out, "again"))
        if done == 0 or "403" not in said:
            raise Failed(f"a used token was taken: {said}")
    with judge.case("edge: a newer token takes the place of the older one"):
        old, new = token(server, "edge2"), token(server, "edge2")
        if edge.enrol(old, os.path.join(out, "old"))[0] == 0 or edge.enrol(new, os.path.join(out, "new"))[0] != 0:
            raise Failed("the older one was taken, or the newer one was not")
        shell(server, "edge", "remove", "edge2", "--yes")
    with judge.case("edge: it opens its link and the pool knows"):
        edge.start(server)
        edge.linked()
        until(lambda: linked(server), 5, "the pool's list")


def policy(judge, server, edge):
    with judge.case("edge: with the policy off the right password is refused with LYS0071, the wrong one as ever"):
        link, done = signs_in(edge, TEXT, "off")
        expect(done, 403, "LYS0071")
        link.close()
        link, done = signs_in(edge, TEXT, "off-wrong", "wrong")
        expect(done, 403, "LYS0001")
        link.close()
        link, done = signs_in(edge, "plain", "off-nobody")
        expect(done, 403, "LYS0071")
        link.close()
    with judge.case("edge: a policy granted to some lets those in and nobody else"):
        shell(server, "policy", "set", "external_access", "tag:travellers", "allow_remote=true")
        for user in (TEXT, OUTSIDE):
            shell(server, "policy", "grant", "external_access", f"{user}@{server.domain}", "--policy", "travellers")
        link, done = signs_in(edge, TEXT, "on")
        expect(done, 200)
        path = header(done, "path") or ""
        if not re.search(r"<sip:[^@]+@[^>]*;lr;edge;ob>", path):
            raise Failed(f"Path {path!r}")
        link.close()
        link, done = signs_in(edge, "plain", "on-plain")
        expect(done, 403, "LYS0071")
        link.close()
    with judge.case("edge: a wrong password is refused, and the source that is counted is the phone's own"):
        link, done = signs_in(edge, TEXT, "wrong", "wrong")
        expect(done, 403, "LYS0001")
        link.close()


def calls(judge, out, server, edge):
    folder = os.path.join(out, "calls")
    os.makedirs(folder, exist_ok=True)
    with judge.case("edge: baresip outside signs in through the Edge"):
        outside = start(Baresip, folder, OUTSIDE, "alice", edge, "tls")
        outside.registered()
    with judge.case("edge: baresip inside signs in"):
        inside = start(Baresip, folder, INSIDE, "bob", server, "udp")
        inside.registered()
    for caller, callee in ((outside, inside), (inside, outside)):
        way = "from outside" if caller is outside else "to outside"
        with judge.case(f"edge: a call {way} through it, with sound, hung up by the callee"):
            set_up(caller, callee)
            time.sleep(4)
            callee.hangup()
            caller.ended()
            callee.ended()
            time.sleep(0.3)
            for phone, other in ((caller, callee), (callee, caller)):
                sound.check(phone.recording(), folder, other.voice, [phone.voice], "start")
    return outside, inside


FORGED = ("P-Asserted-Identity: <sip:boss@{domain}>\r\nP-Preferred-Identity: <sip:boss@{domain}>\r\n"
          "Remote-Party-ID: <sip:boss@{domain}>\r\nHistory-Info: <sip:boss@{domain}>;index=1\r\nDiversion: <sip:boss@{domain}>\r\n"
          "Lyceum-Outside: federated;domain=boss.test\r\nlyceum-outside: remote\r\nP-Asserted-Service: urn:x\r\n"
          "Path: <sip:evil.test;lr;ob>\r\n")


def forged(judge, server, edge):
    with judge.case("edge: headers of trust that a client writes reach nobody"):
        inside = Udp(server.address("udp"), timeout=5)
        expect(register(inside, server.account("plain"), "plain-reg", f"sip:plain@{inside.host}:{inside.port}"), 200)
        link, done = signs_in(edge, TEXT, "forging")
        expect(done, 200)
        target = f"sip:plain@{server.domain}"
        extra = FORGED.format(domain=server.domain)
        link.send(request(link, "OPTIONS", target, TEXT, server.domain, 1, "forged", extra, f"<{target}>"))
        asked = final(link)
        expect(asked, 407)
        done = None
        from harness.wire import authorization
        challenge = next(one for one in headers(asked, "proxy-authenticate") if "MD5" in one)
        extra += "Proxy-Authorization: " + authorization(challenge, "OPTIONS", target, TEXT, PEOPLE[TEXT]) + "\r\n"
        link.send(request(link, "OPTIONS", target, TEXT, server.domain, 2, "forged", extra, f"<{target}>"))
        heard = message_until(inside, lambda message: message.startswith(b"OPTIONS"))
        if re.search(rb"boss|evil|(?i:lyceum-outside)", heard):
            raise Failed(f"{heard!r}")
        via = headers(heard, "via")
        if f"received={link.host}" not in via[-1]:
            raise Failed(f"the phone's own address is not in its Via: {via}")
        inside.send(answer_to(heard, "200 OK", "t"))
        expect(final(link), 200)
        link.close()
        inside.close()
    with judge.case("edge: what an Edge says is believed on its link alone"):
        near = Stream(server.address("tls"), 5, server.ca)
        account = server.account("plain")
        outside = f"Lyceum-Outside: federated;domain=partner.test\r\n"
        target = f"sip:plain@{server.domain}"
        near.send(request(near, "MESSAGE", target, "x", "partner.test", 1, "pretend", outside, f"<{target}>"))
        expect(final(near), 403, "LYS0013")
        expect(register(near, account, "pretend-reg", f"sip:plain@{near.host}:{near.port};transport=tls"), 200)
        near.close()
    with judge.case("edge: nobody without a certificate of the pool uses the port for links"):
        stranger = Stream(server.link, 5)
        import ssl
        context = ssl._create_unverified_context()
        stranger.socket = context.wrap_socket(stranger.socket)
        stranger.token = "TLS"
        for method in ("REGISTER", "INVITE", "OPTIONS"):
            stranger.send(request(stranger, method, f"sip:{server.domain}", "plain", server.domain, 1, f"stranger{method}"))
            expect(final(stranger), 403, "LYS0076")
        stranger.close()
    with judge.case("edge: a Route with a mark that is not the Edge's is refused"):
        link = tls(edge)
        host, port = edge.address("tls")
        route = f"Route: <sip:AAAAAAAAAAAAAAAAAAAAAAAA@{host}:{port};lr;edge>\r\n"
        link.send(request(link, "MESSAGE", f"sip:plain@{server.domain}", TEXT, server.domain, 1, "mark", route))
        expect(final(link), 403, "LYE0007")
        link.close()


def rate(judge, server, edge):
    with judge.case("edge: one address sends so much and no more"):
        link = tls(edge)
        for number in range(700):
            link.send(request(link, "OPTIONS", f"sip:{server.domain}", "plain", server.domain, number + 1, f"flood{number}"))
        answers = [final(link) for _ in range(700)]
        refused = [one for one in answers if code(one) == "LYE0002"]
        if not refused or any(status(one) != 503 for one in refused):
            raise Failed(f"{len(refused)} of 700 refused")
        link.close()
        time.sleep(3)


def disabled(judge, server, edge):
    with judge.case("edge: who is disabled is cut off, and nobody else behind the same Edge"):
        shell(server, "policy", "grant", "external_access", f"plain@{server.domain}", "--policy", "travellers")
        gone, done = signs_in(edge, "plain", "before")
        expect(done, 200)
        stays, done = signs_in(edge, TEXT, "stays")
        expect(done, 200)
        shell(server, "user", "disable", f"plain@{server.domain}")
        try:
            raise Failed(f"{gone.receive()[:80]!r} came")
        except (ConnectionError, OSError):
            pass
        expect(ask(stays, "OPTIONS", f"sip:{server.domain}", edge.account(TEXT), "stays-options"), 200)
        stays.close()
        gone.close()


def down_and_back(judge, server, edge, outside, inside):
    with judge.case("edge: while the pool is away clients hear 503 with a time, and are not cut off"):
        server.kill()
        link = tls(edge)

        def refused():
            link.send(request(link, "OPTIONS", f"sip:{server.domain}", "plain", server.domain, int(time.time() * 10) % 10**8,
                              f"away{time.monotonic()}"))
            found = final(link)
            return code(found) == "LYE0001" and header(found, "retry-after")
        until(refused, 10, "503 with LYE0001")
        link.close()
    with judge.case("edge: when it is back the link is, and who was signed in is called down the connection of before"):
        server.start()
        edge.linked()
        until(lambda: linked(server), 10, "the pool's list")
        inside.close()
        again = start(Baresip, os.path.join(os.path.dirname(inside.home), "again"), INSIDE, "bob", server, "udp")
        again.registered()
        set_up(again, outside)
        time.sleep(1)
        outside.hangup()
        again.ended()
        outside.ended()
        return again


def forgets(judge, server, edge, phones):
    with judge.case("edge: while somebody is signed in and has called, its memory and folder hold no name, number or password"):
        time.sleep(1)
        found = edge.remembers(SECRETS)
        if found:
            raise Failed(f"{found[:6]}")
    with judge.case("edge: after the connections are closed there is none either"):
        for phone in phones:
            phone.close()
        time.sleep(1)
        found = edge.remembers(SECRETS)
        if found:
            raise Failed(f"{found[:6]}")
    with judge.case("edge: the search finds what is there: the domain in the Edge, names in the pool"):
        if not edge.remembers([server.domain]):
            raise Failed("not even the domain, which the Edge must know")
        if not remembered(server.pid, SECRETS):
            raise Failed("not even the pool remembers anybody")


def removed(judge, server, edge):
    with judge.case("edge: one that is taken away is refused at once and stays out"):
        shell(server, "edge", "remove", "edge1", "--yes")
        link = tls(edge)

        def refused():
            link.send(request(link, "OPTIONS", f"sip:{server.domain}", "plain", server.domain, 1, f"gone{time.monotonic()}"))
            return code(final(link)) == "LYE0001"
        until(refused, 10, "503 with LYE0001")
        time.sleep(2)
        if edges(server) or not refused():
            raise Failed("it is back")
        link.close()


def run(judge, out, binary, _depth):
    with judge.case("edge: the pool starts"):
        port = free_port()
        server = Lyceum(binary, out, PEOPLE, extra=["--link", f"127.0.0.1:{port}"]).start()
        server.link = ("127.0.0.1", port)
        shell(server, "user", "set", f"{INSIDE}@{server.domain}", "--number", "+4930987612345")
    certificates = certificate(os.path.join(out, "certificates"), "edge", server.ca, [server.domain, "edge.lyceum.test"], ["127.0.0.1"])
    edge = Edge(binary, os.path.join(out, "edge1"), certificates, server.domain, ca=server.ca)
    enrolment(judge, out, server, edge)
    policy(judge, server, edge)
    outside, inside = calls(judge, out, server, edge)
    forged(judge, server, edge)
    disabled(judge, server, edge)
    rate(judge, server, edge)
    inside = down_and_back(judge, server, edge, outside, inside)
    forgets(judge, server, edge, [outside, inside])
    removed(judge, server, edge)
    with judge.case("edge: Edge and pool end with 0"):
        codes = (edge.stop(), server.stop())
        if codes != (0, 0):
            raise Failed(f"exit codes {codes}")
