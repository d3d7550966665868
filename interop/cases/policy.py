"""What the administrator's shell changes at once: SHA-256 alone, which linphone takes and older clients cannot, and who
is asked for a certificate; which clients may sign in; what it shows of a failed call; and the shell as a person and a
script use it."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import ssl
import struct
import subprocess
import termios
import time
import urllib.request

from harness import sound
from harness.baresip import Baresip
from harness.linphone import Linphone
from harness.process import Failed
from harness.sipp import REGISTER, Sipp
from harness.wire import Udp, ask, headers, request, status


def shell(server, *arguments):
    """The management shell over the local socket; what it printed."""
    argv = [server.binary, *arguments, "--socket", server.facts["socket"]]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failed(f"{' '.join(argv[1:])}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()[:300]}")
    return done.stdout


def offered(server, user):
    """The algorithms in the challenges that a bare REGISTER gets."""
    link = Udp(server.address("udp"))
    link.send(request(link, "REGISTER", f"sip:{server.domain}", user, server.domain, 1, f"offered-{user}"))
    answer = link.receive()
    link.close()
    if status(answer) != 401:
        raise Failed(f"REGISTER without credentials was answered {status(answer)}")
    return [value.split("algorithm=", 1)[1].split(",")[0].strip('" ') if "algorithm=" in value else "MD5"
            for value in headers(answer, "www-authenticate")]


def sha_256_alone(judge, out, server):
    with judge.case("an unknown phone is offered MD5 alone by default"):
        found = offered(server, "alice-udp")
        if found != ["MD5"]:
            raise Failed(f"offered {found}")
    with judge.case("the shell raises the policy to SHA-256 alone, at once"):
        shell(server, "policy", "set", "authentication", "global", 'algorithms=["sha-256"]', "rules=[]")
        found = offered(server, "alice-udp")
        if found != ["SHA-256"]:
            raise Failed(f"offered {found}")
    with judge.case("linphone registers with SHA-256 alone"):
        phone = Linphone(out, server.account("bob-udp"), server, "udp", sound.speech(out, "bob", 10)[0])
        phone.registered()
        if "algorithm=MD5" in phone.trace.text():
            raise Failed("MD5 was offered or used")
        phone.close()
    with judge.case("a client without SHA-256 stays outside"):
        try:
            Sipp(out, server, "md5-only", REGISTER, [("caller", server.users["caller"], "-")], seconds=5).done()
        except Failed:
            return
        raise Failed("it registered")


def signs_in(out, server, name):
    """What baresip says of its registration; a phone of its own each time."""
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    phone = Baresip(folder, server.account("alice-udp"), server, "udp", sound.speech(out, "alice", 10)[0])
    try:
        phone.registered()
        return "200"
    except Failed as why:
        return str(why)
    finally:
        phone.close()


def registering(server, agent, call_id):
    """The answer to a signed REGISTER of a client that calls itself so."""
    link = Udp(server.address("udp"))
    extra = f"Contact: <sip:alice-udp@{link.host}:{link.port}>\r\nExpires: 600\r\nUser-Agent: {agent}\r\n"
    aor = f"<sip:alice-udp@{server.domain}>"
    answer = ask(link, "REGISTER", f"sip:{server.domain}", server.account("alice-udp"), call_id, extra, to=aor)
    link.close()
    return answer


def old_clients_are_told(judge, out, server):
    """Rules on product and version decide who signs in; the others find a page that says what to do."""
    kind = ("policy", "set", "client_version", "global")
    with judge.case("a rule blocks baresip: it cannot sign in and is told 403"):
        shell(server, *kind, 'rules=[{"user_agent":"baresip*","compare":"lss","version":"99.0","action":"block"}]')
        told = signs_in(out, server, "blocked")
        if "403" not in told:
            raise Failed(f"baresip says {told}")
    with judge.case("the refusal names a page, and the page says what to do in the reader's language"):
        answer = registering(server, "baresip v1.0.0", "blocked-client")
        link = headers(answer, "error-info")[0].strip("<>") if headers(answer, "error-info") else ""
        if status(answer) != 403 or "/client-versions/" not in link:
            raise Failed(f"{status(answer)} with Error-Info {link!r}")
        trusted = ssl.create_default_context(cafile=server.ca)
        for language, words in (("de", "aktualisieren"), ("en", "update")):
            question = urllib.request.Request(link, headers={"Accept-Language": language})
            with urllib.request.urlopen(question, timeout=5, context=trusted) as page:
                text = page.read().decode()
            if words not in text or "baresip v1.0.0" not in text:
                raise Failed(f"no {words} in {text[:200]!r}")
    with judge.case("a rule warns: baresip signs in, and the 200 has a warning with the administrator's page"):
        url = "https://help.example.org/phones"
        shell(server, *kind, f'rules=[{{"user_agent":"baresip*","action":"warn","url":"{url}"}}]')
        told = signs_in(out, server, "warned")
        answer = registering(server, "baresip v1.0.0", "warned-client")
        if told != "200" or status(answer) != 200 or url not in "".join(headers(answer, "warning")):
            raise Failed(f"baresip says {told}; {status(answer)}, Warning {headers(answer, 'warning')}")
    with judge.case("without the rule nobody is warned"):
        shell(server, "policy", "remove", "client_version", "global", "--yes")
        answer = registering(server, "baresip v1.0.0", "welcome-client")
        if status(answer) != 200 or headers(answer, "warning"):
            raise Failed(f"{status(answer)}, Warning {headers(answer, 'warning')}")


def shell_tries_presence_and_messages(judge, out, server):
    """The shell's own tests with the built-in users, and what it says of people."""
    for what, arrival in (("presence", "the change arrives"), ("im", "it arrives")):
        with judge.case(f"lyceum test {what}: every step passes and has its time"):
            told = json.loads(shell(server, "test", what, "--within-ms", "10000", "--output", "json"))
            steps = {step["step"]: step for step in told["steps"]}
            if not told["passed"] or arrival not in steps or steps[arrival]["milliseconds"] > 10000:
                raise Failed(f"{told}")
    with judge.case("the shell sets a user's presence and shows what others see"):
        shell(server, "presence", "set", "bob-udp", "--state", "busy", "--note", "in the workshop")
        told = json.loads(shell(server, "presence", "get", "bob-udp", "--seen-by", "alice-udp", "--output", "json"))
        if told["note"] != "in the workshop":
            raise Failed(f"{told}")
        shell(server, "presence", "set", "bob-udp", "--state", "automatic", "--note", "")


def clients_find_the_pool(judge, out, server):
    """Autodiscover over HTTPS, as anybody."""
    trusted = ssl.create_default_context(cafile=server.ca)
    host, port = server.address("https")
    with judge.case("autodiscover tells everybody where SIP, pages and API are"):
        for path, name in (("/.well-known/lyceum", host), ("/", f"lyncdiscover.{server.domain}")):
            question = urllib.request.Request(f"https://{host}:{port}{path}", headers={"Host": name})
            with urllib.request.urlopen(question, timeout=5, context=trusted) as answer:
                pool = json.load(answer)
            ports = {entry["transport"] for entry in pool["sip"]}
            if ports != {"tls", "tcp", "udp"} or not pool["wss"].startswith("wss://"):
                raise Failed(f"{pool}")


def asks_for_certificate(server):
    """Whether a client that connects over TLS is asked for a certificate."""
    host, port = server.address("tls")
    argv = ["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", server.ca]
    told = subprocess.run(argv, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL).stdout
    if "Acceptable client certificate CA names" in told:
        return True
    if "No client certificate CA names sent" in told:
        return False
    raise Failed(f"openssl could not connect: {told.strip()[:200]!r}")


def certificates_are_asked_for_when_trusted(judge, out, server):
    """A phone that is asked for a certificate asks its user; so nobody is asked unless somebody is trusted by one."""
    document = json.loads(shell(server, "topology", "get", "--output", "json"))["document"]
    file = os.path.join(out, "topology.json")
    for what, hosts in (("nobody is trusted by certificate: no phone is asked for one", None),
                        ("the topology trusts a host by certificate: new connections are asked",
                         [{"name": "gateway", "by": {"mtls": {"name": "gateway.example.net"}}}]),
                        ("it is trusted no more: new connections are not asked", [])):
        with judge.case(what):
            if hosts is not None:
                with open(file, "w") as to:
                    json.dump({**document, "trusted_hosts": hosts}, to)
                shell(server, "topology", "import", file)
            if asks_for_certificate(server) != bool(hosts):
                raise Failed("asked" if not hosts else "not asked")


def failed_call_is_explained(judge, out, server):
    """Nobody traces, a call fails, and afterwards the shell shows its messages and says why."""
    caller = server.account("caller")
    with judge.case("the ladder of a failed call is there although nobody traced"):
        link = Udp(server.address("udp"))
        target = f"sip:kept@{server.domain}"
        contact = f"Contact: <sip:caller@{link.host}:{link.port}>\r\n"
        answer = ask(link, "INVITE", target, caller, "unexplained", contact, to=f"<{target}>")
        link.close()
        if status(answer) != 480:
            raise Failed(f"INVITE to a user without an endpoint was answered {status(answer)}")
        told = ""
        for _ in range(50):
            time.sleep(0.2)
            done = subprocess.run([server.binary, "trace", "show", "unexplained", "--socket", server.facts["socket"]],
                                  capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
            told = done.stdout + done.stderr
            if done.returncode == 0:
                break
        for wanted in ("INVITE", "480", "sign"):
            if wanted not in told:
                raise Failed(f"no {wanted} in {told!r}")
        if caller.password in told or 'response="<secret>"' in told:
            raise Failed("secrets are shown, or credentials of a message that is not drawn")


class Terminal:
    """A person at a terminal: a program on a pseudo-terminal that answers where the cursor is, as terminals do."""

    def __init__(self, argv, home):
        self.text = b""
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.environ.update(HOME=home, XDG_STATE_HOME="", TERM="xterm", LYCEUM_SOCKET="")
            os.execv(argv[0], argv)
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))

    def expect(self, wanted, seconds=10.0):
        """Reads until the text is there; what was read is then forgotten."""
        end = time.monotonic() + seconds
        while wanted.encode() not in self.text:
            ready, _, _ = select.select([self.file], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise Failed(f"no {wanted!r} but {self.text[-300:]!r}")
            piece = os.read(self.file, 4096)
            for _ in range(piece.count(b"\x1b[6n")):
                os.write(self.file, b"\x1b[1;1R")
            # Colours and movements of the cursor are not what a person reads.
            self.text += re.sub(rb"\x1b(\[[0-9;?]*[a-zA-Z]|[0-9=>])", b"", piece)
        self.text = self.text.split(wanted.encode(), 1)[1]

    def type(self, keys):
        os.write(self.file, keys.encode())

    def exit_code(self):
        end = time.monotonic() + 10.0
        while time.monotonic() < end:
            try:
                if select.select([self.file], [], [], 0.1)[0]:
                    os.read(self.file, 4096)
            except OSError:
                pass
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                os.close(self.file)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise Failed("the shell does not end")


def interactive_shell(judge, out, server):
    argv = [server.binary, "shell", "--socket", server.facts["socket"]]
    with judge.case("the shell: prompt with the server's name, completion, an error that ends nothing, exit"):
        person = Terminal(argv, out)
        person.expect("node1> ")
        person.type("user get nobody\r")
        person.expect("error")
        person.expect("node1> ")
        person.type("stat\t")
        person.expect("status")
        person.type("\r")
        person.expect("TOPOLOGY")
        person.expect("node1> ")
        person.type("exit\r")
        code = person.exit_code()
        if code != 0:
            raise Failed(f"exit code {code}")
    with judge.case("the shell: the next session has the history of the last"):
        person = Terminal(argv, out)
        person.expect("node1> ")
        person.type("\x1b[A\x1b[A")
        person.expect("status")
        person.type("\x15exit\r")
        person.exit_code()
    with judge.case("the shell: a script stops at its first failure"):
        script = "status\nuser get nobody@nowhere.example\ntopology versions\n"
        done = subprocess.run(argv, input=script, capture_output=True, text=True, timeout=20)
        if done.returncode != 4 or "line 2: user get" not in done.stderr or "AUTHOR" in done.stdout:
            raise Failed(f"exit code {done.returncode}, {done.stderr!r}")


def run(judge, out, server):
    os.makedirs(out, exist_ok=True)
    judge.scenario("certificates_are_asked_for_when_trusted", certificates_are_asked_for_when_trusted, out, server)
    judge.scenario("old_clients_are_told", old_clients_are_told, out, server)
    judge.scenario("shell_tries_presence_and_messages", shell_tries_presence_and_messages, out, server)
    judge.scenario("clients_find_the_pool", clients_find_the_pool, out, server)
    judge.scenario("interactive_shell", interactive_shell, out, server)
    judge.scenario("failed_call_is_explained", failed_call_is_explained, out, server)
    judge.scenario("sha_256_alone", sha_256_alone, out, server)
