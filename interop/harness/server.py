"""The server under judgement."""

import collections
import json
import os
import signal

from .process import Child, Failed, free_port

Account = collections.namedtuple("Account", "user password domain")


class Server:
    """What cases need to know: addresses by transport, the domain, the users, the CA."""

    domain = "lyceum.test"
    ca = None
    host = "127.0.0.1"

    def account(self, user):
        return Account(user, self.users[user], self.domain)

    def address(self, transport):
        return self.addresses[transport]


class Lyceum(Server):
    """`lyceum dev` with a data folder of its own; can be killed and started again on the same ports."""

    def __init__(self, binary, folder, users, trust=None, wrap=(), extra=(), host="127.0.0.1"):
        self.binary, self.folder, self.users = binary, folder, dict(users)
        self.trust, self.wrap, self.extra, self.host = trust, list(wrap), list(extra), host
        self.data = os.path.join(folder, "data")
        os.makedirs(self.data, exist_ok=True)
        self.ports = {"sip": free_port(), "tls": free_port(), "https": free_port()}
        self.csv = os.path.join(folder, "users.csv")
        with open(self.csv, "w") as file:
            file.writelines(f"{user};{password}\n" for user, password in self.users.items())
        self.child = None

    def start(self, seconds=60):
        """Starts it and waits for the line that says all listeners answer."""
        argv = self.wrap + [
            self.binary, "dev", "--data", self.data, "--domain", self.domain,
            "--sip", f"{self.host}:{self.ports['sip']}", "--tls", f"{self.host}:{self.ports['tls']}",
            "--https", f"{self.host}:{self.ports['https']}", "--users", self.csv, "--json", *self.extra]
        if self.trust:
            argv += ["--trust", self.trust]
        self.child = Child(argv, os.path.join(self.folder, "server.log"), cwd=self.folder)
        line = self.child.expect(r"(?m)^(\{[^\n]*\"pid\"[^\n]*\})\s*\n", seconds, "its JSON line").group(1)
        self.facts = json.loads(line)
        self.ca = self.facts.get("ca")
        split = lambda text: (text.rsplit(":", 1)[0], int(text.rsplit(":", 1)[1]))
        sip = split(self.facts["sip"])
        self.addresses = {"udp": sip, "tcp": sip, "tls": split(self.facts["tls"]), "https": split(self.facts["https"])}
        return self

    @property
    def pid(self):
        """The server's own id, which differs from the child's when a tracer stands in front."""
        return int(self.facts["pid"])

    def kill(self):
        """Power cut."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.process.wait()

    def stop(self):
        """SIGTERM; the exit code after draining."""
        return self.child.end(20)
