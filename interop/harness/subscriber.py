"""One subscription (RFC 6665) made of text: every NOTIFY is answered and kept, with the moment it came."""

import re
import threading
import time
import xml.etree.ElementTree as Tree

from .process import Failed
from .wire import Udp, answer, authorization, header, headers, line, status

WATCHERINFO = "{urn:ietf:params:xml:ns:watcherinfo}"


def body(message):
    return message.partition(b"\r\n\r\n")[2]


class Subscriber:
    """`watcher` subscribes to `uri`; the answer is in `ok`."""

    def __init__(self, server, watcher, uri, event="presence", accept="application/pidf+xml", expires=1200, extra=(), content=b""):
        self.server, self.account, self.uri, self.event = server, server.account(watcher), uri, event
        self.link = Udp(server.address("udp"), timeout=0.2)
        self.news = threading.Condition()
        self.notifies, self.answers, self.cursor, self.open = [], [], 0, True
        self.call_id, self.number, self.to, self.target = f"watch-{self.link.port}-{watcher}", 0, f"<{uri}>", uri
        self.extra = [f"Accept: {accept}", *extra]
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()
        self.ok = self._ask(expires, content)
        if status(self.ok) == 200:
            self.to = header(self.ok, "to")
            self.target = re.search(r"<([^>]+)>", header(self.ok, "contact")).group(1)

    def _listen(self):
        while self.open:
            try:
                message = self.link.receive()
            except TimeoutError:
                continue
            except OSError:
                return
            if message.startswith(b"NOTIFY "):
                try:
                    self.link.send(answer(message, "200 OK"))
                except OSError:
                    return
            with self.news:
                if not message.startswith(b"NOTIFY "):
                    self.answers.append(message)
                elif all(header(one, "cseq") != header(message, "cseq") for _, one in self.notifies):
                    self.notifies.append((time.monotonic(), message))
                self.news.notify_all()

    def _final(self, seconds=10):
        end = time.monotonic() + seconds
        with self.news:
            while True:
                found = next((one for one in self.answers if header(one, "cseq") == f"{self.number} SUBSCRIBE" and status(one) >= 200), None)
                if found or time.monotonic() > end:
                    break
                self.news.wait(0.2)
        if not found:
            raise Failed(f"SUBSCRIBE of {self.account.user} to {self.uri} was not answered within {seconds} s")
        return found

    def _send(self, expires, content, signed=()):
        self.number += 1
        me = f"sip:{self.account.user}@{self.server.domain}"
        lines = [f"From: <{me}>;tag=w{self.link.port}", f"To: {self.to}", f"Call-ID: {self.call_id}", f"CSeq: {self.number} SUBSCRIBE",
                 f"Contact: <sip:{self.account.user}@{self.link.host}:{self.link.port}>", f"Event: {self.event}", f"Expires: {expires}",
                 *self.extra, *signed]
        self.link.send(line(self.link, "SUBSCRIBE", self.target, lines, content))
        return self._final()

    def _ask(self, expires, content=b""):
        asked = self._send(expires, content)
        if status(asked) not in (401, 407):
            return asked
        kind, name = ("proxy-authenticate", "Proxy-Authorization") if status(asked) == 407 else ("www-authenticate", "Authorization")
        challenge = next(value for value in headers(asked, kind) if "MD5" in value or "algorithm" not in value)
        value = authorization(challenge, "SUBSCRIBE", self.target, self.account.user, self.account.password)
        return self._send(expires, content, [f"{name}: {value}"])

    def again(self, expires):
        """Within the dialog; zero ends it."""
        done = self._ask(expires)
        if status(done) != 200:
            raise Failed(f"SUBSCRIBE with Expires {expires} in the dialog was answered {status(done)}")

    def told(self, wanted=lambda message: True, seconds=10, what="a NOTIFY"):
        """The next NOTIFY for which `wanted` holds, and when it came; those before it are let go."""
        end = time.monotonic() + seconds
        with self.news:
            while True:
                while self.cursor < len(self.notifies):
                    came, message = self.notifies[self.cursor]
                    self.cursor += 1
                    if wanted(message):
                        return came, message
                left = end - time.monotonic()
                if left <= 0:
                    last = self.notifies[-1][1].decode("utf-8", "replace")[-600:] if self.notifies else "none came"
                    raise Failed(f"{self.account.user} waited for {what}, did not within {seconds} s; the last NOTIFY: {last!r}")
                self.news.wait(min(left, 0.5))

    def all(self):
        with self.news:
            return [message for _, message in self.notifies]

    def close(self):
        self.open = False
        self.thread.join(1)
        self.link.close()


class Watchers:
    """What a subscription to `presence.winfo` tells, put together as RFC 3858 §5 has it: a full document replaces what is
    known, a partial one changes it, and the versions follow each other."""

    def __init__(self, subscriber):
        self.subscriber, self.version, self.known, self.states = subscriber, None, {}, []

    def take(self, message):
        root = Tree.fromstring(body(message))
        if root.tag != f"{WATCHERINFO}watcherinfo":
            raise Failed(f"the document is {root.tag}")
        version, state = int(root.get("version")), root.get("state")
        if self.version is not None and version != self.version + 1:
            raise Failed(f"version {version} follows {self.version}")
        if self.version is None and state != "full":
            raise Failed(f"the first document is {state}")
        lists = root.findall(f"{WATCHERINFO}watcher-list")
        if len(lists) != 1 or lists[0].get("package") != "presence":
            raise Failed(f"lists of watchers: {[one.attrib for one in lists]}")
        self.version = version
        self.states.append(state)
        if state == "full":
            self.known = {}
        for one in lists[0]:
            self.known[one.get("id")] = (one.text.strip(), one.get("status"), one.get("event"))
        return lists[0].get("resource")

    def active(self):
        """The addresses of those who watch, each once for each subscription."""
        return sorted(uri for uri, state, _ in self.known.values() if state in ("active", "pending"))

    def until(self, wanted, what, seconds=10):
        """Takes documents until those who watch are these."""
        end = time.monotonic() + seconds
        while not wanted(self.active()):
            left = end - time.monotonic()
            try:
                _, message = self.subscriber.told(seconds=max(left, 0.1))
            except Failed as none:
                raise Failed(f"{what}: not within {seconds} s; watching are {self.active()}, documents {self.states}") from none
            self.take(message)
