"""People at pages of one browser who call each other in pairs, with our own web client and by the relay alone."""

import json
import os

from .browser import ROOT, pages
from .process import Child, Failed


class Crowd:
    """The first of the accounts calls the second, the third the fourth."""

    def __init__(self, folder, accounts, server):
        people = [word for one in accounts for word in ("--person", f"{one.user}@{one.domain}:{one.password}")]
        argv = ["nice", "-n", "-10", "node", os.path.join(ROOT, "web", "client", "build", "crowd.mjs"), "--base", f"https://{server.host}:{server.ports['https']}", *people,
                *pages()]
        self.child = Child(argv, os.path.join(folder, "crowd.log"), cwd=os.path.join(ROOT, "web"), stdin=True)

    def _do(self, what, told=None, seconds=30, **more):
        self.child.say(json.dumps({"do": what, **more}))
        found = self.child.expect(rf"(?m)^(?:{told or f'done {what}'})\n|^FAULT ([^\n]*)\n", seconds, f"the pages to {what}")
        if found.group(0).startswith("FAULT"):
            raise Failed(f"{found.group(0)[6:].strip()}; log {self.child.log_path}")
        return found

    def registered(self, seconds=120):
        if self.child.expect(r"(?m)^registered\n|^unregistered [^\n]*", seconds, "their sign-in").group(0) != "registered\n":
            raise Failed(f"somebody cannot sign in; log {self.child.log_path}")

    def call(self):
        """All of them."""
        self._do("call", seconds=90)

    def talking(self):
        """How many pages show a call that goes on."""
        return int(self._do("talking", r"talking (\d+)").group(1))

    def flow(self, since):
        """Of each page what came since a time: see `OwnPage.flow`."""
        found = json.loads(self._do("flow", r"flow ([^\n]*)", since=since * 1000).group(1))
        return [[(one["at"] / 1000, one["packets"], one["ice"]) for one in page] for page in found]

    def hangup(self):
        self._do("hangup")

    def close(self):
        if self.child.alive():
            self.child.say(json.dumps({"do": "quit"}))
            try:
                self.child.wait(10)
            except Failed:
                self.child.end()
