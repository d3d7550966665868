"""Files from one person to another while ClamAV looks at each: what is clean arrives, what is not never does, and
what happens while the scanner is away is what policy says."""

import os

from cases.policy import shell
from harness.clamd import EICAR, Clamd
from harness.page import Page
from harness.process import Failed
from harness.server import Lyceum

PEOPLE = {"file-anna": "pw-file-anna", "file-ben": "pw-file-ben"}


def refused(answer, status, code):
    found, body = answer
    if found != status or body.get("code") != code:
        raise Failed(f"expected {status} {code}, got {found} {body}")
    return body


def offered(answer):
    found, body = answer
    if found != 201 or body.get("state") != "offered":
        raise Failed(f"expected an offer, got {found} {body}")
    return body


def scanned(judge, anna, ben):
    with judge.case("files: what ClamAV finds clean is fetched whole"):
        content = os.urandom(300_000)
        item = offered(anna.send_file(ben.address, "clean.bin", content))
        status, got = ben.ask("GET", f"/files/{item['id']}")
        if status != 200 or got != content:
            raise Failed(f"{status}, {len(got)} bytes")
    with judge.case("files: EICAR's test file is stopped by name, and nobody can fetch it"):
        body = refused(anna.send_file(ben.address, "eicar.txt", EICAR.encode()), 422, "file-infected")
        if "Eicar-Test-Signature" not in body["what"]:
            raise Failed(body["what"])
        item = ben.files()["eicar.txt"]
        if item["state"] != "infected":
            raise Failed(f"its state is {item['state']}")
        refused(ben.ask("GET", f"/files/{item['id']}"), 404, "file-not-found")
    with judge.case("files: what is larger than ClamAV takes is refused, not waved through"):
        refused(anna.send_file(ben.address, "large.bin", os.urandom(3 << 20)), 503, "file-not-scanned")


def away(judge, server, clamd, anna, ben):
    with judge.case("files: while ClamAV is away nothing passes"):
        clamd.stop()
        refused(anna.send_file(ben.address, "away.txt", b"text"), 503, "file-not-scanned")
        if ben.files()["away.txt"]["state"] != "withdrawn":
            raise Failed(f"{ben.files()['away.txt']}")
    with judge.case("files: unless policy says so"):
        shell(server, "policy", "set", "file_transfer", "global", "allow_unscanned=true")
        offered(anna.send_file(ben.address, "allowed.txt", b"text"))
    with judge.case("files: once it is back it looks again, and the filter of extensions comes first"):
        clamd.start()
        refused(anna.send_file(ben.address, "again.txt", EICAR.encode()), 422, "file-infected")
        refused(anna.send_file(ben.address, "setup.exe", b"MZ"), 422, "file-refused")


def run(judge, out, binary, _depth):
    with judge.case("files: server and ClamAV start"):
        clamd = Clamd(out).start()
        server = Lyceum(binary, out, PEOPLE, extra=["--virus-scanner", f"clamd:{clamd.socket}"]).start()
        anna, ben = Page(server, "file-anna"), Page(server, "file-ben")
    scanned(judge, anna, ben)
    away(judge, server, clamd, anna, ben)
    with judge.case("files: the server drains and exits with 0"):
        code = server.stop()
        clamd.stop()
        if code != 0:
            raise Failed(f"exit code {code}; log {server.child.log_path}")
