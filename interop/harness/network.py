"""Network namespaces: hosts and routers of their own, joined by cables, gone at the end."""

import contextlib
import ctypes
import os
import subprocess

from .process import Failed


def sh(*argv, text=None):
    """Runs a program of the system; what it says on failure is the failure."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, input=text)
    if done.returncode != 0:
        raise Failed(f"{' '.join(str(word) for word in argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Network:
    """Hosts by short names. `with Network("a", "r") as net: net.cable("a", "10.0.0.2/24", "r", "10.0.0.1/24")`."""

    def __init__(self, *hosts):
        self.hosts = hosts
        self.cables = 0

    def full(self, host):
        return f"lyc{os.getpid()}-{host}"

    def __enter__(self):
        for host in self.hosts:
            sh("ip", "netns", "add", self.full(host))
            sh("ip", "-n", self.full(host), "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for host in self.hosts:
            subprocess.run(["ip", "netns", "del", self.full(host)], capture_output=True)

    def cable(self, one, address, other, its_address):
        """Joins two hosts; an end without an address has none."""
        self.cables += 1
        ends = [(one, f"c{self.cables}a", address), (other, f"c{self.cables}b", its_address)]
        sh("ip", "link", "add", ends[0][1], "netns", self.full(one), "type", "veth",
           "peer", "name", ends[1][1], "netns", self.full(other))
        for host, name, its in ends:
            if its:
                sh("ip", "-n", self.full(host), "addr", "add", its, "dev", name)
            sh("ip", "-n", self.full(host), "link", "set", name, "up")

    def route(self, host, to, by):
        sh("ip", "-n", self.full(host), "route", "add", to, "via", by)

    def address(self, host, what, address, device):
        """`add` or `del`."""
        sh("ip", "-n", self.full(host), "addr", what, address, "dev", device)

    def forwards(self, host):
        sh(*self.on(host), "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def filter(self, host, rules):
        """Loads rules of nftables, instead of those loaded before."""
        sh(*self.on(host), "nft", "-f", "-", text="flush ruleset\n" + rules)

    @contextlib.contextmanager
    def inside(self, host):
        """What this thread opens and starts meanwhile is there."""
        libc = ctypes.CDLL(None, use_errno=True)
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.full(host)}", os.O_RDONLY)
        try:
            if libc.setns(there, 0x40000000) != 0:
                raise Failed(f"setns: {os.strerror(ctypes.get_errno())}")
            yield
        finally:
            libc.setns(before, 0x40000000)
            os.close(there)
            os.close(before)

    def on(self, host):
        """What stands before a command line that is to run there."""
        return ["ip", "netns", "exec", self.full(host)]
