"""A phone in a browser: SIP over secure WebSocket on the HTTPS port, reached down its own connection."""

import re

from harness.process import Failed
from harness.sipp import Sipp, refused
from harness.websocket import WebSocket
from harness.wire import header, headers, register, status


def via_line(message):
    return headers(message, "via") or headers(message, "v")


def answer(message, line, tag="ws1"):
    """A response to a request that came in."""
    copied = [f"Via: {value}" for value in via_line(message)]
    copied += [f"Record-Route: {value}" for value in headers(message, "record-route")]
    to = header(message, "to")
    to = to if ";tag=" in to else f"{to};tag={tag}"
    return ("\r\n".join([f"SIP/2.0 {line}", *copied, f"From: {header(message, 'from')}", f"To: {to}",
                         f"Call-ID: {header(message, 'call-id')}", f"CSeq: {header(message, 'cseq')}",
                         "Content-Length: 0"]) + "\r\n\r\n").encode()


def registers_and_is_called(judge, out, server):
    account = server.account("away")
    for path in ("/ws", "/"):
        with judge.case(f"a browser's phone registers at {path}"):
            link = WebSocket(server.address("https"), server.ca, path)
            done = register(link, account, f"browser{len(path)}", f"sip:away@{link.host};transport=ws")
            if status(done) != 200:
                raise Failed(f"answered {status(done)}")
            if path == "/ws":
                link.close()
    with judge.case("a call from UDP reaches it down its own connection, and its refusal goes back"):
        caller = Sipp(out, server, "calls-browser", refused(486), [("caller", server.users["caller"], "away")])
        invite = link.receive()
        if not invite.startswith(b"INVITE "):
            raise Failed(f"expected an INVITE, got {invite[:40]!r}")
        if not re.match(r"SIP/2\.0/WSS?\b", via_line(invite)[0]):
            raise Failed(f"the top Via is {via_line(invite)[0]}")
        link.send(answer(invite, "486 Busy Here"))
        ack = link.receive()
        if not ack.startswith(b"ACK "):
            raise Failed(f"expected the ACK, got {ack[:40]!r}")
        caller.done()
    link.close()
    with judge.case("a page of another site opens no socket; our own does"):
        host = "{}:{}".format(*server.address("https"))
        for origin in ("https://evil.example", f"https://{host}.evil.example", "null"):
            try:
                WebSocket(server.address("https"), server.ca, origin=origin)
            except Failed as failed:
                if " 403" not in str(failed):
                    raise
                continue
            raise Failed(f"a page of {origin} opened a socket")
        WebSocket(server.address("https"), server.ca, origin=f"https://{host}").close()
    with judge.case("another subprotocol is not taken"):
        try:
            WebSocket(server.address("https"), server.ca, "/ws", protocol="chat").close()
        except Failed:
            return
        raise Failed("it was")


def run(judge, out, server):
    judge.scenario("registers_and_is_called", registers_and_is_called, out, server)
