"""The messages of RFC 4475 and RFC 5118 over UDP and TCP: the verdict each RFC names, and a server that goes on.

The verdicts stand in `crates/sip/tests/conformance/verdicts.csv`; here they are asked of the running server, from
outside: a broken request gets the stated status or silence, a good one anything but that status, and after each message
the server still answers.
"""

import contextlib
import csv
import os
import re

from harness.judge import Stop
from harness.process import Failed
from harness.wire import Stream, Udp, options, status

FOLDER = os.path.join(os.path.dirname(__file__), "../../crates/sip/tests/conformance")


def rows():
    with open(os.path.join(FOLDER, "verdicts.csv"), newline="") as file:
        for row in csv.DictReader((line for line in file if not line.startswith("#")), delimiter=";"):
            yield row


def source_port(message):
    """Where an answer over UDP goes: the port of the top Via, or its transport's own (RFC 3261 §18.2.2)."""
    found = re.search(rb"(?im)^(?:via|v)[ \t]*:[^\r\n]*?/[ \t]*(\w+)[ \t\r\n]+(?:\[[^\]]*\]|[^\s:;,]+)(?:[ \t]*:[ \t]*(\d+))?",
                      message)
    if found and found.group(2) and 1024 < int(found.group(2)) < 65536:
        return int(found.group(2))
    return 5061 if found and found.group(1).upper() == b"TLS" else 5060


def answers(link, message, closes, seconds=0.3):
    """The first final status that comes back within a moment, and whether the connection was closed."""
    link.socket.settimeout(seconds)
    try:
        link.send(message)
        while True:
            code = status(link.receive())
            if code >= 200:
                break
    except TimeoutError:
        return None, False
    except OSError:
        return None, True
    try:
        # A connection whose framing is lost is closed some 300 ms after the answer.
        link.socket.settimeout(1.5 if code == 400 and link.token == "TCP" else seconds)
        closed = link.socket.recv(1) == b""
    except TimeoutError:
        closed = False
    except OSError:
        closed = True
    return code, closed


def judged(row, transport, code, closed):
    """What is wrong with the answer, or nothing."""
    expected, way = int(row["status"]), row["stream"] if transport == "tcp" else "same"
    if way == "waits":
        return None if code is None else "answered before the body was whole"
    if way == "closes":
        return None if code == 400 and closed else "needs 400 and a closed connection"
    if row["verdict"] == "dropped":
        return None if code is None else "needs silence"
    if row["verdict"] == "valid":
        # Whatever the reason to refuse it (nobody of that name, no password), it is not its grammar.
        return None if code not in (400, 505, 501, 416) else "is valid, and was refused for its form"
    if row["verdict"] == "invalid":
        return None if code == expected else f"needs {expected}"
    # Well formed, and refused by an element of one role: before that, we may ask who it is, or know nobody there.
    return None if code == expected or code in (401, 403, 404, 407, 480) else f"needs {expected}"


def one_message(judge, server, row, transport):
    with open(os.path.join(FOLDER, row["file"]), "rb") as file:
        message = file.read()
    with judge.case(f"{row['section']} {os.path.basename(row['file'])} over {transport}"):
        if transport == "udp":
            link = Udp(server.address("udp"), port=source_port(message))
        else:
            link = Stream(server.address("tcp"))
        code, closed = answers(link, message, row["stream"] == "closes")
        link.close()
        wrong = judged(row, transport, code, closed)
        if wrong:
            raise Failed(f"{row['verdict']}: {wrong}, got {code}{' and a closed connection' if closed else ''}")
        after = Udp(server.address("udp"))
        options(after, server.domain, f"after-{transport}-{os.path.basename(row['file'])}")
        after.close()


def run(judge, out, server):
    for transport in ("udp", "tcp"):
        for row in rows():
            # A failing line is printed; the next message is judged all the same.
            with contextlib.suppress(Stop):
                one_message(judge, server, row, transport)
