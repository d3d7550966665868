"""Calendars are fetched from a server of the web: busy times become presence, nothing inside is reached that policy does
not name, and what goes wrong is said."""

import http.server
import json
import threading
import time

from cases.policy import shell
from harness.page import Page
from harness.process import Failed, until
from harness.server import Lyceum
from harness.wire import Udp, register, status

PEOPLE = {"cal-anna": "pw-cal-anna", "cal-ben": "pw-cal-ben"}


def busy_now():
    stamp = lambda ahead: time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + ahead))
    return ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n"
            f"DTSTART:{stamp(-600)}\r\nDTEND:{stamp(3600)}\r\nSUMMARY:Budget\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n").encode()


class Web(http.server.ThreadingHTTPServer):
    """A calendar at /a.ics with an ETag; other paths misbehave."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked = []
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("If-None-Match")))
        say = getattr(self, "at_" + self.path.strip("/").replace(".", "_"), None)
        if say is None:
            return self.say(404, b"")
        say()

    def say(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def at_a_ics(self):
        if self.headers.get("If-None-Match") == '"one"':
            return self.say(304, b"", ETag='"one"')
        self.say(200, busy_now(), ETag='"one"')

    def at_moved(self):
        self.say(302, b"", Location="/a.ics")

    def at_round(self):
        self.say(302, b"", Location="/round")

    def at_inside(self):
        self.say(302, b"", Location=f"https://localhost:{self.server.server_address[1]}/a.ics")

    def at_large(self):
        self.say(200, b"BEGIN:VCALENDAR\r\n" + b"X" * (3 << 20))

    def at_page(self):
        self.say(200, b"<html>Sign in</html>")


def given(page, address):
    code, body = page.ask("PUT", "/calendar", {"address": address})
    if code != 200:
        raise Failed(f"{code} {body}")
    return body


def expect(body, **wanted):
    wrong = {name: body.get(name) for name, value in wanted.items() if body.get(name) != value}
    if wrong:
        raise Failed(f"expected {wanted}, got {body}")


def seen(anna, ben):
    return ben.ask("GET", f"/presence?of={anna.address}")[1]["items"][0]["activity"]


def available(server):
    """A phone that is signed in: without a device a person is offline, whatever the calendar says."""
    link = Udp(server.address("udp"))
    done = register(link, server.account("cal-anna"), "calendar", f"sip:cal-anna@127.0.0.1:{link.port}")
    if status(done) != 200:
        raise Failed(f"REGISTER was answered {status(done)}")
    return link


def bounds(judge, server, web, anna):
    with judge.case("calendar: nothing inside is reached, by http or https, unless policy names it"):
        code, body = anna.ask("PUT", "/calendar", {"address": web.address + "/a.ics"})
        if code != 422 or body["code"] != "calendar-refused":
            raise Failed(f"{code} {body}")
        body = given(anna, web.address.replace("http:", "https:") + "/a.ics")
        expect(body, state="failed", host="127.0.0.1")
        if "own network" not in body["what"] or web.asked:
            raise Failed(f"{body}, asked {web.asked}")


def fetched(judge, server, web, anna, ben):
    with judge.case("calendar: a host that policy names is fetched, and who is busy there is busy here"):
        shell(server, "policy", "set", "presence", "global", 'calendar_hosts=["127.0.0.1"]', "calendar_minutes=1")
        phone = available(server)
        if seen(anna, ben) != "available":
            raise Failed(f"before: {seen(anna, ben)}")
        expect(given(anna, web.address + "/moved"), state="ok", busy=1, source="address", not_understood=0)
        until(lambda: seen(anna, ben) in ("in-a-meeting", "busy"), 5, f"ben sees {seen(anna, ben)}")
        phone.close()
    with judge.case("calendar: the second time only what changed is fetched"):
        given(anna, web.address + "/a.ics")
        expect(given(anna, web.address + "/a.ics"), state="ok", busy=1)
        if web.asked[-1] != ("/a.ics", '"one"'):
            raise Failed(f"asked {web.asked[-1]}")
    with judge.case("calendar: the administrator sees how it goes, and nobody sees the address"):
        told = json.loads(shell(server, "presence", "calendar", anna.address, "--output", "json"))
        told = told[0] if isinstance(told, list) else told
        expect(told, state="ok", host="127.0.0.1", source="address")
        log = open(server.child.log_path).read()
        if "a.ics" in json.dumps(told) or "a.ics" in log:
            raise Failed("the address is shown")


def faults(judge, web, anna):
    for path, words in [("/nothing", "no calendar at this address"), ("/round", "leads on"), ("/large", "over 2 MiB"),
                        ("/page", "no iCalendar feed"), ("/inside", "own network")]:
        with judge.case(f"calendar: {path} is told apart: {words}"):
            body = given(anna, web.address + path)
            expect(body, state="failed")
            if words not in body["what"]:
                raise Failed(body["what"])
            if body["next_read"] <= body.get("last_read", ""):
                raise Failed(f"{body}")


def kept(judge, server, web, anna, ben):
    with judge.case("calendar: after a power cut it is fetched again without being asked for"):
        given(anna, web.address + "/a.ics")
        web.asked.clear()
        server.kill()
        server.start()
        until(lambda: ("/a.ics", None) in web.asked, 20, "it was not fetched")
    with judge.case("calendar: a file instead of an address; then none"):
        ben_page = Page(server, "cal-ben")
        code, body = ben_page.ask("PUT", "/calendar/file", busy_now(), "text/calendar")
        if code != 200:
            raise Failed(f"{code} {body}")
        expect(body, source="file", busy=1, state="ok")
        code, body = ben_page.ask("PUT", "/calendar/file", b"no calendar", "text/calendar")
        if code != 422:
            raise Failed(f"{code} {body}")
        expect(ben_page.ask("GET", "/calendar")[1], source="file", busy=1)
        expect(ben_page.ask("DELETE", "/calendar")[1], source="none", busy=0)


def run(judge, out, binary, _depth):
    web = Web()
    with judge.case("calendar: the server starts"):
        server = Lyceum(binary, out, PEOPLE).start()
        anna, ben = Page(server, "cal-anna"), Page(server, "cal-ben")
    bounds(judge, server, web, anna)
    fetched(judge, server, web, anna, ben)
    faults(judge, web, anna)
    kept(judge, server, web, anna, ben)
    with judge.case("calendar: the server drains and exits with 0"):
        code = server.stop()
        web.shutdown()
        if code != 0:
            raise Failed(f"exit code {code}; log {server.child.log_path}")
