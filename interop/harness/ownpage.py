"""A person at our own web client in headless Chromium, with the verbs of a phone."""

import json
import os

from .browser import ROOT, pages
from .process import Child, Failed


class OwnPage:
    """One page with one account; what it says comes from a file, what it hears is kept as the jitter buffer gives it."""

    kind = "page"

    def __init__(self, folder, account, server, speaks):
        self.account, self.server = account, server
        self.home = os.path.join(folder, f"page-{account.user}")
        os.makedirs(self.home, exist_ok=True)
        self.recordings = 0
        argv = ["node", os.path.join(ROOT, "web", "client", "build", "desk.mjs"), "--base", f"https://{server.host}:{server.ports['https']}",
                "--person", f"{account.user}@{account.domain}:{account.password}", "--speaks", speaks, "--out", self.home, *pages()]
        self.child = Child(argv, os.path.join(self.home, "log"), cwd=os.path.join(ROOT, "web"), stdin=True)

    def _do(self, what, told=None, seconds=10, **more):
        """The order has `seconds`; the answer some more, for a busy machine."""
        self.child.say(json.dumps({"do": what, "ms": seconds * 1000, **more}))
        found = self.child.expect(rf"(?m)^(?:{told or f'done {what}'})\n|^FAULT ([^\n]*)\n", seconds + 15, f"the page to {what}")
        if found.group(0).startswith("FAULT"):
            raise Failed(f"the page of {self.account.user}: {found.group(0)[6:].strip()}; log {self.child.log_path}")
        return found

    def _address(self, user):
        return f"{user}@{self.account.domain}"

    def registered(self, seconds=60):
        if self.child.expect(r"(?m)^registered\n|^unregistered [^\n]*", seconds, "its sign-in").group(0) != "registered\n":
            raise Failed(f"the page of {self.account.user} cannot sign in; log {self.child.log_path}")

    def dial(self, user, video=False):
        self._do("dial", to=self._address(user), video=video)

    def incoming(self, seconds=10):
        self._do("incoming", seconds=seconds)

    def answer(self, video=False):
        self._do("answer", video=video)

    def decline(self):
        self._do("decline")

    def established(self, seconds=15, user=None):
        self._do("established", seconds=seconds, **({"to": self._address(user)} if user else {}))

    def hold(self):
        self._do("hold")

    def resume(self):
        self._do("resume")

    def held(self, seconds=10, user=None):
        self._do("held", seconds=seconds, **({"to": self._address(user)} if user else {}))

    def resumed(self, seconds=10):
        self._do("resumed", seconds=seconds)

    def keys(self, keys):
        self._do("keys", keys=keys)

    def transfer(self, user):
        """At once."""
        self._do("refer", to=self._address(user))

    def consult(self, user):
        """Calls them first; `connect` joins the two."""
        self._do("consult", to=self._address(user))

    def connect(self):
        self._do("connect")

    def handed(self, seconds=15):
        self._do("handed", seconds=seconds)

    def record(self):
        self._do("record")

    def recording(self):
        """What it heard since `record`, as a WAV file."""
        self.recordings += 1
        path = os.path.join(self.home, f"heard-{self.recordings}.wav")
        self._do("save", "saved", path=path)
        return path

    def stats(self):
        """Flows, paths and what was sent, of the newest connection."""
        return json.loads(self._do("stats", r"stats ([^\n]*)").group(1))

    def flow(self, since):
        """What came since a time (`time.time()`): a list of time, packets of sound so far, state of ICE."""
        found = json.loads(self._do("flow", r"flow ([^\n]*)", since=since * 1000).group(1))
        return [(one["at"] / 1000, one["packets"], one["ice"]) for one in found]

    def bars(self):
        """Size of the other end's picture, and its colours at the left, in the middle and at the right."""
        return json.loads(self._do("bars", r"bars ([^\n]*)").group(1))

    def picture(self, name):
        self._do("picture", path=name)

    def add(self, user):
        """To the contacts."""
        self._do("add", to=self._address(user))

    def watch(self):
        """Looks at the list of contacts from now on."""
        self._do("watch")

    def shows(self, user, word, seconds=10):
        """Waits until the contact's row shows the word. Since when it does, as `time.time`."""
        return int(self._do("shows", r"shows (\d+)", seconds, to=self._address(user), text=word).group(1)) / 1000

    def choose(self, word):
        """A state of one's own; when it was chosen."""
        return int(self._do("choose", r"chose (\d+)", text=word).group(1)) / 1000

    def write(self, user, text):
        self._do("write", to=self._address(user), text=text)

    def anew(self):
        """Loads anew, and shows no conversation."""
        self._do("anew")

    def knocked(self, seconds=10):
        """Waits until it shows that something is unread."""
        self._do("knocked", seconds=seconds)

    def reads(self, user, text, seconds=10):
        """Waits for a message; how often it stands there."""
        return int(self._do("reads", r"reads (\d+)", seconds, to=self._address(user), text=text).group(1))

    def hangup(self):
        self._do("hangup")

    def ended(self, seconds=10):
        self._do("ended", seconds=seconds)

    def quiet(self):
        """Whatever call is left is hung up."""
        self._do("quiet")

    def close(self):
        if self.child.alive():
            self.child.say(json.dumps({"do": "quit"}))
            try:
                self.child.wait(5)
            except Failed:
                self.child.end()
