"""Two people in two pages of the web client, in a real browser, against the server; the power is cut in the middle. Phones
that nobody here wrote meet a page in the group `desk`."""

import os
import subprocess
import threading
import time

from harness.clamd import EICAR
from harness.process import Failed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEOPLE = {"page-anna": "pw-page-anna", "page-ben": "pw-page-ben"}
# Longer than the break that the page keeps quiet about.
DOWN_SECONDS = 3


class Restarter(threading.Thread):
    """Cuts the server's power when the browser's script asks by a file, and says by another when it is up again."""

    def __init__(self, server, folder):
        super().__init__(daemon=True)
        self.server, self.over = server, False
        self.want, self.done = os.path.join(folder, "restart.want"), os.path.join(folder, "restart.done")
        self.command = f"touch {self.want}; while [ ! -e {self.done} ]; do sleep 0.1; done"

    def run(self):
        while not self.over:
            if os.path.exists(self.want):
                os.remove(self.want)
                self.server.kill()
                time.sleep(DOWN_SECONDS)
                self.server.start()
                open(self.done, "w").close()
            time.sleep(0.1)


def run(judge, out, server):
    restarter = Restarter(server, out)
    restarter.start()
    person = lambda user: f"{user}@{server.domain}:{PEOPLE[user]}"
    log = os.path.join(out, "two-people.log")
    # Node's own output tells each case as `ok NAME` or `FAIL NAME why`.
    argv = ["npm", "--prefix", os.path.join(ROOT, "web"), "run", "--silent", "two-people", "--",
            "--base", f"https://127.0.0.1:{server.ports['https']}", "--anna", person("page-anna"),
            "--ben", person("page-ben"), "--restart", restarter.command, "--virus", EICAR, "--out", os.path.join(out, "pictures")]
    with open(log, "w") as file:
        subprocess.run(argv, stdout=file, stderr=subprocess.STDOUT, timeout=240, stdin=subprocess.DEVNULL)
    restarter.over = True
    with open(log) as file:
        lines = [line.rstrip() for line in file]
    told = [line for line in lines if line.startswith(("ok ", "FAIL "))]
    if not told:
        with judge.case("two people in two pages"):
            raise Failed(f"the browser told nothing; log {log}: {' '.join(lines[-3:])}")
    for line in told:
        with judge.case(f"two pages: {line.split(' ', 1)[1].split(' locator', 1)[0]}"):
            if line.startswith("FAIL "):
                raise Failed(f"{line[5:300]}; log {log}")
