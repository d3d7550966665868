"""What is kept for days is gone after them: histories, the archive, files. libfaketime moves the server's clock ahead; the
server itself is the one that ships."""

import datetime
import glob
import json
import os
import threading

from cases.browser import answer as answer_to
from cases.policy import shell
from harness.page import Page
from harness.process import Failed, until
from harness.server import Lyceum
from harness.wire import Udp, ask, register, status

PEOPLE = {"keep-anna": "pw-keep-anna", "keep-ben": "pw-keep-ben"}
DAYS = 30
LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


def ahead(days):
    """An offset that ends in the middle of an hour of that day, and that hour: no test may end on its edge."""
    now = datetime.datetime.now(datetime.timezone.utc)
    seconds = days * 86_400 + (30 - now.minute) * 60
    return seconds, (now + datetime.timedelta(seconds=seconds)).hour


def rows(server):
    return json.loads(shell(server, "message", "history", "keep-ben", "--output", "json"))


def archived(server, out, name):
    folder = os.path.join(out, name)
    shell(server, "archive", "export", folder)
    return len(glob.glob(os.path.join(folder, "*.eml")))


def blobs(server):
    return [path for path in glob.glob(os.path.join(server.data, "**"), recursive=True)
            if os.path.isfile(path) and open(path, "rb").read(64).startswith(b"kept for days")]


def written(judge, out, server, hour):
    with judge.case("retention: a message and a file are kept and archived"):
        shell(server, "policy", "set", "message", "global", f"keep_history_days={DAYS}", f"purge_hour={hour}")
        shell(server, "policy", "set", "archiving", "global", "archive_internal=true", "enable_purging=true",
              f"keep_archiving_data_days={DAYS}", f"purge_hour={hour}")
        link = Udp(server.address("udp"))
        register(link, server.account("keep-ben"), "reg-ben", f"sip:keep-ben@127.0.0.1:{link.port}")
        sender = Udp(server.address("udp"))
        to = f"sip:keep-ben@{server.domain}"
        # The answer comes once the phone has taken it.
        taken = threading.Thread(target=lambda: link.send(answer_to(link.receive(), "200 OK")), daemon=True)
        taken.start()
        sent = ask(sender, "MESSAGE", to, server.account("keep-anna"), "kept", "Content-Type: text/plain\r\n")
        taken.join(5)
        if status(sent) != 200:
            raise Failed(f"answered {status(sent)}")
        code, body = Page(server, "keep-anna").send_file(f"keep-ben@{server.domain}", "note.txt", b"kept for days" * 100)
        if code != 201:
            raise Failed(f"{code} {body}")
        until(lambda: len(rows(server)) == 1, 5, "the history does not have it")
        until(lambda: archived(server, out, "first") == 1, 5, "the archive does not have it")
        if len(blobs(server)) != 1:
            raise Failed(f"{blobs(server)}")


def run(judge, out, binary, _depth):
    library = (glob.glob(LIBRARY) or [None])[0]
    if not library:
        raise Failed("libfaketime is missing: apt-get install faketime")
    wrap = lambda seconds: ["env", f"LD_PRELOAD={library}", f"FAKETIME=+{seconds}s", "FAKETIME_DONT_FAKE_MONOTONIC=1",
                            "DONT_FAKE_MONOTONIC=1"]
    seconds, hour = ahead(DAYS + 5)
    early, _ = ahead(DAYS - 20)
    with judge.case("retention: the server starts"):
        server = Lyceum(binary, out, PEOPLE).start()
    written(judge, out, server, hour)
    server.stop()
    with judge.case(f"retention: after {DAYS - 20} days all of it is still there"):
        server.wrap = wrap(early)
        server.start()
        if (len(rows(server)), archived(server, out, "second"), len(blobs(server))) != (1, 1, 1):
            raise Failed(f"history {rows(server)}, files {blobs(server)}")
    server.stop()
    with judge.case(f"retention: after {DAYS + 5} days history, archive and file are gone"):
        server.wrap = wrap(seconds)
        server.start()
        until(lambda: rows(server) == [], 20, f"the history still has {rows(server)}")
        until(lambda: archived(server, out, "third") == 0, 20, "the archive still has it")
        until(lambda: not blobs(server), 20, f"the file is still there: {blobs(server)}")
    with judge.case("retention: the server drains and exits with 0"):
        code = server.stop()
        if code != 0:
            raise Failed(f"exit code {code}; log {server.child.log_path}")
