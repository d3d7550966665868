"""Distribution groups: made in the shell, found in the address book, written to from a phone, answered by everybody."""

import json
import subprocess

from cases.browser import answer as answer_to
from cases.policy import shell
from harness.page import Page
from harness.process import Failed
from harness.server import Lyceum
from harness.wire import Udp, ask, header, register, status

PEOPLE = {name: f"pw-{name}" for name in ("group-anna", "group-ben", "group-carl")}
TEXT = "Content-Type: text/plain\r\n"


def phone(server, user):
    link = Udp(server.address("udp"))
    done = register(link, server.account(user), f"reg-{user}", f"sip:{user}@127.0.0.1:{link.port}")
    if status(done) != 200:
        raise Failed(f"REGISTER of {user}: {status(done)}")
    return link


def heard(link):
    """The next MESSAGE, taken."""
    message = link.receive()
    if not message.startswith(b"MESSAGE "):
        raise Failed(f"expected a MESSAGE, got {message[:60]!r}")
    link.send(answer_to(message, "200 OK"))
    return message


def made(judge, server):
    with judge.case("groups: made in the shell, one within another; a loop is refused"):
        shell(server, "group", "new", "inner", "--member", "group-carl")
        shell(server, "group", "new", "sales", "--display-name", "Sales Team", "--member", "group-ben", "--member", "inner")
        told = json.loads(shell(server, "group", "get", "sales", "--output", "json"))
        told = told[0] if isinstance(told, list) else told
        if told["people"] != 2:
            raise Failed(f"{told}")
        argv = [server.binary, "group", "set", "inner", "--add", "sales", "--socket", server.facts["socket"]]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
        if done.returncode == 0 or "contain itself" not in done.stderr:
            raise Failed(f"{done.returncode}: {done.stderr[:200]}")


def written(judge, server):
    with judge.case("groups: found in the address book, with the people of groups within"):
        anna = Page(server, "group-anna")
        found = anna.ask("GET", "/search?q=team")[1]["groups"]
        wanted = [f"group-{name}@{server.domain}" for name in ("ben", "carl")]
        if [group["members"] for group in found] != [wanted]:
            raise Failed(f"{found}")
    with judge.case("groups: a message to the address reaches each once, and an answer reaches all"):
        links = {user: phone(server, user) for user in PEOPLE}
        sent = ask(links["group-anna"], "MESSAGE", f"sip:sales@{server.domain}", server.account("group-anna"), "to-all", TEXT)
        if status(sent) != 200:
            raise Failed(f"answered {status(sent)}")
        first = heard(links["group-ben"])
        heard(links["group-carl"])
        everybody = f"sip:conversation-{header(first, 'conversation-id')}@{server.domain}"
        back = ask(links["group-ben"], "MESSAGE", everybody, server.account("group-ben"), "from-ben", TEXT)
        if status(back) != 200:
            raise Failed(f"the answer was answered {status(back)}")
        heard(links["group-anna"])
        heard(links["group-carl"])
        for link in links.values():
            link.close()


def run(judge, out, binary, _depth):
    with judge.case("groups: the server starts"):
        server = Lyceum(binary, out, PEOPLE).start()
    made(judge, server)
    with judge.case("groups: they are there after a power cut"):
        server.kill()
        server.start()
        shell(server, "group", "get", "sales")
    written(judge, server)
    with judge.case("groups: the server drains and exits with 0"):
        code = server.stop()
        if code != 0:
            raise Failed(f"exit code {code}; log {server.child.log_path}")
