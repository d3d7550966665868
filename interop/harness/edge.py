"""An Access Edge beside a server: its certificate, its node file, its process, and what it remembers."""

import json
import os
import re
import subprocess

from .process import Child, Failed, free_port


def openssl(*argv, text=None):
    done = subprocess.run(["openssl", *argv], capture_output=True, text=True, input=text)
    if done.returncode != 0:
        raise Failed(f"openssl {' '.join(argv)}: {done.stderr.strip()[:300]}")
    return done.stdout


def authority(folder, name):
    """A certificate authority; its certificate file."""
    os.makedirs(folder, exist_ok=True)
    certificate = os.path.join(folder, "ca.pem")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
            f"/CN={name}", "-keyout", os.path.join(folder, "ca.key"), "-out", certificate)
    return certificate


def certificate(folder, label, ca, names, addresses=()):
    """A certificate signed by the authority whose files lie beside `ca`; (certificate, key)."""
    os.makedirs(folder, exist_ok=True)
    path = lambda ending: os.path.join(folder, f"{label}.{ending}")
    alternatives = ",".join([f"DNS:{name}" for name in names] + [f"IP:{address}" for address in addresses])
    with open(path("ext"), "w") as file:
        file.write(f"subjectAltName={alternatives}\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={names[0]}", "-keyout",
            path("key"), "-out", path("csr"))
    openssl("x509", "-req", "-in", path("csr"), "-CA", ca, "-CAkey", os.path.join(os.path.dirname(ca), "ca.key"),
            "-CAcreateserial", "-days", "30", "-extfile", path("ext"), "-out", path("pem"))
    return path("pem"), path("key")


def remembered(pid, words):
    """Which of the words are in the memory of a process, with where."""
    found = []
    needles = {word: word.encode() for word in words}
    with open(f"/proc/{pid}/maps") as file:
        maps = [line for line in file if re.match(r"[0-9a-f]+-[0-9a-f]+ r", line)]
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            begin, end = (int(text, 16) for text in line.split()[0].split("-"))
            if "[vvar" in line or "[vsyscall" in line:
                continue
            place = line.split()[-1] if len(line.split()) > 5 else "anonymous"
            longest = max(map(len, needles.values()))
            while begin < end:
                try:
                    memory.seek(begin)
                    content = memory.read(min(end - begin, 16 << 20))
                except (OSError, OverflowError, ValueError):
                    break
                if not content:
                    break
                for word, needle in needles.items():
                    at = content.find(needle)
                    if at >= 0:
                        found.append((word, f"{begin + at:x}", place, content[max(0, at - 60):at + 60]))
                # What lies across the end of a piece is in the next one whole.
                begin += len(content) if begin + len(content) >= end else max(1, len(content) - longest)
    return found


class Edge:
    """One Access Edge on `host`. To a phone it is a server with one address."""

    def __init__(self, binary, folder, certificates, domain, host="127.0.0.1", wrap=(), federation=None, authorities=None,
                 dns=(), ca=None):
        self.binary, self.folder, self.domain, self.wrap, self.ca = binary, folder, domain, list(wrap), ca
        self.data = os.path.join(folder, "data")
        os.makedirs(folder, exist_ok=True)
        self.port = free_port() if host == "127.0.0.1" else 443
        self.addresses = {"tls": (host, self.port)}
        self.node = os.path.join(folder, "edge.toml")
        lines = [f'name = "edge1"', f'data = "{self.data}"', "[tls]", f'certificate = "{certificates[0]}"', f'key = "{certificates[1]}"']
        if authorities:
            lines.append(f'authorities = "{authorities}"')
        lines += ["[edge]", f'remote = "{host}:{self.port}"']
        if federation:
            lines.append(f'federation = "{host}:{federation}"')
        if dns:
            lines.append(f"dns = {json.dumps(list(dns))}")
        lines += ["[log]", 'level = "debug"']
        with open(self.node, "w") as file:
            file.write("\n".join(lines) + "\n")
        self.child = None

    def account(self, user):
        return self.server.account(user)

    def address(self, transport):
        return self.addresses[transport]

    def enrol(self, token, into=None):
        """The exit code and what was printed."""
        argv = [*self.wrap, self.binary, "edge", "enrol", token, "--into", into or self.data]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=40)
        return done.returncode, done.stdout + done.stderr

    def start(self, server):
        self.server = server
        self.child = Child([*self.wrap, self.binary, "serve", "--config", self.node], os.path.join(self.folder, "edge.log"),
                           cwd=self.folder)
        self.child.expect(r"\"remote\"", 20, "its JSON line")
        return self

    def linked(self, seconds=15):
        self.child.expect("link to the pool stands", seconds)

    def stop(self):
        return self.child.end(10)

    def remembers(self, words):
        """Which of the words are in the memory of the process or in a file of its folder, with where."""
        found = remembered(self.child.pid, words)
        needles = {word: word.encode() for word in words}
        for root, _, files in os.walk(self.data):
            for name in files:
                with open(os.path.join(root, name), "rb") as file:
                    content = file.read()
                found += [(word, os.path.join(root, name)) for word, needle in needles.items() if needle in content]
        return found
