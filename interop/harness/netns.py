"""Networks with a filter between them: one namespace for each, and a router in the middle that forwards."""

import itertools
import os
import subprocess

from .process import Child, Failed

_numbers = itertools.count(1)


def _ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        raise Failed(f"ip {' '.join(words)}: {done.stderr.strip()[:200]}")


class Networks:
    """Use with `with`. `places` is a dict of namespace name to a list of (router's address, own addresses), each with the
    length behind a slash; the first one leads to the default gateway."""

    def __init__(self, places):
        self.mark = f"ly{os.getpid()}x{next(_numbers)}"
        self.places = places
        self.made = []

    def name(self, place):
        return f"{self.mark}-{place}"

    def __enter__(self):
        try:
            self._make("router")
            self._set("router", "ip_forward", 1)
            for place, links in self.places.items():
                self._make(place)
                for number, (gateway, own) in enumerate(links):
                    self._join(place, number, gateway, own)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.made:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=20)
        self.made = []

    def _make(self, place):
        name = self.name(place)
        _ip("netns", "add", name)
        self.made.append(name)
        _ip("-n", name, "link", "set", "lo", "up")
        # Answers leave by the way that their own address has, not by the way the question came.
        for which in ("all", "default"):
            self._set(place, f"conf/{which}/rp_filter", 0)

    def _set(self, place, name, value):
        self.run(place, "sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{name}")

    def _join(self, place, number, gateway, own):
        router, name = self.name("router"), self.name(place)
        here, there = f"{place[:6]}{number}", f"r{place[:6]}{number}"
        _ip("-n", name, "link", "add", here, "type", "veth", "peer", "name", there, "netns", router)
        _ip("-n", router, "address", "add", gateway, "dev", there)
        _ip("-n", router, "link", "set", there, "up")
        for address in own:
            _ip("-n", name, "address", "add", address, "dev", here)
        _ip("-n", name, "link", "set", here, "up")
        if number == 0:
            _ip("-n", name, "route", "add", "default", "via", gateway.split("/")[0])

    def route(self, place, network, via):
        _ip("-n", self.name(place), "route", "add", network, "via", via)

    def before(self, place):
        """What stands before a command that runs there."""
        return ["ip", "netns", "exec", self.name(place)]

    def run(self, place, *words):
        done = subprocess.run(self.before(place) + list(words), capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Failed(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()[:300]}")
        return done.stdout


class Named:
    """BIND with one zone, on 127.0.0.1 of a namespace."""

    def __init__(self, networks, place, folder, origin, zone):
        self.networks, self.place, self.origin = networks, place, origin
        self.folder = os.path.join(folder, f"named-{place}")
        os.makedirs(self.folder)
        self.zone = os.path.join(self.folder, "zone")
        self.child = None
        self.write(zone)

    def write(self, text):
        with open(self.zone, "w") as file:
            file.write(text)

    def start(self):
        conf = os.path.join(self.folder, "named.conf")
        with open(conf, "w") as file:
            file.write(f"""
options {{
  directory "{self.folder}"; pid-file none; session-keyfile none; lock-file none;
  listen-on port 53 {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; allow-query {{ any; }};
}};
controls {{ }};
zone "{self.origin}" {{ type primary; file "{self.zone}"; }};
""")
        argv = self.networks.before(self.place) + ["named", "-g", "-c", conf]
        self.child = Child(argv, os.path.join(self.folder, "named.log"), cwd=self.folder)
        self.child.expect(r"all zones loaded", 20, "its zones")
        self.child.expect(r"running", 20, "that it runs")
        return self

    def again(self, text):
        """Starts it anew with another zone."""
        self.child.end(5)
        self.write(text)
        self.start()
