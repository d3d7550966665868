"""Three people in three pages of the web client call each other, in a real browser with fake devices, through the server; media
goes between the pages, or through the server's relay alone. The power is cut in the middle of a call."""

import os
import subprocess

from cases.pages import ROOT, Restarter
from harness.process import Failed, free_port
from harness.server import Lyceum

PEOPLE = {"call-anna": "pw-call-anna", "call-ben": "pw-call-ben", "call-clara": "pw-call-clara"}
SECONDS = 900


def run(judge, out, binary, depth):
    with judge.case("calls: the server starts"):
        extra = ["--turn", f"127.0.0.1:{free_port()}", "--turn-peer", "127.0.0.1"]
        server = Lyceum(binary, out, PEOPLE, extra=extra).start()
    restarter = Restarter(server, out)
    restarter.start()
    person = lambda user: f"{user}@{server.domain}:{PEOPLE[user]}"
    log = os.path.join(out, "calls.log")
    argv = ["npm", "--prefix", os.path.join(ROOT, "web"), "run", "--silent", "calls", "--",
            "--base", f"https://127.0.0.1:{server.ports['https']}", "--anna", person("call-anna"), "--ben", person("call-ben"),
            "--clara", person("call-clara"), "--relay", "yes", "--restart", restarter.command,
            "--out", os.path.join(out, "pictures")]
    with open(log, "w") as file:
        subprocess.run(argv, stdout=file, stderr=subprocess.STDOUT, timeout=SECONDS, stdin=subprocess.DEVNULL)
    restarter.over = True
    with open(log) as file:
        lines = [line.rstrip() for line in file]
    told = [line for line in lines if line.startswith(("ok ", "FAIL "))]
    if not told:
        with judge.case("three people in three pages"):
            raise Failed(f"the browser told nothing; log {log}: {' '.join(lines[-3:])}")
    for line in told:
        with judge.case(f"calls: {line.split(' ', 1)[1].split(' locator', 1)[0]}"):
            if line.startswith("FAIL "):
                raise Failed(f"{line[5:300]}; log {log}")
    server.stop()
