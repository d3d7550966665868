"""Two organisations, each with a pool and an Access Edge in a network of its own, and Kamailio as a third: presence, messages
and calls across, and what a partner must not do."""

import json
import os
import re
import socket
import time

from cases.edge import code, expect, linked
from cases.phones import set_up
from cases.policy import shell
from harness import sound
from harness.baresip import Baresip
from harness.dns import Dns
from harness.edge import Edge, authority, certificate
from harness.network import Network
from harness.process import Child, Failed, free_port, until
from harness.server import Lyceum
from harness.wire import (Stream, Udp, answer as answer_to, ask, authorization, final, header, headers, line, register, request,
                          status, until as message_until)

ADDRESS = {"a": "10.99.1.2", "b": "10.99.2.2", "k": "10.99.3.2"}
DOMAIN = {"a": "a.test", "b": "b.test", "k": "kam.test"}
PEOPLE = {"anna": "pw-anna", "ada": "pw-ada", "albert": "pw-albert"}
OTHERS = {"bo": "pw-bo", "bea": "pw-bea"}
DNS_PORT = 5353
EVERYBODY = ("allow_remote=true", "allow_federation=true", "allow_public=true")
OUTSIDE_PORT = 5070


def network():
    return Network("a", "b", "k", "r")


def wire(net):
    for number, host in enumerate("abk", 1):
        net.cable(host, f"10.99.{number}.2/24", "r", f"10.99.{number}.1/24")
        net.route(host, "default", f"10.99.{number}.1")
    net.forwards("r")


def names(missing=()):
    srv = {f"_sipfederationtls._tcp.{DOMAIN[host]}": (5061, f"sip.{DOMAIN[host]}") for host in "abk" if host not in missing}
    return srv, {f"sip.{DOMAIN[host]}": ADDRESS[host] for host in "abk"}


class Organisation:
    """Pool and Edge in one network; what is made `inside()` is there."""

    def __init__(self, net, host, binary, out, people, ca):
        self.net, self.host, self.domain, self.folder = net, host, DOMAIN[host], os.path.join(out, host)
        os.makedirs(self.folder)
        with self.inside():
            self.dns = Dns(*names(), port=DNS_PORT)
            link = free_port()
            self.server = Lyceum(binary, self.folder, people, extra=["--link", f"127.0.0.1:{link}"])
            self.server.domain = self.domain
            self.server.start()
            papers = certificate(os.path.join(out, "papers"), host, ca, [self.domain, f"sip.{self.domain}"], [ADDRESS[host]])
            self.edge = Edge(binary, os.path.join(self.folder, "edge"), papers, self.domain, ADDRESS[host], federation=5061,
                             authorities=ca, dns=[f"127.0.0.1:{DNS_PORT}"], ca=ca)
            told = json.loads(shell(self.server, "edge", "token", "edge1", "--output", "json"))
            done, said = self.edge.enrol(told["token"])
            if done != 0:
                raise Failed(said)
            self.edge.start(self.server)
        self.edge.linked()
        until(lambda: linked(self.server), 5, "the pool's list")

    def inside(self):
        return self.net.inside(self.host)

    def publish(self, change):
        """Changes the topology; the Edge hears of it."""
        document = json.loads(shell(self.server, "topology", "get", "--output", "json"))["document"]
        change(document)
        file = os.path.join(self.folder, "topology.json")
        with open(file, "w") as out:
            json.dump(document, out)
        self.edge.child.cursor = len(self.edge.child.text)
        shell(self.server, "topology", "publish", file, "--yes")
        self.edge.child.expect("topology of the pool taken", 15)

    def federate(self, **settings):
        def change(document):
            document["federation"] = {"enabled": True, **settings}
        self.publish(change)

    def phone(self, user):
        with self.inside():
            phone = Udp(self.server.address("udp"), timeout=8)
            done = register(phone, self.server.account(user), f"reg-{user}", f"sip:{user}@{phone.host}:{phone.port}")
        expect(done, 200)
        return phone

    def stop(self):
        codes = (self.edge.stop(), self.server.stop())
        self.dns.close()
        return codes


def say(link, account, target, name, text, method="MESSAGE", extra=()):
    """A request with a body as a user of ours; its final answer."""
    lines = lambda number, more: [f"From: <sip:{account.user}@{account.domain}>;tag=f{name}", f"To: <{target}>",
                                  f"Call-ID: {name}", f"CSeq: {number} {method}", "Content-Type: text/plain", *extra, *more]
    link.send(line(link, method, target, lines(1, []), text))
    asked = final(link)
    if status(asked) != 407:
        return asked
    challenge = next(one for one in headers(asked, "proxy-authenticate") if "MD5" in one)
    signed = "Proxy-Authorization: " + authorization(challenge, method, target, account.user, account.password)
    link.send(line(link, method, target, lines(2, [signed]), text))
    return final(link)


def messages(judge, one, other):
    pairs = ((one, "anna", other, "bo"), (other, "bo", one, "anna"))
    phones = {(one.host, "anna"): one.phone("anna"), (other.host, "bo"): other.phone("bo")}
    for here, who, there, whom in pairs:
        with judge.case(f"federation: a message from {who}@{here.domain} to {whom}@{there.domain} and its answer"):
            link, heard = phones[here.host, who], phones[there.host, whom]
            text = f"from {who} to {whom}".encode()
            name = f"mess-{who}-{time.time()}"
            account, target = here.server.account(who), f"sip:{whom}@{there.domain}"
            lines = lambda number, more: [f"From: <sip:{who}@{here.domain}>;tag=f{name}", f"To: <{target}>", f"Call-ID: {name}",
                                          f"CSeq: {number} MESSAGE", "Content-Type: text/plain",
                                          "P-Asserted-Identity: <sip:boss@a.test>", *more]
            link.send(line(link, "MESSAGE", target, lines(1, []), text))
            challenge = next(one for one in headers(final(link), "proxy-authenticate") if "MD5" in one)
            signed = "Proxy-Authorization: " + authorization(challenge, "MESSAGE", target, who, account.password)
            link.send(line(link, "MESSAGE", target, lines(2, [signed]), text))
            got = message_until(heard, lambda message: message.startswith(b"MESSAGE"))
            if text not in got or b"boss" in got or b"Proxy-Authorization" in got:
                raise Failed(f"{got!r}")
            heard.send(answer_to(got, "200 OK", "t"))
            expect(final(link), 200)
    for phone in phones.values():
        phone.close()


def presence(judge, out, one, other):
    folder = os.path.join(out, "presence")
    os.makedirs(folder, exist_ok=True)
    with judge.case("federation: baresip publishes, baresip of the other organisation watches, both ways"):
        phones = []
        for here, who, there, whom in ((one, "ada", other, "bea"), (other, "bea", one, "ada")):
            with here.inside():
                phones.append(Baresip(folder, here.server.account(who), here.server, "udp", sound.speech(out, "alice")[0],
                                      watches=[f"{whom}@{there.domain}"], publishes=True))
        for phone in phones:
            phone.registered()
        for phone, whom in ((phones[0], "bea@b.test"), (phones[1], "ada@a.test")):
            phone.presence("online")
        for phone, whom in ((phones[0], "bea@b.test"), (phones[1], "ada@a.test")):
            phone.sees(whom, "Online", 20)
    with judge.case("federation: in presence a partner's people are external"):
        told = shell(one.server, "presence", "watchers", f"ada@{one.domain}", "--output", "json")
        if "bea@b.test" not in told or "external" not in told:
            raise Failed(told)
    for phone in phones:
        phone.close()


def phone_of(out, folder, here, user, voice):
    with here.inside():
        phone = Baresip(folder, here.server.account(user), here.server, "udp", sound.speech(out, voice)[0], media=ADDRESS[here.host])
    phone.voice = voice
    phone.registered()
    return phone


def talks(judge, name, folder, caller, callee, whom, ender):
    with judge.case(name):
        caller.dial(whom)
        callee.incoming()
        caller.ringing()
        callee.answer()
        caller.established()
        callee.established()
        time.sleep(4)
        ender.hangup()
        for phone in (caller, callee):
            phone.ended()
        time.sleep(0.3)
        for phone, other in ((caller, callee), (callee, caller)):
            sound.check(phone.recording(), folder, other.voice, [phone.voice], "start")


def calls(judge, out, one, other):
    folder = os.path.join(out, "calls")
    os.makedirs(folder, exist_ok=True)
    with judge.case("federation: baresip signs in on both sides"):
        anna, bo = phone_of(out, folder, one, "anna", "alice"), phone_of(out, folder, other, "bo", "bob")
    talks(judge, "federation: a call from a.test to b.test with sound, hung up by the callee", folder, anna, bo, "bo@b.test", bo)
    talks(judge, "federation: a call from b.test to a.test with sound, hung up by the caller", folder, bo, anna, "anna@a.test", bo)
    anna.close()
    bo.close()


def partner(net, out, ca, domains, label, timeout=5):
    """A connection of a foreign server to the Edge of a.test."""
    papers = certificate(os.path.join(out, "papers"), label, ca, domains)
    with net.inside("k"):
        return Stream((ADDRESS["a"], 5061), timeout, ca, papers, "a.test")


def foreign(link, method, uri, sender, name, extra="", number=1):
    user, domain = sender.split("@")
    link.send(request(link, method, uri, user, domain, number, name, extra, f"<{uri}>"))
    return final(link)


def attacks(judge, net, out, ca, one):
    anna = one.phone("anna")
    ours = "sip:anna@a.test"
    with judge.case("federation: who shows no certificate is told so"):
        with net.inside("k"):
            bare = Stream((ADDRESS["a"], 5061), 5, ca, None, "a.test")
        expect(foreign(bare, "MESSAGE", ours, "x@kam.test", "bare"), 403, "LYE0003")
        bare.close()
    with judge.case("federation: a From domain that is not in the certificate is refused, ours even if it is"):
        link = partner(net, out, ca, ["kam.test", "a.test"], "forger")
        expect(foreign(link, "MESSAGE", ours, "bo@b.test", "forged"), 403, "LYE0004")
        expect(foreign(link, "INVITE", ours, "boss@a.test", "ours"), 403, "LYE0004")
        link.close()
    with judge.case("federation: a certificate of an authority that nobody named is none"):
        other = authority(os.path.join(out, "stranger-ca"), "Strangers")
        papers = certificate(os.path.join(out, "stranger-ca"), "kam", other, ["kam.test"])
        with net.inside("k"):
            link = Stream((ADDRESS["a"], 5061), 5, ca, papers, "a.test")
        expect(foreign(link, "MESSAGE", ours, "x@kam.test", "stranger"), 403, "LYE0003")
        link.close()
    with judge.case("federation: trunks, static routes, numbers, other domains and unknown users are out of reach, all alike"):
        with one.inside():
            victim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            victim.bind(("127.0.0.1", 0))
            victim.settimeout(0.7)

        def change(document):
            hop = {"host": "127.0.0.1", "port": victim.getsockname()[1], "transport": "udp"}
            document["static_routes"] = [
                {"name": "trunk", "match": {"tel_prefix": {"prefix": "+49"}}, "next_hops": [hop]},
                {"name": "bots", "match": {"uri_prefix": {"prefix": "sip:bot-"}}, "next_hops": [hop]}]
            document["federation"]["blocked"] = [{"name": "evil.test"}]
        one.publish(change)
        link = partner(net, out, ca, ["kam.test"], "caller")
        for number, uri in enumerate(("sip:+4930123456@a.test", "sip:+4930123456@a.test;user=phone", "sip:bot-x@a.test",
                                      "sip:nobody@a.test", "sip:albert@a.test")):
            for method in ("INVITE", "MESSAGE", "SUBSCRIBE", "OPTIONS"):
                extra = "Event: presence\r\nContact: <sip:x@10.99.3.2>\r\n" if method == "SUBSCRIBE" else "Contact: <sip:x@10.99.3.2>\r\n"
                found = foreign(link, method, uri, "x@kam.test", f"reach-{number}-{method}", extra)
                if (status(found), code(found)) != (403, "LYS0072"):
                    raise Failed(f"{method} {uri}: {status(found)} {code(found)}")
        for uri in ("sip:x@b.test", "sip:x@127.0.0.1", "tel:+4930123456"):
            found = foreign(link, "INVITE", uri, "x@kam.test", f"relay-{len(uri)}")
            if status(found) not in (400, 404):
                raise Failed(f"{uri}: {status(found)}")
        onward = f"Route: <sip:127.0.0.1:{victim.getsockname()[1]};lr>\r\n"
        if status(foreign(link, "INVITE", ours, "x@kam.test", "onward", onward)) < 400:
            raise Failed("a Route of its own choosing was followed")
        try:
            raise Failed(f"the trunk got {victim.recv(2000)[:80]!r}")
        except TimeoutError:
            pass
        expect(foreign(link, "REGISTER", "sip:a.test", "x@kam.test", "register"), 405, "LYE0014")
        link.close()
        victim.close()
    with judge.case("federation: a blocked domain is refused both ways"):
        link = partner(net, out, ca, ["evil.test", "sub.evil.test"], "evil")
        expect(foreign(link, "MESSAGE", ours, "x@evil.test", "evil"), 403, "LYE0005")
        expect(foreign(link, "MESSAGE", ours, "x@sub.evil.test", "evil-sub"), 403, "LYE0005")
        link.close()
        expect(say(anna, one.server.account("anna"), "sip:x@evil.test", "to-evil", b"x"), 403, "LYS0074")
    with judge.case("federation: who is not allowed by policy neither reaches nor is reached"):
        albert = one.phone("albert")
        expect(say(albert, one.server.account("albert"), "sip:bo@b.test", "albert", b"x"), 403, "LYS0073")
        albert.close()
    with judge.case("federation: a domain that is not in DNS is told so"):
        found = say(anna, one.server.account("anna"), "sip:x@nowhere.test", "nowhere", b"x")
        expect(found, 504, "LYE0011")
    anna.close()


def discovered(judge, net, out, ca, one):
    with judge.case("federation: a discovered partner sends 20 messages a second and no more"):
        anna = one.phone("anna")
        link = partner(net, out, ca, ["new.test"], "new", 10)
        began = time.monotonic()
        for number in range(100):
            link.send(request(link, "OPTIONS", "sip:nobody@a.test", "x", "new.test", number + 1, f"rate{number}", "", "<sip:nobody@a.test>"))
        answers = [final(link) for _ in range(100)]
        took = time.monotonic() - began
        passed = sum(code(one) == "LYS0072" for one in answers)
        refused = sum(code(one) == "LYE0006" for one in answers)
        if passed + refused != 100 or not 20 <= passed <= 20 + 20 * took + 1:
            raise Failed(f"{passed} passed and {refused} were refused in {took:.1f} s")
        link.close()
        anna.close()


KAMAILIO = """
debug=2
log_stderror=yes
fork=yes
children=2
tcp_children=2
enable_tls=yes
auto_aliases=no
use_dns_cache=no
listen=udp:{here}:5060
listen=tls:{here}:5061
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "tls.so"
modparam("tls", "config", "{folder}/tls.cfg")
modparam("rr", "enable_double_rr", 1)
modparam("rr", "append_fromtag", 1)
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ route(OUT); exit; }}
    if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
    sl_send_reply("404", "Not here"); exit;
  }}
  t_check_trans();
  remove_hf("Route");
  if (is_method("INVITE|SUBSCRIBE")) record_route();
  if ($rd == "kam.test") {{ $du = "sip:{here}:{phone}"; route(OUT); exit; }}
  $du = "sip:{there}:5061;transport=tls";
  route(OUT);
}}
route[OUT] {{ if (!t_relay()) sl_reply_error(); }}
"""
TLS = """
[server:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = {key}
certificate = {certificate}
ca_list = {ca}
[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = {key}
certificate = {certificate}
ca_list = {ca}
"""


def kamailio(net, out, ca):
    folder = os.path.join(out, "kamailio")
    os.makedirs(folder)
    papers = certificate(os.path.join(out, "papers"), "kamailio", ca, ["kam.test", "sip.kam.test"], [ADDRESS["k"]])
    with open(os.path.join(folder, "tls.cfg"), "w") as file:
        file.write(TLS.format(key=papers[1], certificate=papers[0], ca=ca))
    with open(os.path.join(folder, "kamailio.cfg"), "w") as file:
        file.write(KAMAILIO.format(here=ADDRESS["k"], there=ADDRESS["a"], phone=OUTSIDE_PORT, folder=folder))
    with net.inside("k"):
        child = Child(["kamailio", "-DD", "-E", "-f", os.path.join(folder, "kamailio.cfg"), "-Y", folder, "-P",
                       os.path.join(folder, "pid"), "-m", "64"], os.path.join(folder, "log"), cwd=folder)

    def answers():
        if not child.alive():
            raise Failed(f"kamailio ended: {child.text[-400:]}")
        with net.inside("k"):
            try:
                socket.create_connection((ADDRESS["k"], 5061), 1).close()
                return True
            except OSError:
                return False
    until(answers, 30, "kamailio's port")
    return child


def invite(link, target, sender, name, contact, extra=(), number=1):
    lines = [f"From: <sip:{sender}>;tag=f{name}", f"To: <{target}>", f"Call-ID: {name}", f"CSeq: {number} INVITE",
             f"Contact: <{contact}>", *extra]
    link.send(line(link, "INVITE", target, lines))


def whole_call(caller, callee, target, sender, name, contacts, invited, ok):
    """From the 200 to the BYE, which the callee sends; both ends are text."""
    routes = list(reversed(headers(ok, "record-route")))
    to = header(ok, "to")
    ack = [f"Route: {', '.join(routes)}", f"From: <sip:{sender}>;tag=f{name}", f"To: {to}", f"Call-ID: {name}",
           f"CSeq: {header(ok, 'cseq').split()[0]} ACK"]
    contact = re.search(r"<([^>]+)>", header(ok, "contact")).group(1)
    caller.send(line(caller, "ACK", contact, ack))
    message_until(callee, lambda message: message.startswith(b"ACK"))
    back = headers(invited, "record-route")
    uri = re.search(r"<([^>]+)>", header(invited, "contact")).group(1)
    bye = [f"Route: {', '.join(back)}", f"From: {to}", f"To: {header(invited, 'from')}", f"Call-ID: {header(invited, 'call-id')}", "CSeq: 77 BYE"]
    callee.send(line(callee, "BYE", uri, bye))
    heard = message_until(caller, lambda message: message.startswith(b"BYE"))
    caller.send(answer_to(heard, "200 OK"))
    done = message_until(callee, lambda message: status(message) >= 200 and "BYE" in (header(message, "cseq") or ""))
    expect(done, 200)


def with_kamailio(judge, net, out, ca, one):
    with judge.case("federation: Kamailio is a partner by mutual TLS"):
        proxy = kamailio(net, out, ca)
        anna = one.phone("anna")
        with net.inside("k"):
            kim = Udp((ADDRESS["k"], 5060), timeout=8, port=OUTSIDE_PORT, host=ADDRESS["k"])
    with judge.case("federation: a message from Kamailio's user and one back"):
        kim.send(line(kim, "MESSAGE", "sip:anna@a.test", ["From: <sip:kim@kam.test>;tag=k1", "To: <sip:anna@a.test>", "Call-ID: kam-m1",
                                                         "CSeq: 1 MESSAGE", "Content-Type: text/plain"], b"hello from kim"))
        got = message_until(anna, lambda message: message.startswith(b"MESSAGE"))
        if b"hello from kim" not in got:
            raise Failed(f"{got!r}")
        anna.send(answer_to(got, "200 OK", "t"))
        expect(final(kim), 200)
        account, target = one.server.account("anna"), "sip:kim@kam.test"
        lines = lambda number, more: ["From: <sip:anna@a.test>;tag=am", f"To: <{target}>", "Call-ID: kam-m2", f"CSeq: {number} MESSAGE",
                                      "Content-Type: text/plain", *more]
        anna.send(line(anna, "MESSAGE", target, lines(1, []), b"hello from anna"))
        challenge = next(one for one in headers(final(anna), "proxy-authenticate") if "MD5" in one)
        signed = "Proxy-Authorization: " + authorization(challenge, "MESSAGE", target, "anna", account.password)
        anna.send(line(anna, "MESSAGE", target, lines(2, [signed]), b"hello from anna"))
        got = message_until(kim, lambda message: message.startswith(b"MESSAGE"))
        if b"hello from anna" not in got:
            raise Failed(f"{got!r}")
        kim.send(answer_to(got, "200 OK", "t"))
        expect(final(anna), 200)
    contacts = f"sip:anna@{anna.host}:{anna.port}", f"sip:kim@{kim.host}:{kim.port}"
    with judge.case("federation: a call from Kamailio's user, ended by ours"):
        invite(kim, "sip:anna@a.test", "kim@kam.test", "kam-c1", contacts[1])
        invited = message_until(anna, lambda message: message.startswith(b"INVITE"))
        anna.send(answer_to(invited, "200 OK", "ann", [f"Contact: <{contacts[0]}>"]))
        ok = message_until(kim, lambda message: status(message) == 200 and "INVITE" in header(message, "cseq"))
        whole_call(kim, anna, "sip:anna@a.test", "kim@kam.test", "kam-c1", contacts, invited, ok)
    with judge.case("federation: a call to Kamailio's user, ended by theirs"):
        invite(anna, target, "anna@a.test", "kam-c2", contacts[0])
        asked = final(anna)
        challenge = next(one for one in headers(asked, "proxy-authenticate") if "MD5" in one)
        signed = "Proxy-Authorization: " + authorization(challenge, "INVITE", target, "anna", account.password)
        invite(anna, target, "anna@a.test", "kam-c2", contacts[0], [signed], 2)
        invited = message_until(kim, lambda message: message.startswith(b"INVITE"))
        kim.send(answer_to(invited, "200 OK", "kim", [f"Contact: <{contacts[1]}>"]))
        ok = message_until(anna, lambda message: status(message) == 200 and "INVITE" in header(message, "cseq"))
        whole_call(anna, kim, target, "anna@a.test", "kam-c2", contacts, invited, ok)
    anna.close()
    kim.close()
    proxy.end(5)


def run(judge, out, binary, _depth):
    with network() as net:
        with judge.case("federation: two pools and two Edges start in networks of their own"):
            wire(net)
            ca = authority(os.path.join(out, "partners"), "Partners")
            one = Organisation(net, "a", binary, out, PEOPLE, ca)
            other = Organisation(net, "b", binary, out, OTHERS, ca)
        with judge.case("federation: while it is off nothing leaves and nothing comes"):
            anna = one.phone("anna")
            expect(say(anna, one.server.account("anna"), "sip:bo@b.test", "off", b"x"), 403, "LYS0013")
            link = partner(net, out, ca, ["kam.test"], "early")
            expect(foreign(link, "MESSAGE", "sip:anna@a.test", "x@kam.test", "early"), 403, "LYE0005")
            link.close()
            anna.close()
        with judge.case("federation: it is turned on, for users whose policy says so"):
            one.federate(allowed=[{"name": "b.test"}, {"name": "kam.test"}], discovery=True)
            other.federate(allowed=[{"name": "a.test"}])
            shell(one.server, "policy", "set", "external_access", "tag:open", *EVERYBODY)
            for user in ("anna", "ada"):
                shell(one.server, "policy", "grant", "external_access", f"{user}@a.test", "--policy", "open")
            shell(other.server, "policy", "set", "external_access", "global", *EVERYBODY)
        messages(judge, one, other)
        judge.scenario("federation: presence", presence, out, one, other)
        judge.scenario("federation: calls", calls, out, one, other)
        judge.scenario("federation: attacks", attacks, net, out, ca, one)
        judge.scenario("federation: discovered", discovered, net, out, ca, one)
        judge.scenario("federation: with Kamailio", with_kamailio, net, out, ca, one)
        with judge.case("federation: all four end with 0"):
            codes = (*one.stop(), *other.stop())
            if codes != (0, 0, 0, 0):
                raise Failed(f"exit codes {codes}")
