"""Accounts from elsewhere: people of OpenLDAP's server have accounts here, sign in with its password, change and leave; an
OpenID Connect issuer vouches for people, and for nobody when it does so wrongly."""

import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from harness.issuer import CLIENT, SECRET, Issuer, Key
from harness.process import Failed, until
from harness.slapd import PEOPLE, SEARCHER, SEARCHER_PASSWORD, Slapd

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEVICE = "11111111-2222-4333-8444-555555555555"


def expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found!r}, not {wanted!r}")


class Shell:
    """The management shell over the local socket."""

    def __init__(self, server):
        self.server = server

    def run(self, *words, text=""):
        argv = [self.server.binary, *words, "--socket", self.server.facts["socket"]]
        return subprocess.run(argv, input=text, capture_output=True, text=True, timeout=60)

    def text(self, *words, text=""):
        done = self.run(*words, text=text)
        if done.returncode != 0:
            raise Failed(f"{' '.join(words)}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()[:2000]}")
        return done.stdout

    def json(self, *words):
        return json.loads(self.text(*words, "--output", "json"))

    def refused(self, *words):
        done = self.run(*words)
        if done.returncode == 0:
            raise Failed(f"{' '.join(words)} was not refused: {done.stdout[:300]}")
        return done.stdout + done.stderr

    def accounts(self, **sections):
        """Puts the section accounts into the topology."""
        document = json.loads(self.text("topology", "export", "--output", "json"))
        document["accounts"] = sections
        path = os.path.join(self.server.folder, "topology.json")
        with open(path, "w") as file:
            json.dump(document, file)
        return self.text("topology", "publish", path, "--yes")

    def user(self, name):
        return self.json("user", "get", f"{name}@{self.server.domain}")


def https(server, method, path, body=None, headers=(), ca=None):
    """Status, headers and body of an answer of the HTTPS port; redirects are not followed."""
    context = ssl.create_default_context(cafile=ca or server.ca)

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), Stay)
    base = path if "://" in path else f"https://127.0.0.1:{server.ports['https']}{path}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base, data=data, method=method, headers=dict(headers))
    if data is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def sign_in(server, user, password):
    """The session, or the code of the refusal."""
    body = {"address": f"{user}@{server.domain}", "password": password, "device": DEVICE, "device_name": "judge"}
    _, _, text = https(server, "POST", "/api/v1/client/session", body)
    answer = json.loads(text)
    return answer if "token" in answer else answer["code"]


def section(slapd, **more):
    return {"url": slapd.url, "base": PEOPLE, "bind_dn": SEARCHER, "kind": "inet_org_person", "interval_seconds": 0,
            "page_size": 10, "attributes": {"disabled": "employeeType"}, **more}


def sync(judge, server, shell, slapd):
    with judge.case("a section that cannot be right is refused with every fault"):
        text = shell_refusal(shell, url="dc1.lyceum.test", base="people", page_size=0)
        for code in ("accounts.ldap.url", "accounts.ldap.base", "accounts.ldap.page_size"):
            if code not in text:
                raise Failed(f"{code} is not named: {text[:600]}")
    with judge.case("passwords do not cross a network in the clear unless somebody says so"):
        text = shell_refusal(shell, url="ldap://dc1.lyceum.test", base=PEOPLE)
        if "in the clear" not in text:
            raise Failed(text[:400])
    with judge.case("the test says which step fails, and is content when all is set"):
        shell.accounts(ldap=section(slapd))
        if "accounts secret ldap" not in shell.refused("accounts", "test"):
            raise Failed("it does not say that the password is missing")
        shell.text("accounts", "secret", "ldap", "--stdin", text=SEARCHER_PASSWORD + "\n")
        checks = shell.json("accounts", "test")
        expect([(one["step"], one["passed"]) for one in checks],
               [("connect", True), ("bind", True), ("search", True), ("map", True)], "the steps")
    with judge.case("a dry run names everybody and changes nothing"):
        report = shell.json("accounts", "sync", "--what-if")
        expect((report["what_if"], report["people"], report["new"]), (True, 35, 34), "the report")
        refused = [one for one in report["items"] if one["action"] == "refused"]
        expect(len(refused), 2, "refused")
        if not any("alice-udp" in one["address"] and "made by hand" in one["what"] for one in refused):
            raise Failed(f"{refused}")
        shell.refused("user", "get", f"lena@{server.domain}")
    with judge.case("people become users with what is known of them; who was made by hand stays as they are"):
        by_hand = shell.user("alice-udp")
        report = shell.json("accounts", "sync")
        expect((report["new"], report["refused"]), (34, 2), "the report")
        lena = shell.user("lena")
        for field, value in (("display_name", "Lena Lindner"), ("mail", "lena@example.com"), ("title", "Architect"),
                             ("company", "Lyceum"), ("department", "Planning"), ("numbers", ["tel:+493012345"])):
            expect(lena[field], value, field)
        expect(lena["source"], "ldap", "the source")
        expect(shell.user("alice-udp"), by_hand, "alice-udp")
        expect("source" in by_hand, False, "a source of who was made by hand")
        expect(shell.user("person07")["numbers"], [], "a number that is none")
    with judge.case("a second sync finds nothing to do"):
        report = shell.json("accounts", "sync")
        expect((report["new"], report["changed"], report["removed"], report["same"]), (0, 0, 0, 34), "the report")
    with judge.case("the audit list says what was changed, and no secret"):
        lines = shell.text("audit", "get", "--limit", "200", "--output", "jsonl")
        if "accounts.sync" not in lines or f"lena@{server.domain}" not in lines:
            raise Failed("there is no line")
        exported = shell.text("topology", "export") + lines + shell.text("accounts", "status", "--output", "json")
        if SEARCHER_PASSWORD in exported:
            raise Failed("a password is shown")


def shell_refusal(shell, **section):
    try:
        shell.accounts(ldap=section)
    except Failed as why:
        return str(why)
    raise Failed("it was published")


def changes(judge, server, shell, slapd):
    with judge.case("a change shows as a difference, field by field, and is carried out"):
        slapd.replace("lena", "title", "Director")
        report = shell.json("accounts", "sync", "--what-if")
        items = [one for one in report["items"] if one["action"] != "refused"]
        expect(items, [{"action": "set", "address": f"lena@{server.domain}", "changes": [
            {"path": "title", "before": "Architect", "after": "Director"}]}], "the difference")
        table = shell.text("accounts", "sync")
        if "title: Architect -> Director" not in table:
            raise Failed(table)
        expect(shell.user("lena")["title"], "Director", "the title")
    with judge.case("who is disabled there is disabled here, and comes back"):
        slapd.replace("lena", "employeeType", "TRUE")
        expect(shell.json("accounts", "sync")["disabled"], 1, "disabled")
        expect(shell.user("lena")["enabled"], False, "enabled")
        slapd.replace("lena", "employeeType", "FALSE")
        shell.text("accounts", "sync")
        expect(shell.user("lena")["enabled"], True, "enabled again")
    with judge.case("who is disabled here by hand stays so"):
        shell.text("user", "disable", f"person01@{server.domain}")
        shell.text("accounts", "sync")
        expect(shell.user("person01")["enabled"], False, "enabled")
    with judge.case("who leaves is disabled; with gone: remove the user goes"):
        slapd.remove("person02")
        expect(shell.json("accounts", "sync")["disabled"], 1, "disabled")
        expect(shell.user("person02")["enabled"], False, "enabled")
        shell.accounts(ldap=section(slapd, gone="remove"))
        slapd.remove("person03")
        expect(shell.json("accounts", "sync")["removed"], 2, "removed")
        shell.refused("user", "get", f"person03@{server.domain}")
    with judge.case("a sync that would take too many away stops, says so, and does it when forced"):
        for number in range(10, 15):
            slapd.remove(f"person{number}")
        if "--force" not in shell.text("accounts", "sync", "--what-if"):
            raise Failed("the dry run does not say that it would stop")
        text = shell.refused("accounts", "sync")
        if "5 of 32 accounts" not in text or "accounts-sync-stopped" not in text:
            raise Failed(text)
        shell.user("person10")
        expect(shell.json("accounts", "status")[0]["state"], "stopped", "the state")
        expect(shell.json("accounts", "sync", "--force")["removed"], 5, "removed")
    with judge.case("nobody found at all is a fault of the search, not everybody gone"):
        shell.accounts(ldap=section(slapd, filter="(uid=nobody)", max_removed_percent=100))
        if "accounts-sync-stopped" not in shell.refused("accounts", "sync"):
            raise Failed("it did not stop")
        shell.accounts(ldap=section(slapd))


def people_sign_in(judge, server, shell, slapd):
    with judge.case("a page opens with the directory server's password, and with no other"):
        session = sign_in(server, "lena", "pw-lena")
        expect(session["user"]["display_name"], "Lena Lindner", "who signed in")
        for password in ("pw-other", "", "pw-lena "):
            expect(sign_in(server, "lena", password), "client-sign-in-refused", f"the password {password!r}")
        expect(sign_in(server, "nobody-here", "pw-lena"), "client-sign-in-refused", "somebody unknown")
    with judge.case("the token opens the client's API"):
        status, _, text = https(server, "GET", "/api/v1/client/provisioning", None,
                                {"Authorization": f"Bearer {session['token']}"})
        expect(status, 200, text[:200])
    with judge.case("who was made by hand signs in with the password kept here"):
        expect(sign_in(server, "alice-udp", server.users["alice-udp"])["user"]["address"],
               f"alice-udp@{server.domain}", "who signed in")
    with judge.case("a phone's password is made here, shown once, and opens no page"):
        told = shell.text("user", "set", f"person05@{server.domain}", "--generate")
        password = told.split("password of ", 1)[1].split(": ", 1)[1].split()[0]
        expect(sign_in(server, "person05", password), "client-sign-in-refused", "the phone's password")
        expect(sign_in(server, "person05", "pw-person05")["user"]["address"], f"person05@{server.domain}", "who")
    with judge.case("who is disabled is refused although the directory server would let them in"):
        expect(sign_in(server, "person01", "pw-person01"), "client-sign-in-refused", "somebody disabled")


def by_itself(judge, server, shell, slapd):
    with judge.case("by TLS only with the authority that vouches, from the start and by StartTLS"):
        shell.accounts(ldap=section(slapd, url=slapd.tls_url))
        if "certificate" not in shell.refused("accounts", "test").lower():
            raise Failed("the certificate is not to blame")
        shell.accounts(ldap=section(slapd, url=slapd.tls_url, authorities=slapd.ca))
        shell.text("accounts", "test")
        shell.accounts(ldap=section(slapd, start_tls=True, authorities=slapd.ca))
        shell.text("accounts", "test")
        expect(sign_in(server, "lena", "pw-lena")["user"]["address"], f"lena@{server.domain}", "who signed in")
    with judge.case("the server follows by itself"):
        shell.accounts(ldap=section(slapd, interval_seconds=10))
        slapd.add("newcomer", "Nora Newcomer")
        until(lambda: shell.run("user", "get", f"newcomer@{server.domain}").returncode == 0, 30, "the newcomer")
    with judge.case("when the directory server is away nobody is lost, pages say so, and all is well afterwards"):
        slapd.stop()
        until(lambda: shell.json("accounts", "status")[0]["state"] == "failed", 30, "the status says so")
        expect(shell.user("lena")["enabled"], True, "lena")
        expect(sign_in(server, "lena", "pw-lena"), "accounts-server-fault", "sign-in")
        expect(sign_in(server, "alice-udp", server.users["alice-udp"])["user"]["address"],
               f"alice-udp@{server.domain}", "who was made by hand")
        slapd.start()
        until(lambda: shell.json("accounts", "status")[0]["state"] == "ok", 30, "the status says that it is back")
        expect(sign_in(server, "lena", "pw-lena")["user"]["address"], f"lena@{server.domain}", "who signed in")
    with judge.case("a wrong password of who searches is named"):
        shell.text("accounts", "secret", "ldap", "--stdin", text="wrong\n")
        text = shell.refused("accounts", "sync")
        if "does not let" not in text:
            raise Failed(text)


class Browser:
    """What a browser does when somebody presses `Sign in with …`: follows redirects, keeps cookies, runs no script."""

    def __init__(self, server, issuer, authority):
        self.server, self.issuer, self.authority, self.cookies = server, issuer, authority, {}

    def get(self, url, ca=None):
        """Status and where it leads."""
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        status, headers, _ = https(self.server, "GET", url, headers={"Cookie": jar} if jar and not ca else {}, ca=ca)
        for line in headers.get_all("Set-Cookie") or []:
            for word in ("Secure", "HttpOnly", "SameSite="):
                if word not in line:
                    raise Failed(f"a cookie without {word}: {line}")
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return status, headers.get("Location", "")

    def away(self):
        """Where the issuer sends the browser back to."""
        status, location = self.get(f"/sign-in/issuer?device={DEVICE}")
        expect((status, location.startswith(self.issuer.url + "/auth?")), (302, True), f"the way there, {location}")
        status, back = self.get(location, ca=self.authority)
        expect((status, back.startswith("https://127.0.0.1:")), (302, True), "the issuer's answer")
        return back

    def page(self, back):
        """The session that the page gets afterwards, or the code of the refusal."""
        status, location = self.get(back)
        expect(status, 302, "the way back")
        if location != "/client/":
            return location.removeprefix("/client/?sign-in=")
        return self.refresh()

    def refresh(self, device=DEVICE):
        name = "__Secure-lyceum-client"
        status, _, text = https(self.server, "POST", "/api/v1/client/session/refresh", {"device": device},
                                {"Cookie": f"{name}={self.cookies[name]}"})
        return json.loads(text) if status == 201 else json.loads(text)["code"]


def page(server, out, expected):
    """The sign-in page in Chromium."""
    script = os.path.join(ROOT, "web", "client", "build", "issuer.mjs")
    argv = ["node", script, "--base", f"https://127.0.0.1:{server.ports['https']}", "--name", "Staff", "--expect", expected,
            "--picture", os.path.join(out, f"page-{expected.split()[0].lower()}.png")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failed((done.stdout or done.stderr).strip()[-600:])


def issuer_section(issuer, slapd, **more):
    return {"name": "Staff", "issuer": issuer.url, "client_id": CLIENT, "authorities": slapd.ca, **more}


def vouched(judge, server, shell, slapd, issuer):
    lena = f"lena@{server.domain}"
    browser = lambda: Browser(server, issuer, slapd.ca)
    ways = lambda: json.loads(https(server, "GET", "/api/v1/client/sign-in")[2])
    with judge.case("no button without an issuer, and one with"):
        expect(ways(), {}, "the ways to sign in")
        page(server, issuer.folder, "no-button")
        shell.accounts(ldap=section(slapd), oidc=issuer_section(issuer, slapd))
        shell.text("accounts", "secret", "oidc", "--stdin", text=SECRET + "\n")
        expect(ways(), {"issuer": {"name": "Staff", "path": "/sign-in/issuer"}}, "the ways to sign in")
        checks = [one for one in shell.json("accounts", "test") if one["source"] == "oidc"]
        expect([one["passed"] for one in checks], [True, True], "the test")
    with judge.case("who the issuer vouches for signs in; no token is in an address"):
        issuer.claims = {"email": lena, "email_verified": True}
        first = browser()
        back = first.away()
        session = first.page(back)
        expect(session["user"]["address"], lena, "who signed in")
        expect(issuer.faults, [], "what the issuer finds wrong")
        if session["token"] in back or "id_token" in back:
            raise Failed("a token is in an address")
        expect(first.refresh("99999999-2222-4333-8444-555555555555"), "client-session-over", "another device")
    with judge.case("in a browser the button leads to the issuer and into the page"):
        page(server, issuer.folder, "signed-in")
    with judge.case("a code is good once, and only in the browser that asked"):
        expect(first.page(back), "oidc-sign-in-refused", "the same answer again")
        stolen = browser().away()
        expect(browser().page(stolen), "oidc-sign-in-refused", "an answer in another browser")
        other = browser()
        other.away()
        expect(other.page(browser().away()), "oidc-sign-in-refused", "an answer to another question")
    spoiled = [
        ("with the algorithm none", lambda header, claims: header.update(alg="none")),
        ("for another client", lambda header, claims: claims.update(aud="another")),
        ("for another sign-in", lambda header, claims: claims.update(nonce="x" * 43)),
        ("by another issuer", lambda header, claims: claims.update(iss="https://login.example.com")),
        ("that is over", lambda header, claims: claims.update(iat=claims["iat"] - 900, exp=claims["exp"] - 900)),
        ("of a key nobody knows", lambda header, claims: header.update(kid="rsa-9")),
    ]
    for what, change in spoiled:
        with judge.case(f"a token {what} opens nothing"):
            issuer.change = change
            one = browser()
            expect(one.page(one.away()), "oidc-sign-in-refused", "the page")
    issuer.change = None
    with judge.case("a token signed by somebody else opens nothing"):
        published, issuer.keys = issuer.keys, [Key(issuer.folder, "rsa-x", "RS256")]
        issuer.keys[0].kid = published[0].kid
        one = browser()
        expect(one.page(one.away()), "oidc-sign-in-refused", "the page")
        issuer.keys = published
    with judge.case("who has no account gets none unless that is wanted"):
        issuer.claims = {"sub": "olga-1", "preferred_username": "olga", "name": "Olga Other", "email": "olga@example.com"}
        shell.accounts(ldap=section(slapd), oidc=issuer_section(issuer, slapd, claim="preferred_username"))
        one = browser()
        expect(one.page(one.away()), "oidc-no-account", "the page")
        page(server, issuer.folder, "You have no account here.")
        shell.refused("user", "get", f"olga@{server.domain}")
        shell.accounts(ldap=section(slapd), oidc=issuer_section(issuer, slapd, claim="preferred_username", create=True))
        one = browser()
        expect(one.page(one.away())["user"]["display_name"], "Olga Other", "who signed in")
        expect(shell.user("olga")["mail"], "olga@example.com", "the mail address")
    with judge.case("who is disabled here is refused, and so is an unverified mail address"):
        shell.text("user", "disable", f"olga@{server.domain}")
        one = browser()
        expect(one.page(one.away()), "oidc-no-account", "the page")
        shell.accounts(ldap=section(slapd), oidc=issuer_section(issuer, slapd))
        issuer.claims = {"email": lena, "email_verified": False}
        one = browser()
        expect(one.page(one.away()), "oidc-no-account", "the page")
        issuer.claims = {"email": lena}
        one = browser()
        expect(one.page(one.away()), "oidc-no-account", "of which the issuer says nothing")
        shell.accounts(ldap=section(slapd), oidc=issuer_section(issuer, slapd, trust_unverified_mail=True))
        one = browser()
        expect(one.page(one.away())["user"]["address"], lena, "who signed in, since the administrator trusts it")
    with judge.case("somebody of another domain is nobody here, even where people without one get ours"):
        shell.accounts(ldap=section(slapd), oidc=issuer_section(issuer, slapd, domain=server.domain))
        issuer.claims = {"email": "lena@evil.example", "email_verified": True}
        one = browser()
        expect(one.page(one.away()), "oidc-no-account", "the page")
    with judge.case("a user is one person of the issuer, until an administrator says otherwise"):
        issuer.claims = {"sub": "somebody-else", "email": lena, "email_verified": True}
        one = browser()
        expect(one.page(one.away()), "oidc-no-account", "another person of the same name")
        shell.text("user", "set", lena, "--untie")
        one = browser()
        expect(one.page(one.away())["user"]["address"], lena, "who signed in")
        issuer.claims = {"email": lena, "email_verified": True}
        one = browser()
        expect(one.page(one.away()), "oidc-no-account", "the first person, now that another is tied")
        shell.text("user", "set", lena, "--untie")
    with judge.case("a new key of the issuer is found, of the other algorithm too"):
        issuer.claims = {"email": lena, "email_verified": True}
        before = issuer.asked["keys"]
        issuer.keys = [*issuer.keys, Key(issuer.folder, "ec-2", "ES256")]
        one = browser()
        # Keys are not asked for again at once because a token names another.
        until(lambda: time.sleep(1) or isinstance(one.page(one.away()), dict), 60, "the new key counts")
        if issuer.asked["keys"] == before:
            raise Failed("the keys were not asked for")
    with judge.case("an issuer that is away is said to be so"):
        issuer.stop()
        shell.accounts(ldap=section(slapd), oidc=issuer_section(issuer, slapd, name="Gone"))
        expect(browser().get(f"/sign-in/issuer?device={DEVICE}"), (302, "/client/?sign-in=accounts-server-fault"), "the page")
        if "does not answer" not in shell.refused("accounts", "test"):
            raise Failed("the test does not say so")


def run(judge, out, server):
    slapd = Slapd(out).start()
    slapd.add("lena", "Lena Lindner", mail="lena@example.com", title="Architect", o="Lyceum", departmentNumber="Planning",
              telephoneNumber="+49 30 123-45", employeeType="FALSE")
    slapd.add("alice-udp", "Alice Another")
    for number in range(33):
        more = {"telephoneNumber": "0049 30 7"} if number == 7 else {}
        slapd.add(f"person{number:02}", f"Person {number:02}", **more)
    shell = Shell(server)
    for scenario in (sync, changes, people_sign_in, by_itself):
        scenario(judge, server, shell, slapd)
    shell.text("accounts", "secret", "ldap", "--stdin", text=SEARCHER_PASSWORD + "\n")
    vouched(judge, server, shell, slapd, Issuer(slapd.folder, *slapd.certificate))
    slapd.stop()
