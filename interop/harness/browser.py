"""A phone in a real browser: JsSIP in headless Chromium, and nothing of ours in the page."""

import json
import os

from .process import Child, Failed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def pages():
    """Words that let a page's driver have the pages of a folder instead of those in the server: to try what is being written."""
    folder = os.environ.get("LYCEUM_PAGES")
    return ["--pages", folder] if folder else []


class BrowserPhone:
    """One page with one account."""

    kind = "browser"

    def __init__(self, folder, account, server, speaks, codecs=(), video=False):
        self.account, self.server = account, server
        self.home = os.path.join(folder, f"browser-{account.user}")
        os.makedirs(self.home, exist_ok=True)
        self.recordings = 0
        argv = ["node", os.path.join(ROOT, "web", "client", "build", "phone.mjs"), "--base", f"https://127.0.0.1:{server.ports['https']}",
                "--address", f"{account.user}@{account.domain}", "--password", account.password, "--speaks", speaks]
        if codecs:
            argv += ["--codecs", ",".join(codecs)]
        if video:
            argv.append("--video")
        self.child = Child(argv, os.path.join(self.home, "log"), cwd=os.path.join(ROOT, "web"), stdin=True)

    def _do(self, what, told=None, seconds=10, **more):
        self.child.say(json.dumps({"do": what, **more}))
        return self.child.expect(told or rf"done {what}\n", seconds, f"the browser to {what}")

    def registered(self, seconds=60):
        if self.child.expect(r"registered\n|unregistered [^\n]*|FAULT [^\n]*", seconds, "its registration").group(0) != "registered\n":
            raise Failed(f"the browser of {self.account.user} cannot register; log {self.child.log_path}")

    def dial(self, user):
        self._do("dial", to=user if ":" in user else f"sip:{user}@{self.account.domain}")

    def incoming(self, seconds=10):
        return self.child.expect(r"incoming [^\n]*\n", seconds, "a call")

    def ringing(self, seconds=10):
        return self.child.expect(r"progress \d*\n", seconds, "it to ring")

    def answer(self):
        self._do("answer")

    def established(self, seconds=15):
        if not self.child.expect(r"confirmed\n|failed [^\n]*", seconds, "the call to be answered").group(0).startswith("confirmed"):
            raise Failed(f"the browser's call failed; log {self.child.log_path}")

    def failed(self, seconds=15):
        return self.child.expect(r"failed ([^\n]*)\n", seconds, "the call to fail").group(1)

    def hold(self):
        self._do("hold")

    def resume(self):
        self._do("unhold")

    def keys(self, keys):
        self._do("keys", keys=keys)

    def restart_ice(self):
        self._do("restart")

    def transfer(self, to):
        self._do("refer", to=f"sip:{to}@{self.account.domain}")

    def record(self):
        self._do("record")

    def recording(self):
        """What it heard since `record`, as a WAV file."""
        self.recordings += 1
        path = os.path.join(self.home, f"heard-{self.recordings}.wav")
        self._do("save", r"saved\n", path=path)
        return path

    def stats(self):
        return json.loads(self._do("stats", r"stats ([^\n]*)\n").group(1))

    def hangup(self):
        self._do("hangup")

    def ended(self, seconds=10):
        return self.child.expect(r"ended [^\n]*\n", seconds, "the call to end")

    def close(self):
        self.child.say(json.dumps({"do": "quit"}))
        self.child.end()
