"""People who write to each other by MESSAGE (RFC 3428): one who writes fast and repeats what was not answered, and devices
that answer, are switched off and come back. Both remember when each message came and went."""

import collections
import queue
import re
import threading
import time

from .process import Failed
from .wire import Udp, answer, ask, authorization, header, headers, line, status

Came = collections.namedtuple("Came", "at name number call_id cseq branch")


def branch_of(message):
    return re.search(r"branch=([^;\s,]+)", headers(message, "via")[0]).group(1)


class Ear:
    """A socket with somebody who listens all the time; what is nobody's business waits in a queue, as `wire` reads it."""

    token = "UDP"

    def __init__(self, server, take):
        self.link, self.take, self.open = Udp(server.address("udp"), timeout=0.2), take, True
        self.host, self.port, self.rest = self.link.host, self.link.port, queue.Queue()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        while self.open:
            try:
                message = self.link.receive()
            except OSError:
                # Nothing came, or the server is away just now.
                continue
            if not self.take(message):
                self.rest.put(message)

    def send(self, message):
        """Whether it left: not while the server is away."""
        try:
            self.link.send(message)
            return True
        except OSError:
            return False

    def receive(self):
        try:
            return self.rest.get(timeout=10)
        except queue.Empty as none:
            raise Failed("the server did not answer within 10 s") from none

    def deaf(self):
        self.open = False
        self.thread.join(2)

    def close(self):
        self.deaf()
        self.link.close()


class Writer:
    """Writes numbers to one person. A message is known by its Call-ID, and by the Message-ID of its own."""

    def __init__(self, server, user, to):
        self.server, self.account, self.to = server, server.account(user), f"sip:{to}@{server.domain}"
        self.challenge, self.count, self.next = None, 0, 0
        # By number: the request as it is repeated, and moment and status of its final answer.
        self.sent, self.answered, self.signed_anew = {}, {}, 0
        self.lock = threading.RLock()
        self.ear = Ear(server, self._take)

    def name(self, number):
        return f"{self.account.user}-{number}"

    def _request(self, number, cseq):
        lines = [f"From: <sip:{self.account.user}@{self.server.domain}>;tag=m{number}", f"To: <{self.to}>",
                 f"Call-ID: {self.name(number)}", f"CSeq: {cseq} MESSAGE", f"Message-ID: {self.name(number)}", "Content-Type: text/plain"]
        if self.challenge:
            self.count += 1
            value = authorization(self.challenge, "MESSAGE", self.to, self.account.user, self.account.password, self.count)
            lines.append(f"Proxy-Authorization: {value}")
        return cseq, line(self.ear, "MESSAGE", self.to, lines, str(number).encode())

    def write(self):
        """The next number."""
        with self.lock:
            number, self.next = self.next, self.next + 1
            self.sent[number] = self._request(number, 20)
        self.ear.send(self.sent[number][1])

    def repeat(self):
        """As a client repeats what was not answered: byte for byte, in the order in which it was written."""
        for number in self.unanswered():
            self.ear.send(self.sent[number][1])

    def unanswered(self):
        with self.lock:
            return [number for number in sorted(self.sent) if number not in self.answered]

    def _take(self, message):
        code, found = status(message), re.fullmatch(rf"{self.account.user}-(\d+)", header(message, "call-id") or "")
        if code < 200 or not found:
            return False
        number = int(found.group(1))
        with self.lock:
            cseq = self.sent[number][0]
            if header(message, "cseq") != f"{cseq} MESSAGE" or number in self.answered:
                return True
            if code in (401, 407):
                self.challenge = next(value for value in headers(message, "proxy-authenticate") if "MD5" in value)
                self.count, self.signed_anew = 0, self.signed_anew + 1
                self.sent[number] = self._request(number, cseq + 1)
                self.ear.send(self.sent[number][1])
            else:
                self.answered[number] = (time.monotonic(), code)
        return True

    def close(self):
        self.ear.close()


class Device:
    """One device of a person, told from the others by its instance (RFC 5626)."""

    def __init__(self, server, user, number):
        self.server, self.account, self.number = server, server.account(user), number
        self.came, self.confirmed, self.lock = [], {}, threading.Lock()
        self.ear, self.registrations, self.dead = None, 0, []

    def sign_in(self, expires=600):
        """Registers; one that was off does so from another port."""
        self.ear = self.ear or Ear(self.server, self._take)
        self.registrations += 1
        contact = (f'Contact: <sip:{self.account.user}@{self.ear.host}:{self.ear.port}>;reg-id=1;expires={expires};'
                   f'+sip.instance="<urn:uuid:00000000-0000-4000-8000-{self.number:012}>"\r\nSupported: path, outbound\r\n')
        call = f"dev-{self.ear.port}-{self.registrations}"
        done = ask(self.ear, "REGISTER", f"sip:{self.account.domain}", self.account, call, contact)
        if status(done) != 200:
            raise Failed(f"REGISTER of {self.account.user} with expires {expires}: {status(done)}")
        return self

    def sign_out(self):
        self.sign_in(0)
        self.ended()

    def ended(self):
        """As a program that was ended: what the server knows of it stands, and the network says that nobody has the port."""
        self.ear.close()
        self.ear = None

    def off(self):
        """As if its battery were empty: what the server knows of it stands, and at its port nobody answers, not even with an
        error of the network."""
        self.ear.deaf()
        self.dead.append(self.ear)
        self.ear = None

    def close(self):
        for ear in [*self.dead, *filter(None, [self.ear])]:
            ear.close()

    def _take(self, message):
        if not message.startswith(b"MESSAGE "):
            return False
        at, name = time.monotonic(), header(message, "message-id")
        came = Came(at, name, int(message.partition(b"\r\n\r\n")[2]), header(message, "call-id"), header(message, "cseq"), branch_of(message))
        left = self.ear.send(answer(message, "200 OK", f"d{self.number}"))
        with self.lock:
            self.came.append(came)
            # When its first 200 left, or could not leave any more.
            self.confirmed.setdefault(name, (time.monotonic(), left))
        return True

    def numbers(self):
        """In the order in which they came first."""
        with self.lock:
            return list(dict.fromkeys(one.number for one in self.came))

    def repeats(self):
        """What came more than once: the first, and each that came later."""
        first = {}
        with self.lock:
            return [(first[one.name], one) for one in self.came if first.setdefault(one.name, one) is not one]
