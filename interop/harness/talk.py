"""Two phones made of text in a call through the server, message by message."""

from .process import Failed
from .wire import Udp, answer, authorization, final, header, headers, line, register, status, until


class Call:
    """`caller` calls `callee`, who is registered; every message can be looked at and made by hand."""

    def __init__(self, server, caller, callee, name):
        self.server, self.name = server, name
        self.caller, self.callee = server.account(caller), server.account(callee)
        self.a, self.b = Udp(server.address("udp"), timeout=3), Udp(server.address("udp"), timeout=3)
        done = register(self.b, self.callee, f"{name}-reg", f"sip:{callee}@{self.b.host}:{self.b.port}")
        if status(done) != 200:
            raise Failed(f"cannot register {callee}: {status(done)}")
        self.uri = f"sip:{callee}@{server.domain}"
        self.contact = f"sip:{callee}@{self.b.host}:{self.b.port}"
        self.call_id, self.number, self.challenge, self.ok, self.invited = f"talk-{name}", 0, None, None, None

    def lines(self, method, to_tag="", extra=(), number=None, sender=None):
        """From, To and the rest of a request of the caller."""
        if number is None:
            self.number += 1
            number = self.number
        who = sender or f"sip:{self.caller.user}@{self.server.domain}"
        tag = f";tag={to_tag}" if to_tag else ""
        return [f"From: <{who}>;tag=t{self.name}", f"To: <{self.uri}>{tag}", f"Call-ID: {self.call_id}",
                f"CSeq: {number} {method}", f"Contact: <sip:{self.caller.user}@{self.a.host}:{self.a.port}>", *extra]

    def credentials(self, method, uri, count, header_name="Proxy-Authorization", challenge=None):
        value = authorization(challenge or self.challenge, method, uri, self.caller.user, self.caller.password, count)
        return f"{header_name}: {value}"

    def invite(self, extra=()):
        """The INVITE as the callee gets it."""
        self.a.send(line(self.a, "INVITE", self.uri, self.lines("INVITE", extra=extra)))
        asked = final(self.a)
        self.challenge = next(one for one in headers(asked, "proxy-authenticate") if "MD5" in one)
        signed = [*extra, self.credentials("INVITE", self.uri, 1)]
        self.a.send(line(self.a, "INVITE", self.uri, self.lines("INVITE", extra=signed)))
        self.invited = until(self.b, lambda message: message.startswith(b"INVITE"))
        return self.invited

    def accept(self):
        """The callee takes the call; the 200 as the caller gets it, confirmed."""
        self.b.send(answer(self.invited, "200 OK", "bob", [f"Contact: <{self.contact}>"]))
        self.ok = until(self.a, lambda message: status(message) == 200)
        self.send("ACK", number=self.number)
        until(self.b, lambda message: message.startswith(b"ACK"))
        return self.ok

    def routes(self, extra=""):
        values = list(reversed(headers(self.ok, "record-route")))
        return f"Route: {', '.join(values)}{extra}"

    def request(self, link, method, uri=None, extra=(), number=None, sender=None, onward="", body=b""):
        lines = self.lines(method, "bob", [self.routes(onward), *extra], number, sender)
        return line(link, method, uri or self.contact, lines, body)

    def send(self, method, extra=(), number=None, body=b""):
        """A request of the caller within the call."""
        self.a.send(self.request(self.a, method, None, extra, number, None, "", body))

    def heard(self, method):
        """The request as the callee gets it."""
        return until(self.b, lambda message: message.startswith(method.encode()))

    def end(self):
        self.send("BYE")
        self.b.send(answer(self.heard("BYE"), "200 OK"))
        until(self.a, lambda message: status(message) == 200 and "BYE" in (header(message, "cseq") or ""))

    def close(self):
        self.a.close()
        self.b.close()
