"""What two phones agree on between themselves passes the server as it was sent: RFC 3262, 3311, 3515, 3891."""

from harness.process import Failed
from harness.talk import Call
from harness.wire import answer, header, headers, line, status, until


def same(message, name, value):
    if header(message, name) != value:
        raise Failed(f"{name} is {header(message, name)!r}, not {value!r}")


def answered(call, got, status_line="200 OK"):
    """The callee's answer to `got` reaches the caller."""
    call.b.send(answer(got, status_line))
    return until(call.a, lambda message: status(message) >= 200 and header(message, "cseq") == header(got, "cseq"))


def provisional_answers_are_reliable(judge, out, server):
    with judge.case("100rel: a reliable 183, its PRACK and the answer to it pass"):
        call = Call(server, "s1", "s2", "prack")
        fork = call.invite(["Supported: 100rel", "Require: 100rel"])
        same(fork, "require", "100rel")
        call.b.send(answer(fork, "183 Session Progress", "bob",
                           ["Require: 100rel", "RSeq: 7", f"Contact: <{call.contact}>"]))
        call.ok = until(call.a, lambda message: status(message) == 183)
        same(call.ok, "rseq", "7")
        same(call.ok, "require", "100rel")
        number = call.number
        call.send("PRACK", [f"RAck: 7 {number} INVITE"])
        prack = call.heard("PRACK")
        same(prack, "rack", f"7 {number} INVITE")
        answered(call, prack)
        call.number = number
        call.accept()
        call.number += 1
        call.end()
        call.close()


def sessions_are_updated(judge, out, server):
    with judge.case("UPDATE passes both ways with its body and its 491"):
        call = Call(server, "s1", "s2", "update")
        call.invite(["Allow: INVITE, ACK, BYE, UPDATE"])
        call.accept()
        body = b"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
        call.send("UPDATE", ["Content-Type: application/sdp"], body=body)
        got = call.heard("UPDATE")
        if not got.endswith(body):
            raise Failed("the body did not pass")
        if status(answered(call, got, "491 Request Pending")) != 491:
            raise Failed("the 491 did not pass")
        back = [f"From: <{call.uri}>;tag=bob", f"To: <sip:s1@{server.domain}>;tag=t{call.name}", f"Call-ID: {call.call_id}",
                "CSeq: 1 UPDATE", f"Contact: <{call.contact}>", f"Route: {', '.join(headers(call.invited, 'record-route'))}"]
        call.b.send(line(call.b, "UPDATE", f"sip:s1@{call.a.host}:{call.a.port}", back))
        got = until(call.a, lambda message: message.startswith(b"UPDATE"))
        call.a.send(answer(got, "200 OK"))
        until(call.b, lambda message: status(message) == 200 and "UPDATE" in header(message, "cseq"))
        call.end()
        call.close()


def calls_are_replaced(judge, out, server):
    with judge.case("an INVITE with Replaces reaches the callee as it was sent"):
        call = Call(server, "s1", "s2", "replaces")
        value = "98732@phone;to-tag=r33th4x0r;from-tag=ff87ff"
        fork = call.invite([f"Replaces: {value}", "Require: replaces"])
        same(fork, "replaces", value)
        same(fork, "require", "replaces")
        call.accept()
        call.end()
        call.close()


def calls_are_transferred(judge, out, server):
    with judge.case("REFER in a call, its 202 and the NOTIFY about it pass"):
        call = Call(server, "s1", "s2", "refer")
        call.invite()
        call.accept()
        target = f"<sip:s3@{server.domain}?Replaces=abc%3Bto-tag%3D1%3Bfrom-tag%3D2>"
        call.send("REFER", [f"Refer-To: {target}", f"Referred-By: <sip:s1@{server.domain}>"])
        got = call.heard("REFER")
        same(got, "refer-to", target)
        if status(answered(call, got, "202 Accepted")) != 202:
            raise Failed("the 202 did not pass")
        body = b"SIP/2.0 200 OK\r\n"
        back = [f"From: <{call.uri}>;tag=bob", f"To: <sip:s1@{server.domain}>;tag=t{call.name}", f"Call-ID: {call.call_id}",
                "CSeq: 2 NOTIFY", f"Contact: <{call.contact}>", "Event: refer", "Subscription-State: terminated;reason=noresource",
                "Content-Type: message/sipfrag", f"Route: {', '.join(headers(call.invited, 'record-route'))}"]
        call.b.send(line(call.b, "NOTIFY", f"sip:s1@{call.a.host}:{call.a.port}", back, body))
        got = until(call.a, lambda message: message.startswith(b"NOTIFY"))
        if not got.endswith(body):
            raise Failed("the body did not pass")
        call.a.send(answer(got, "200 OK"))
        until(call.b, lambda message: status(message) == 200 and "NOTIFY" in header(message, "cseq"))
        call.end()
        call.close()


def run(judge, out, server):
    for scenario in (provisional_answers_are_reliable, sessions_are_updated, calls_are_replaced, calls_are_transferred):
        judge.scenario(scenario.__name__, scenario, out, server)
