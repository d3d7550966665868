"""What the planner writes, read by the programs it is for; and a plan held against a deployment that runs between filters
which the plan itself wrote."""

import csv
import glob
import io
import json
import os
import re
import subprocess
import xml.etree.ElementTree

from cases.policy import shell
from harness.netns import Named, Networks
from harness.process import Child, Failed
from harness.server import Lyceum

DOMAIN = "lyceum.test"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

LARGE = f"""
[organisation]
name = "Röck & Söhne <\\"$HOME\\"> #1"
sip_domains = ["{DOMAIN}", "example.org"]
[access]
xmpp = true
director = true
[voice]
gateways = ["10.0.0.200"]
[chat]
enabled = true
[vpn]
enabled = true
[[site]]
name = "London"
users = 30000
pair = "Köln"
[[site]]
name = "Köln"
users = 15000
[[site]]
name = "Leeds"
hub = "London"
users = 800
pstn = "local"
[[link]]
from = "London"
to = "Köln"
mbps = 200
[[link]]
from = "Leeds"
to = "London"
mbps = 20
"""

SMALL = f"""
[organisation]
name = "Lyceum"
sip_domains = ["{DOMAIN}"]
[monitoring]
enabled = false
[archiving]
enabled = false
[availability]
high = false
[meetings]
office_web_apps = false
[[site]]
name = "London"
users = 200
edition = "standard"
network = "10.0.0.0/24"
perimeter = "172.16.0.0/24"
public = "198.18.0.0/25"
clients = ["10.128.0.0/24"]
"""


def run(judge, out, binary, _depth):
    judge.scenario("planning: exports", exports, os.path.join(out, "exports"), binary)
    judge.scenario("planning: verify", verify, os.path.join(out, "verify"), binary)
    judge.scenario("planning: page", page, os.path.join(out, "page"), binary)


def tool(*argv, folder=None, env=None):
    """The output of a command that must succeed."""
    whole = {**os.environ, **(env or {})}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, cwd=folder, env=whole)
    if done.returncode != 0:
        raise Failed(f"{' '.join(argv)[:200]}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()[:300]}")
    return done.stdout


def written(folder, text):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "plan.toml")
    with open(path, "w") as file:
        file.write(text)
    return path


# --- exports


def exports(judge, out, binary):
    plan = written(out, LARGE)
    ask = lambda *words: tool(binary, "plan", *words, "--yes")
    path = lambda name: os.path.join(out, name)
    with judge.case("planning: named-checkzone takes every zone, inside, outside and for VPN clients"):
        ask("dns", plan, "--zones", path("zones"))
        zones(binary, plan, path("zones"))
    with judge.case("planning: openssl makes a request of every configuration, with the planned names"):
        ask("certificates", plan, "--requests", path("requests"))
        requests(binary, plan, path("requests"))
    with judge.case("planning: nft takes the rules of the filters and of the VPN gateway"):
        for noun, name in (("firewall", "filter.nft"), ("vpn", "vpn.nft")):
            ask(noun, plan, "--nftables", path(name))
            tool("nft", "--check", "-f", path(name))
    with judge.case("planning: a spreadsheet reader finds in the workbook the figures of the JSON"):
        ask("report", plan, path("plan.xlsx"))
        workbook(binary, plan, path("plan.xlsx"))
    with judge.case("planning: a renderer draws every picture"):
        ask("report", plan, path("pictures"))
        pictures(path("pictures"))


def zones(binary, plan, folder):
    planned = {}
    for record in json.loads(tool(binary, "plan", "dns", plan, "--output", "json"))["dns"]["rows"]:
        planned.setdefault(record["for"], set()).add((record["name"] + ".", record["type"]))
    found = {}
    scopes = {"internal": "inside", "external": "outside", "pinpoint": "VPN clients"}
    for file in sorted(glob.glob(os.path.join(folder, "*.zone"))):
        scope, origin = os.path.basename(file)[:-len(".zone")].split("-", 1)
        # A name of a service holds only itself, and its name server is named in the zone above.
        strict = [] if origin.startswith("_") else ["-i", "local"]
        tool("named-checkzone", "-k", "fail" if not origin.startswith("_") else "ignore", *strict, origin, file)
        text = tool("named-checkzone", "-q", "-D", "-k", "ignore", origin, file)
        for line in text.splitlines():
            name, _, _, kind = line.split()[:4]
            if kind in ("A", "SRV") and not name.startswith("ns1."):
                found.setdefault(scopes[scope], set()).add((name, kind))
    if found != planned:
        wrong = {scope: planned.get(scope, set()) ^ found.get(scope, set()) for scope in scopes.values()}
        raise Failed(f"zones and table differ: {wrong}"[:400])


def requests(binary, plan, folder):
    planned = json.loads(tool(binary, "plan", "certificates", plan, "--output", "json"))["certificates"]["rows"]
    files = sorted(glob.glob(os.path.join(folder, "*.cnf")))
    if len(files) != len(planned):
        raise Failed(f"{len(files)} configurations for {len(planned)} certificates")
    key = os.path.join(folder, "key.pem")
    tool("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
    found = []
    for file in files:
        made = file[:-len(".cnf")] + ".pem"
        tool("openssl", "req", "-new", "-config", file, "-key", key, "-out", made)
        text = tool("openssl", "req", "-verify", "-noout", "-text", "-nameopt", "utf8", "-in", made)
        if "Röck & Söhne" not in text:
            raise Failed(f"{file}: the organisation is not in the subject: {text[:300]}")
        found.append(sorted(set(re.findall(r"DNS:([^,\s]+)", text))))
    wanted = [sorted({row["subject"], *filter(None, (row["alternative_names"] or "").split(", "))}) for row in planned]
    if sorted(found) != sorted(wanted):
        raise Failed(f"names differ: {[names for names in wanted if names not in found][:3]}")


# Debian's package belongs to Debian's own Python.
READER = ["/usr/bin/python3", "-c", """
import json, openpyxl, sys
book = openpyxl.load_workbook(sys.argv[1], data_only=True)
json.dump({sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets}, sys.stdout)
"""]


def workbook(binary, plan, file):
    sheets = json.loads(tool(*READER, file))
    for noun in ("capacity", "bandwidth", "dns", "firewall"):
        for title, table in json.loads(tool(binary, "plan", noun, plan, "--output", "json")).items():
            # What all calculators chose between stands on one sheet.
            if table["rows"] and title != "where_sources_disagree" and not holds(sheets, table["rows"]):
                raise Failed(f"{noun}: no sheet holds the {len(table['rows'])} rows of {title} like {table['rows'][0]}")


def holds(sheets, wanted):
    """Whether every row of a table is on one sheet below its headings, in order, numbers as numbers."""
    key = lambda cell: re.sub(r"[\W_]+", "_", str(cell).lower()).strip("_")
    for cells in sheets.values():
        for at, row in enumerate(cells):
            heads = [key(cell) for cell in row if cell is not None]
            if sorted(heads) != sorted(wanted[0]):
                continue
            found = [dict(zip(heads, cells[at + 1 + number])) for number in range(min(len(wanted), len(cells) - at - 1))]
            if len(found) == len(wanted) and all(same(a, b) for a, b in zip(found, wanted)):
                return True
    return False


def same(found, wanted):
    def one(cell, value):
        if isinstance(value, bool):
            return cell in (value, "yes" if value else "no")
        if isinstance(value, (int, float)):
            return isinstance(cell, (int, float)) and abs(cell - value) < 1e-6
        return (cell or "") == (value or "")
    return all(one(found[key], wanted[key]) for key in wanted)


def pictures(folder):
    files = sorted(glob.glob(os.path.join(folder, "*.svg")))
    if len(files) < 6:
        raise Failed(f"only {files}")
    for file in files:
        made = file[:-len(".svg")] + ".png"
        tool("rsvg-convert", "--background-color", "white", "--output", made, file)
        root = xml.etree.ElementTree.parse(file).getroot()
        width, height = (float(root.get(side)) for side in ("width", "height"))
        with open(made, "rb") as image:
            head = image.read(24)
        drawn = tuple(int.from_bytes(head[at:at + 4], "big") for at in (16, 20))
        if head[:8] != b"\x89PNG\r\n\x1a\n" or abs(drawn[0] - width) > 1 or abs(drawn[1] - height) > 1:
            raise Failed(f"{file} is {width} x {height} and was drawn as {drawn}")


# --- verify

INSIDE = ["se1-london", "lyncdiscoverinternal", "admin", "meet", "dialin"]


class Deployment:
    """A server and an Edge's stand-in in namespaces of their own, a client, the world, and the plan's filter between."""

    def __init__(self, binary, out, networks):
        self.binary, self.out, self.networks = binary, out, networks
        self.plan = written(out, SMALL)
        self.servers = {}
        tool(binary, "plan", "dns", self.plan, "--zones", os.path.join(out, "zones"), "--yes")
        tool(binary, "plan", "firewall", self.plan, "--nftables", os.path.join(out, "filter.nft"), "--yes")
        networks.run("router", "nft", "-f", os.path.join(out, "filter.nft"))
        networks.route("edge", "10.0.0.0/8", "172.16.0.1")
        self.zone = {scope: open(os.path.join(out, "zones", f"{scope}-{DOMAIN}.zone")).read()
                     for scope in ("internal", "external")}
        self.names = {"client": Named(networks, "client", out, DOMAIN, self.zone["internal"]).start(),
                      "world": Named(networks, "world", out, DOMAIN, self.zone["external"]).start()}

    def serve(self, place, address, names, more=()):
        """Starts `lyceum dev` there, anew if one runs."""
        if place in self.servers:
            self.servers[place].end(20)
        folder = os.path.join(self.out, f"data-{place}")
        words = [word for name in names for word in ("--name", f"{name}.{DOMAIN}")]
        argv = self.networks.before(place) + [
            self.binary, "dev", "--data", folder, "--domain", DOMAIN, "--expose", "--json", "--sip", f"{address}:5060",
            "--tls", f"{address}:5061", "--https", f"{address}:443", *words, *more]
        child = Child(argv, os.path.join(self.out, f"server-{place}.log"), cwd=self.out)
        child.expect(r"\"pid\"", 60, "its JSON line")
        self.servers[place] = child

    def verify(self, zone, *words):
        """The exit code and the rows, seen from a zone."""
        place = {"internal": "client", "external": "world", "edge": "edge"}[zone]
        dns = ["--dns", "127.0.0.1"]
        argv = self.networks.before(place) + [
            self.binary, "plan", "verify", self.plan, "--from", zone, *dns, "--patience", "2", *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
        with open(os.path.join(self.out, f"verify-{zone}.txt"), "a") as file:
            file.write(f"$ {' '.join(argv)}\n{done.stdout}{done.stderr}exit code {done.returncode}\n\n")
        return done.returncode, done.stdout

    def rows(self, zone):
        code, text = self.verify(zone, "--output", "json")
        return code, json.loads(text)

    def passes(self, zone, least):
        code, rows = self.rows(zone)
        failed = [row for row in rows if row["result"] == "fail"]
        passed = [row for row in rows if row["result"] == "pass"]
        if code != 0 or failed or len(passed) < least:
            raise Failed(f"exit code {code}, {len(passed)} passed, failed: {failed[:3]}")
        return passed

    def fails(self, zone, about, subject, found, fix):
        """One line alone fails, with what was found and the fix."""
        code, rows = self.rows(zone)
        failed = [row for row in rows if row["result"] == "fail"]
        if code != 1 or not failed:
            raise Failed(f"exit code {code}, failed: {failed}")
        one = [row for row in failed if row["about"] == about and row["subject"].startswith(subject)]
        if len(one) != 1 or found not in one[0]["found"] or fix not in (one[0]["fix"] or ""):
            raise Failed(f"expected {about} {subject} with {found!r} and {fix!r}: {failed}"[:600])
        return failed


def verify(judge, out, binary):
    places = {
        "server": [("10.0.0.1/24", ["10.0.0.10/24"])],
        "client": [("10.128.0.1/24", ["10.128.0.9/24"])],
        "edge": [("198.18.0.1/25", [f"198.18.0.{last}/25" for last in (10, 11, 12, 13)]),
                 ("172.16.0.1/24", ["172.16.0.10/24", "172.16.0.11/24"])],
        "world": [("203.0.113.1/24", ["203.0.113.9/24"])],
    }
    os.makedirs(out)
    with Networks(places) as networks:
        with judge.case("planning: a server, an Edge's stand-in and name servers run between the plan's own filters"):
            held = Deployment(binary, out, networks)
            held.serve("server", "10.0.0.10", INSIDE)
            held.serve("edge", "198.18.0.10", ["webcon"], ["--turn", "198.18.0.12:3478", "--turn-tls", "198.18.0.12:443"])
        as_planned(judge, held)
        wrong(judge, held)
        formats(judge, held)


def as_planned(judge, held):
    with judge.case("planning: verify passes from inside: names, certificates, ports, what is shut"):
        passed = held.passes("internal", 30)
        if {row["about"] for row in passed} != {"DNS", "certificate", "port", "shut"}:
            raise Failed(f"{passed}")
    with judge.case("planning: verify passes from outside: names, certificates, ports, what is shut"):
        passed = held.passes("external", 12)
        if {row["about"] for row in passed} != {"DNS", "certificate", "port", "shut"}:
            raise Failed(f"{passed}")
    with judge.case("planning: verify passes from the perimeter; lines from elsewhere are shown as such"):
        held.passes("edge", 2)
        _, rows = held.rows("edge")
        if not any("not from here" in (row["found"] or "") for row in rows):
            raise Failed("no line is from elsewhere")


def wrong(judge, held):
    with judge.case("planning: a record that is missing is named with its fix"):
        without = "".join(line for line in held.zone["internal"].splitlines(True)
                          if not line.startswith("lyncdiscoverinternal "))
        held.names["client"].again(without)
        name = f"lyncdiscoverinternal.{DOMAIN}"
        held.fails("internal", "DNS", name, "no such record", f"add to the internal zone: {name} IN A 10.0.0.10")
        held.names["client"].again(held.zone["internal"])
    with judge.case("planning: a service that points elsewhere is named with its fix"):
        held.names["world"].again(held.zone["external"].replace(" IN SRV 0 0 443 ", " IN SRV 0 0 444 "))
        held.fails("external", "DNS", f"_sip._tls.{DOMAIN}", ":444", f"IN SRV 0 0 443 sip.{DOMAIN}., and remove from it")
        held.names["world"].again(held.zone["external"])
    close = ["insert", "rule", "inet", "lyceum_plan", "forward", "ip", "daddr", "10.0.0.10", "tcp", "dport"]
    with judge.case("planning: a port that a filter closes is named with its fix"):
        held.networks.run("router", "nft", *close, "443", "drop")
        held.fails("internal", "port", f"se1-london.{DOMAIN} 10.0.0.10 TCP 443", "dropped on the way",
                   "let TCP 443 from internal to 10.0.0.10")
    with judge.case("planning: a port that a filter opens to strangers is named with its fix"):
        held.networks.run("router", "nft", *close, "443", "accept")
        held.fails("external", "shut", f"se1-london.{DOMAIN} 10.0.0.10", "open: TCP 443",
                   "close TCP 443 from external to 10.0.0.10")
        held.networks.run("router", "nft", "flush", "ruleset")
        held.networks.run("router", "nft", "-f", os.path.join(held.out, "filter.nft"))
    with judge.case("planning: a certificate that lacks a name is named with its fix"):
        held.serve("server", "10.0.0.10", [name for name in INSIDE if name != "meet"])
        failed = held.fails("internal", "certificate", "Standard Edition web internal: 10.0.0.10:443",
                            f"lacks meet.{DOMAIN}", f"se1-london.{DOMAIN}-web-internal.cnf")
        if len(failed) != 1:
            raise Failed(f"more than that: {failed}")
    with judge.case("planning: a server that is down is named with its fix"):
        held.servers.pop("server").end(20)
        held.fails("internal", "port", f"se1-london.{DOMAIN} 10.0.0.10 TCP 5061", "nothing listens", "lyceum doctor")
        held.serve("server", "10.0.0.10", INSIDE)


def formats(judge, held):
    with judge.case("planning: verify writes table, JSON and CSV; what fails alone with --failed"):
        _, text = held.verify("internal", "--output", "csv")
        rows = list(csv.DictReader(io.StringIO(text)))
        _, as_json = held.rows("internal")
        if [row["subject"] for row in rows] != [row["subject"] for row in as_json] or len(rows) < 40:
            raise Failed(f"{len(rows)} rows of CSV, {len(as_json)} of JSON")
        code, text = held.verify("internal", "--failed")
        if code != 0 or "not judged from here" not in text or " pass " in text:
            raise Failed(f"exit code {code}: {text}")


# --- page

ADMINISTRATOR, PASSWORD = "plan-admin", "pw-of-the-planner-1"


def page(judge, out, binary):
    os.makedirs(out)
    server = Lyceum(binary, out, {"plan-user": "pw-plan-user"}).start()
    word = os.path.join(out, "password")
    with open(word, "w") as file:
        file.write(PASSWORD)
    shell(server, "admin", "new", ADMINISTRATOR, "--password-file", word)
    pictures_of = os.path.join(out, "pictures")
    with judge.case("planning: the page in Chromium: figures and picture change with the numbers, faults stand at their "
                    "fields, axe finds nothing, English and German, light, dark and a phone's width"):
        script = os.path.join(ROOT, "web", "client", "build", "plan.mjs")
        argv = ["node", script, "--base", f"https://localhost:{server.ports['https']}", "--name", ADMINISTRATOR,
                "--password", PASSWORD, "--out", pictures_of]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failed((done.stdout or done.stderr).strip()[-1200:])
    with judge.case("planning: what the page gives to take along is what the shell writes and reads"):
        taken(binary, pictures_of, out)
    server.stop()


def taken(binary, folder, out):
    path = lambda name: os.path.join(folder, name)
    for name in ("plan.html", "plan.xlsx"):
        made = os.path.join(out, name)
        tool(binary, "plan", "report", path("plan.toml"), made, "--yes")
        with open(made, "rb") as ours, open(path(name), "rb") as theirs:
            if ours.read() != theirs.read():
                raise Failed(f"{name} of the page and of the shell differ")
    parted = tool(binary, "plan", "from-topology", path("topology.yaml"), "--plan", path("plan.toml"), "--compare",
                  *[word for site in ("London=60000", "Paris=15000", "Leeds=800") for word in ("--users", site)])
    if "London" in parted:
        raise Failed(f"plan and document differ: {parted}")
