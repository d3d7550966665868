"""SIPp: scenarios put together from a few pieces, so that a call is written down once.

`Sipp(...)` starts one process for one scenario; it has to end with exit code 0, which SIPp gives only when every call
went exactly as written.
"""

import os

from .process import FIRST, Child, Failed, free_port

SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 40000 RTP/AVP 0
a=sendrecv
"""
EMPTY = "Content-Length: 0\n\n"


def send(text, retrans=True):
    again = ' retrans="500"' if retrans else ""
    return f"  <send{again}><![CDATA[\n{text}]]></send>\n"


def receive(what, **attributes):
    action = attributes.pop("action", "")
    listed = "".join(f' {name}="{value}"' for name, value in attributes.items())
    kind = "response" if what.isdigit() else "request"
    return f'  <recv {kind}="{what}"{listed}>{action}</recv>\n'


def pause(milliseconds):
    return f'  <pause milliseconds="{milliseconds}"/>\n'


def out_of_dialog(method, number, extra, body=EMPTY, to="[field2]", uri=None):
    """A request to a user of the domain; `[field0]` is who asks, `[field1]` the credentials."""
    uri = uri or f"sip:{to}@[domain]"
    return (f"{method} {uri} SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport\n"
            f"Max-Forwards: 70\nFrom: <sip:[field0]@[domain]>;tag=c[pid]x[call_number]\nTo: <sip:{to}@[domain]>\n"
            f"Call-ID: [call_id]\nCSeq: {number} {method}\n"
            f"Contact: <sip:[field0]@[local_ip]:[local_port];transport=[transport]>\n{extra}{body}")


def in_dialog(method, number):
    return (f"{method} [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport\n[routes]\n"
            f"Max-Forwards: 70\nFrom: <sip:[field0]@[domain]>;tag=c[pid]x[call_number]\n"
            f"To: <sip:[field2]@[domain]>[peer_tag_param]\nCall-ID: [call_id]\nCSeq: {number} {method}\n{EMPTY}")


def same_hop(method, number, to_tag="[peer_tag_param]"):
    """CANCEL, and the ACK of a refusal: they go exactly where the INVITE went."""
    return (f"{method} sip:[field2]@[domain] SIP/2.0\n[last_Via:]\nMax-Forwards: 70\n"
            f"From: <sip:[field0]@[domain]>;tag=c[pid]x[call_number]\nTo: <sip:[field2]@[domain]>{to_tag}\n"
            f"Call-ID: [call_id]\nCSeq: {number} {method}\n{EMPTY}")


def answer(line, body=EMPTY, cseq="[last_CSeq:]"):
    return (f"SIP/2.0 {line}\n[last_Via:]\n[last_Record-Route:]\n[last_From:]\n[last_To:];tag=s[pid]x[call_number]\n"
            f"[last_Call-ID:]\n{cseq}\nContact: <sip:callee@[local_ip]:[local_port];transport=[transport]>\n{body}")


REGISTER = (send(out_of_dialog("REGISTER", 1, "Expires: 600\n", to="[field0]", uri="sip:[domain]"))
            + receive("401", auth="true")
            + send(out_of_dialog("REGISTER", 2, "Expires: 600\n[field1]\n", to="[field0]", uri="sip:[domain]"))
            + receive("200"))

INVITE = (send(out_of_dialog("INVITE", 1, "", SDP)) + receive("100", optional="true") + receive("407", auth="true")
          + send(same_hop("ACK", 1), False) + send(out_of_dialog("INVITE", 2, "[field1]\n", SDP))
          + receive("100", optional="true"))

RINGING = receive("180", optional="true") * 3

HAS_RECORD_ROUTE = ('<action><ereg regexp="Record-Route:.*;lr" search_in="msg" check_it="true" assign_to="rr"/>'
                    '<log message="[$rr]"/></action>')


def talk(milliseconds):
    """Answered, talks, hangs up."""
    return (INVITE + RINGING + receive("200", rrs="true", action=HAS_RECORD_ROUTE) + send(in_dialog("ACK", 2), False)
            + pause(milliseconds) + send(in_dialog("BYE", 3)) + receive("200"))


def refused(code):
    return INVITE + RINGING + receive(str(code)) + send(same_hop("ACK", 2), False)


def cancels(milliseconds):
    """Lets it ring, then gives up."""
    return (INVITE + receive("180") + pause(milliseconds) + send(same_hop("CANCEL", 2, ""))
            + receive("200") + receive("487") + send(same_hop("ACK", 2), False))


def answers(milliseconds):
    return (receive("INVITE", rrs="true") + send(answer("180 Ringing"), False) + pause(milliseconds)
            + send(answer("200 OK", SDP)) + receive("ACK") + receive("BYE")
            + send("SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n" + EMPTY, False))


RINGS = (receive("INVITE") + send(answer("180 Ringing"), False) + receive("CANCEL") + send(answer("200 OK"), False)
         + send(answer("487 Request Terminated", cseq="CSeq: [cseq] INVITE")) + receive("ACK"))


def declines(line):
    return receive("INVITE") + send(answer(line)) + receive("ACK")


class Sipp:
    """One SIPp process with one scenario."""

    def __init__(self, folder, server, name, scenario, rows=(), transport="udp", port=None, calls=1, rate=10, seconds=30):
        self.name, self.port, self.seconds = name, port or free_port(), seconds
        home = os.path.join(folder, f"{name}-{self.port}")
        os.makedirs(home, exist_ok=True)
        path = os.path.join(home, "scenario.xml")
        with open(path, "w") as file:
            file.write(f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="{name}">\n{scenario}</scenario>\n')
        host, port = server.address(transport)
        argv = FIRST + ["sipp", f"{host}:{port}", "-sf", path, "-i", "127.0.0.1", "-p", self.port, "-nostdin", "-m", calls,
                "-r", rate, "-l", max(calls, 10), "-key", "domain", server.domain, "-timeout", f"{seconds}s", "-timeout_error",
                "-trace_err", "-error_file", os.path.join(home, "errors"), "-trace_msg", "-message_file",
                os.path.join(home, "messages"), "-t", {"udp": "u1", "tcp": "t1"}[transport]]
        if rows:
            users = os.path.join(home, "users.csv")
            with open(users, "w") as file:
                file.write("SEQUENTIAL\n")
                for user, password, other in rows:
                    file.write(f"{user};[authentication username={user} password={password}];{other}\n")
            argv += ["-inf", users]
        self.home = home
        self.child = Child(argv, os.path.join(home, "log"), cwd=home, env={"TERM": "dumb"})

    def done(self):
        """Waits for the end; every call must have gone as written."""
        code = self.child.wait(self.seconds + 5)
        if code != 0:
            why = ""
            if os.path.exists(os.path.join(self.home, "errors")):
                with open(os.path.join(self.home, "errors"), errors="replace") as file:
                    lines = [line.strip() for line in file if line.strip()]
                why = " ".join(lines[:4])[:400]
            raise Failed(f"sipp {self.name}: exit code {code}: {why or 'see ' + self.home}")
        return self
