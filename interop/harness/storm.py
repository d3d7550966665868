"""A registration storm: one process that registers many users at a steady rate and remembers what was acknowledged.

Each registration is REGISTER, 401, REGISTER with digest, 200. The nonce of one challenge is used on with a rising count
as phones do, so that most registrations are one exchange.
"""

import select
import socket
import threading
import time

from . import wire


class Storm:
    """Runs in a thread until it is stopped.

    Every registration of a user brings a new contact that replaces the one before (same instance, RFC 5626 §4.2.1).
    `acknowledged` maps a user to the contact that the last 200 confirmed; `may_have` to that one and the ones sent after
    it, which the server may have taken without our hearing of it.
    """

    def __init__(self, address, domain, users, rate, tag):
        self.address, self.domain, self.users, self.rate, self.tag = address, domain, list(users), rate, tag
        self.acknowledged, self.sent_contacts = {}, {}
        self.sent = self.answered = 0
        self.refused = {}
        self.stopping = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.host, self.port = self.socket.getsockname()
        self.socket.setblocking(False)
        self.token = "UDP"
        self.state = {}
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.stopping = True
        self.thread.join(5)
        self.socket.close()

    def may_have(self, user, before=()):
        """The contacts of which one must be there; `before` are those of an earlier storm."""
        sent = self.sent_contacts.get(user, [])
        if user in self.acknowledged:
            return sent[sent.index(self.acknowledged[user]):]
        return list(before) + sent

    def _send(self, number):
        user, password = self.users[number % len(self.users)]
        round_ = number // len(self.users)
        state = self.state.setdefault(user, {"cseq": 0, "challenge": None, "count": 0})
        state["cseq"] += 1
        state["contact"] = f"sip:{user}@{self.host}:{self.port};r={self.tag}x{round_}"
        sent = self.sent_contacts.setdefault(user, [])
        if state["contact"] not in sent[-1:]:
            sent.append(state["contact"])
        uri = f"sip:{self.domain}"
        instance = f"urn:uuid:00000000-0000-4000-8000-{int(user[1:]):012x}"
        lines = (f"Contact: <{state['contact']}>;+sip.instance=\"<{instance}>\";reg-id=1;expires=600\r\n"
                 "Supported: path, outbound\r\n")
        if state["challenge"]:
            state["count"] += 1
            answer = wire.authorization(state["challenge"], "REGISTER", uri, user, password, state["count"])
            lines += f"Authorization: {answer}\r\n"
        message = wire.request(self, "REGISTER", uri, user, self.domain, state["cseq"], f"storm-{self.tag}-{user}", lines,
                               branch=f"z9hG4bKs{self.tag}{user}c{state['cseq']}")
        try:
            self.socket.sendto(message, self.address)
            self.sent += 1
        except OSError:
            pass

    def _take(self, message):
        code = wire.status(message)
        call = (wire.header(message, "call-id") or "").split("-")
        if len(call) != 3 or call[1] != str(self.tag):
            return None
        user = call[2]
        state = self.state.get(user)
        cseq = int((wire.header(message, "cseq") or "0").split()[0])
        if state is None or cseq != state["cseq"]:
            return None
        if code == 401:
            state["challenge"] = wire.header(message, "www-authenticate")
            state["count"] = 0
            return user
        if code == 200:
            self.acknowledged[user] = state["contact"]
            self.answered += 1
        elif code >= 300:
            self.refused[code] = self.refused.get(code, 0) + 1
        return None

    def _run(self):
        numbers = {user: number for number, (user, _) in enumerate(self.users)}
        began, next_one = time.monotonic(), 0
        again = {}
        while not self.stopping:
            due = int((time.monotonic() - began) * self.rate)
            while next_one < due:
                self._send(next_one)
                again[self.users[next_one % len(self.users)][0]] = next_one
                next_one += 1
            readable, _, _ = select.select([self.socket], [], [], 0.002)
            for _ in range(200 if readable else 0):
                try:
                    message = self.socket.recv(8192)
                except OSError:
                    break
                user = self._take(message)
                if user in numbers:
                    self._send(again[user])


def bindings(link, account, call_id):
    """The contacts that the server has for a user, asked with a REGISTER without Contact."""
    for patience in range(20):
        answer = wire.register(link, account, f"{call_id}-{patience}")
        if wire.status(answer) != 503:
            break
        # Too much at once for the machine just now; it says when to come back.
        time.sleep(min(float(wire.header(answer, "retry-after") or 1), 2.0))
    if wire.status(answer) != 200:
        raise wire.Failed(f"asking for the bindings of {account.user}: {wire.status(answer)}")
    return {part.split("<", 1)[1].split(">", 1)[0]
            for value in wire.headers(answer, "contact") for part in value.split(",") if "<" in part}
