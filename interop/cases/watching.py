"""Who watches whom: watcher information (RFC 3857), new watchers, polling, the client's own document (RFC 6080), privacy,
and what the pages show of it."""

import json
import os
import re
import subprocess
import time

from cases.policy import shell
from harness import browser
from harness.page import Page
from harness.process import Failed, until
from harness.server import Lyceum
from harness.subscriber import Subscriber, Watchers, body
from harness.wire import Udp, header, register, status

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAMES = ("anna", "ben", "cleo", "dora", "emil", "fay", "gil", "hana", "ida", "jon", "kim", "lars")
SECONDS = 240
TESTER = "lyceum-test-1"
PEOPLE = {f"see-{name}": f"pw-see-{name}" for name in NAMES}
WINFO = "application/watcherinfo+xml"
LISTS = ("application/pidf+xml, application/rlmi+xml, multipart/related", ("Supported: eventlist",))
# The promise: a change is seen everywhere within two seconds. What runs beside may delay it, so a case waits longer, and
# judges the time where the case is about the time.
SEEN = 2.0


def uri(server, user):
    return f"sip:{user}@{server.domain}"


def to_own_list(server, watcher):
    """As a person's page watches: one subscription to all contacts (RFC 4662)."""
    return Subscriber(server, watcher, f"{uri(server, watcher)};list=contacts", accept=LISTS[0], extra=LISTS[1])


def to_given_list(server, watcher, *watched):
    """A list that comes with the request (RFC 5367)."""
    entries = "".join(f'<entry uri="{uri(server, one)}"/>' for one in watched)
    content = f'<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>{entries}</list></resource-lists>'
    extra = (*LISTS[1], "Require: recipient-list-subscribe", "Content-Type: application/resource-lists+xml", "Content-Disposition: recipient-list")
    return Subscriber(server, watcher, f"sip:list@{server.domain}", accept=LISTS[0], extra=extra, content=content.encode())


def granted(subscriber):
    if status(subscriber.ok) != 200:
        raise Failed(f"SUBSCRIBE of {subscriber.account.user} to {subscriber.uri} was answered {status(subscriber.ok)}")
    return subscriber


def add_contact(server, user, other):
    page = Page(server, user)
    code, told = page.ask("POST", "/contacts/entries", {"address": f"{other}@{server.domain}", "groups": [], "favourite": False})
    if code not in (200, 201):
        raise Failed(f"{user} adds {other}: {code} {told}")
    return page


def says(server, user, choice, note):
    """What a person's page sets; the page."""
    page = Page(server, user)
    code, told = page.ask("PUT", "/presence", {"choice": choice, "note": note})
    if code != 200:
        raise Failed(f"{user} sets {choice}: {code} {told}")
    return page


# ---- watcher information

def them(server, *names):
    return sorted(uri(server, f"see-{name}") for name in names)


def watcher_information(judge, out, server):
    of = uri(server, "see-anna")
    with judge.case("watcher information: the first document is full and has nobody; nobody else gets it"):
        info = granted(Subscriber(server, "see-anna", of, "presence.winfo", WINFO))
        seen = Watchers(info)
        _, first = info.told()
        if header(first, "content-type") != WINFO or not header(first, "subscription-state").startswith("active"):
            raise Failed(f"{header(first, 'content-type')}, {header(first, 'subscription-state')}")
        if seen.take(first) != of or seen.active():
            raise Failed(f"{body(first)}")
        curious = Subscriber(server, "see-ben", of, "presence.winfo", WINFO)
        curious.close()
        if status(curious.ok) != 403:
            raise Failed(f"another person's watchers: {status(curious.ok)}")
    with judge.case("watcher information: who subscribes is told at once, under the next version"):
        ben, gil = [granted(Subscriber(server, f"see-{name}", of)) for name in ("ben", "gil")]
        seen.until(lambda active: active == them(server, "ben", "gil"), "ben and gil")
    with judge.case("watcher information: a second subscription of the owner's has them all at once"):
        all_at_once(server, of, them(server, "ben", "gil"))
    with judge.case("watcher information: who stops is gone"):
        ben.again(0)
        seen.until(lambda active: active == them(server, "gil"), "ben gone")
        gil.again(0)
        seen.until(lambda active: active == [], "gil gone")
    for one in (info, ben, gil):
        one.close()


def all_at_once(server, of, wanted):
    other = granted(Subscriber(server, "see-anna", of, "presence.winfo", WINFO))
    seen = Watchers(other)
    seen.take(other.told()[1])
    other.close()
    if seen.active() != wanted:
        raise Failed(f"{seen.active()}")


def watchers_by_list(judge, out, server):
    of = uri(server, "see-anna")
    info = granted(Subscriber(server, "see-anna", of, "presence.winfo", WINFO))
    seen = Watchers(info)
    seen.take(info.told()[1])
    with judge.case("watcher information: who watches by a contact list (RFC 4662) is told"):
        add_contact(server, "see-cleo", "see-anna")
        cleo = granted(to_own_list(server, "see-cleo"))
        seen.until(lambda active: active == them(server, "cleo"), "cleo")
    with judge.case("watcher information: who watches by a list in the request (RFC 5367) is told"):
        dora = granted(to_given_list(server, "see-dora", "see-anna"))
        seen.until(lambda active: active == them(server, "cleo", "dora"), "dora beside her")
    with judge.case("watcher information: whose watched list gets a further contact is told"):
        emil = granted(to_own_list(server, "see-emil"))
        emil.told()
        page = add_contact(server, "see-emil", "see-anna")
        ben = granted(Subscriber(server, "see-ben", of))
        seen.until(lambda active: active == them(server, "ben", "cleo", "dora", "emil"), "emil, and ben who watches her alone")
    with judge.case("watcher information: a second subscription has those of lists too"):
        all_at_once(server, of, them(server, "ben", "cleo", "dora", "emil"))
    with judge.case("watcher information: who stops is gone, whichever way they watched"):
        dora.again(0)
        seen.until(lambda active: active == them(server, "ben", "cleo", "emil"), "dora gone")
        code, _ = page.ask("DELETE", f"/contacts/entries/see-anna@{server.domain}")
        if code not in (200, 204):
            raise Failed(f"emil removes a contact: {code}")
        seen.until(lambda active: active == them(server, "ben", "cleo"), "emil gone")
    for one in (info, ben, cleo, dora, emil):
        one.close()


def waiting(page):
    """New watchers that the owner is asked about."""
    return page.ask("GET", "/contacts")[1].get("pending_watchers", [])


def asked_about(page, server, user, seconds=10):
    """Waits until the owner is asked about this user."""
    address = f"{user}@{server.domain}"
    until(lambda: address in waiting(page), seconds, f"the owner is asked about {user} (is asked about {waiting(page)})")


def answer_all(fay, server, *names):
    """The owner says what they may see."""
    for name in names:
        code, told = fay.ask("PUT", f"/relationships/see-{name}@{server.domain}", {"relationship": "colleagues"})
        if code != 200:
            raise Failed(f"{code} {told}")


def new_watchers(judge, out, server):
    fay = Page(server, "see-fay")
    with judge.case("a new watcher is asked about: one who subscribes alone"):
        gil = granted(Subscriber(server, "see-gil", uri(server, "see-fay")))
        asked_about(fay, server, "see-gil")
    with judge.case("a new watcher is asked about once"):
        answer_all(fay, server, "gil")
        again = granted(Subscriber(server, "see-gil", uri(server, "see-fay")))
        # Whoever comes after is asked about: by then the first was looked at.
        jon = granted(Subscriber(server, "see-jon", uri(server, "see-fay")))
        asked_about(fay, server, "see-jon")
        if waiting(fay) != [f"see-jon@{server.domain}"]:
            raise Failed(f"asked about {waiting(fay)}")
        answer_all(fay, server, "jon")
    for one in (gil, jon, again):
        one.close()


def new_watchers_by_list(judge, out, server):
    fay = Page(server, "see-fay")
    with judge.case("a new watcher is asked about: one whose page adds a contact to a list that it watches"):
        hana = granted(to_own_list(server, "see-hana"))
        hana.told()
        add_contact(server, "see-hana", "see-fay")
        asked_about(fay, server, "see-hana")
    with judge.case("a new watcher is asked about: one who brings a list"):
        ida = granted(to_given_list(server, "see-ida", "see-fay"))
        asked_about(fay, server, "see-ida")
    with judge.case("a new watcher is asked about once, also by lists"):
        answer_all(fay, server, "hana", "ida")
        again = [granted(to_own_list(server, "see-hana")), granted(to_given_list(server, "see-ida", "see-fay"))]
        emil = granted(to_given_list(server, "see-emil", "see-fay"))
        asked_about(fay, server, "see-emil")
        if waiting(fay) != [f"see-emil@{server.domain}"]:
            raise Failed(f"asked about {waiting(fay)}")
    for one in (hana, ida, emil, *again):
        one.close()


# ---- polling, the client's own document

def polling(judge, out, server):
    with judge.case("polling: Expires 0 gives one NOTIFY with the state as it is, and it is the last"):
        says(server, "see-ida", "busy", "counting lamps")
        poll = granted(Subscriber(server, "see-jon", uri(server, "see-ida"), expires=0))
        _, told = poll.told()
        if header(poll.ok, "expires") != "0" or not header(told, "subscription-state").startswith("terminated"):
            raise Failed(f"Expires {header(poll.ok, 'expires')}, {header(told, 'subscription-state')}")
        if b"counting lamps" not in body(told) or b"<basic" not in body(told):
            raise Failed(f"{body(told)}")
    with judge.case("polling: what changes afterwards is told to who watches, and no more to who polled"):
        watcher = granted(Subscriber(server, "see-gil", uri(server, "see-ida")))
        says(server, "see-ida", "busy", "all lamps counted")
        watcher.told(lambda message: b"all lamps counted" in body(message), what="the new note")
        if len(poll.all()) != 1:
            raise Failed(f"{len(poll.all())} NOTIFYs")
        again = granted(Subscriber(server, "see-jon", uri(server, "see-ida"), expires=0))
        if b"all lamps counted" not in body(again.told()[1]):
            raise Failed(f"the second poll has {body(again.all()[0])}")
    for one in (poll, watcher, again):
        one.close()


def own_document(judge, out, server):
    """RFC 6080: a client subscribes to its own document."""
    with judge.case("ua-profile: the first NOTIFY has who I am, my policies, my servers, my ports; nobody else gets it"):
        mine = granted(Subscriber(server, "see-jon", uri(server, "see-jon"), "ua-profile", "application/json"))
        _, told = mine.told()
        document = json.loads(body(told))
        if header(told, "content-type") != "application/json" or document["who"]["address"] != f"see-jon@{server.domain}":
            raise Failed(f"{header(told, 'content-type')}: {document.get('who')}")
        listeners = document["servers"]["listeners"]
        _, port = server.address("udp")
        if not any(one.startswith("udp ") and one.endswith(f":{port}") for one in listeners):
            raise Failed(f"servers {listeners}")
        if document["policies"]["presence"]["privacy_mode"] is not False or not document["qos"]["modalities"]:
            raise Failed(f"{document}")
        over_https = Page(server, "see-jon").ask("GET", "/provisioning")[1]
        if over_https["policies"] != document["policies"]:
            raise Failed("HTTPS tells other policies")
        other = Subscriber(server, "see-gil", uri(server, "see-jon"), "ua-profile", "application/json")
        other.close()
        if status(other.ok) != 403:
            raise Failed(f"somebody else's document: {status(other.ok)}")
    mine.close()


def own_document_changes(judge, out, server):
    kib = lambda message: json.loads(body(message))["policies"]["message"]["max_body_kib"]
    with judge.case("ua-profile: a change of policy is told while the server runs, and taken back likewise"):
        mine = granted(Subscriber(server, "see-jon", uri(server, "see-jon"), "ua-profile", "application/json"))
        usual = kib(mine.told()[1])
        shell(server, "policy", "set", "message", "global", "max_body_kib=77")
        mine.told(lambda message: kib(message) == 77, what="the new policy")
        shell(server, "policy", "set", "message", "global", "max_body_kib=")
        mine.told(lambda message: kib(message) == usual, what="the usual policy")
    mine.close()


# ---- privacy

def choose_privacy(server, user, on):
    page = Page(server, user)
    contacts = page.ask("GET", "/contacts")[1]
    contacts.pop("pending_watchers", None)
    version = {"If-Match": f'"{contacts["version"]}"'}
    code, told = page.ask("PUT", "/contacts", {**contacts, "privacy_mode": on}, more=version)
    if code != 200:
        raise Failed(f"{user} sets privacy mode: {code} {told}")


def privacy(judge, out, server):
    """One on the contact list and three who are not, each of whom watches another way."""
    note = b"in the boathouse"
    visible = lambda message: note in body(message) and b"<basic>open" in body(message)
    with judge.case("privacy mode: before it, colleagues see state and note"):
        add_contact(server, "see-anna", "see-ben")
        add_contact(server, "see-dora", "see-anna")
        phone = Udp(server.address("udp"))
        if status(register(phone, server.account("see-anna"), "anna-here", f"sip:see-anna@{phone.host}:{phone.port}")) != 200:
            raise Failed("anna cannot sign in")
        says(server, "see-anna", "busy", note.decode())
        of = uri(server, "see-anna")
        ben, cleo = [granted(Subscriber(server, f"see-{name}", of)) for name in ("ben", "cleo")]
        dora, emil = granted(to_own_list(server, "see-dora")), granted(to_given_list(server, "see-emil", "see-anna"))
        for one in (ben, cleo, dora, emil):
            one.told(visible, what="the note")
    hidden = []
    with judge.case("privacy mode: set by policy on the running server, colleagues who are no contacts lose sight"):
        began = time.monotonic()
        shell(server, "policy", "set", "presence", "global", "privacy_mode=true")
        for one in (cleo, dora, emil):
            came, message = one.told(lambda message: b"see-anna" in body(message) and not visible(message), what="a state without the note")
            hidden.append(came - began)
            if b"busy" in body(message) or b'<basic>open' in body(message):
                raise Failed(f"{one.account.user} still sees {body(message)}")
    with judge.case(f"privacy mode: within two seconds (took {', '.join(f'{one:.2f}' for one in hidden)} s)"):
        if max(hidden) > SEEN:
            raise Failed(f"{hidden}")
    with judge.case("privacy mode: a contact sees as before"):
        poll = granted(Subscriber(server, "see-ben", of, expires=0))
        if not visible(poll.told()[1]) or not visible(ben.all()[-1]):
            raise Failed(f"{body(poll.all()[-1])}")
        poll.close()
        stranger = granted(Subscriber(server, "see-fay", of, expires=0))
        if visible(stranger.told()[1]):
            raise Failed(f"one who asks anew sees {body(stranger.all()[-1])}")
        stranger.close()
    with judge.case("privacy mode: taken back, they see again"):
        shell(server, "policy", "set", "presence", "global", "privacy_mode=")
        for one in (cleo, dora, emil):
            one.told(visible, what="the note again")
    with judge.case("privacy mode: chosen by the person alone, it hides from the same, and is taken back"):
        choose_privacy(server, "see-anna", True)
        for one in (cleo, dora, emil):
            one.told(lambda message: b"see-anna" in body(message) and not visible(message), what="a state without the note")
        choose_privacy(server, "see-anna", False)
        for one in (cleo, dora, emil):
            one.told(visible, what="the note once more")
        if not all(visible(message) for message in ben.all()[1:]):
            raise Failed("the contact lost sight")
    for one in (ben, cleo, dora, emil, phone):
        one.close()


# ---- the shell's own tests

def tries(server, *words):
    """Exit code, output and what went wrong of `lyceum test`."""
    argv = [server.binary, "test", *words, "--socket", server.facts["socket"]]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def shell_tests(judge, out, server):
    for what, measured in (("presence", r"saw the change after \d+ ms"), ("im", r"arrived after \d+ ms")):
        with judge.case(f"lyceum test {what}: exit code 0, and says in words what was measured"):
            code, told, wrong = tries(server, what, "--within-ms", "10000")
            if code != 0 or not re.search(measured, told):
                raise Failed(f"{code}: {told!r} {wrong!r}")
    with judge.case("lyceum test presence, im: a wrong password is an exit code and a sentence that names the step"):
        new = subprocess.run([server.binary, "user", "set", f"{TESTER}@{server.domain}", "--password-stdin", "--socket", server.facts["socket"]],
                             input="another-password-1\n", capture_output=True, text=True, timeout=20)
        if new.returncode != 0:
            raise Failed(f"{new.stderr}")
        for what in ("presence", "im"):
            code, told, wrong = tries(server, what)
            if code == 0 or not re.search(r"(401|407|403|password|credentials)", told + wrong):
                raise Failed(f"{what}: {code}: {told!r} {wrong!r}")


def shell_tests_without_server(judge, out, server):
    for what in ("presence", "im"):
        with judge.case(f"lyceum test {what}: without a server, an exit code and a sentence"):
            code, told, wrong = tries(server, what)
            lines = [line for line in wrong.splitlines() if line.strip()]
            if code == 0 or not lines or not re.search(r"socket|running|reach|connect", wrong) or "panicked" in wrong:
                raise Failed(f"{code}: {told!r} {wrong!r}")


# ---- what a page shows

def colours(judge, out, server):
    """Steps of the page in Chromium."""
    person = lambda user: f"{user}@{server.domain}:{PEOPLE[user]}"
    log = os.path.join(out, "colours.log")
    argv = ["npm", "--prefix", os.path.join(ROOT, "web"), "run", "--silent", "colours", "--",
            "--base", f"https://127.0.0.1:{server.ports['https']}", "--anna", person("see-kim"), "--ben", person("see-lars"),
            "--out", os.path.join(out, "pictures"), *browser.pages()]
    with open(log, "w") as file:
        subprocess.run(argv, stdout=file, stderr=subprocess.STDOUT, timeout=SECONDS, stdin=subprocess.DEVNULL)
    with open(log) as file:
        lines = [line.rstrip() for line in file]
    told = [line for line in lines if line.startswith(("ok ", "FAIL "))]
    if not told:
        raise Failed(f"the browser told nothing; log {log}: {' '.join(lines[-3:])}")
    for line in told:
        with judge.case(f"page: {line.split(' ', 1)[1]}" if line.startswith("ok ") else "page"):
            if line.startswith("FAIL "):
                raise Failed(f"{line[5:400]}; log {log}")


def run(judge, out, binary, _depth):
    with judge.case("watching: the server starts"):
        server = Lyceum(binary, out, PEOPLE).start()
    for scenario in (watcher_information, watchers_by_list, new_watchers, new_watchers_by_list, polling, own_document, own_document_changes, shell_tests, colours, privacy):
        judge.scenario(scenario.__name__, scenario, out, server)
    with judge.case("watching: the server drains and exits with 0"):
        code = server.stop()
        if code != 0:
            raise Failed(f"exit code {code}; log {server.child.log_path}")
    judge.scenario("shell_tests_without_server", shell_tests_without_server, out, server)
