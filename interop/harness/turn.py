"""A client of the relay that says what no well-behaved one says. The standard library is all it needs."""

import base64
import hashlib
import hmac
import os
import socket
import struct
import time

COOKIE = 0x2112A442
BINDING, ALLOCATE, REFRESH, SEND, PERMIT, BIND, CONNECT, TAKE, ATTEMPT = 1, 3, 4, 0x16, 8, 9, 10, 11, 0x1C
UDP, TCP = (0x19, b"\x11\0\0\0"), (0x19, b"\x06\0\0\0")
CONNECTION = 0x2A
LIFETIME, PEER, DATA, RELAYED, MAPPED = 0xD, 0x12, 0x13, 0x16, 0x20


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def message(method, transaction, attributes, key=None):
    body = b"".join(attribute(kind, value) for kind, value in attributes)
    if key:
        head = struct.pack("!HHI", method, len(body) + 24, COOKIE) + transaction
        body += attribute(8, hmac.new(key, head + body, hashlib.sha1).digest())
    return struct.pack("!HHI", method, len(body), COOKIE) + transaction + body


def address(ip, port, transaction):
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    mask = struct.pack("!I", COOKIE) + transaction
    raw = bytes(a ^ b for a, b in zip(socket.inet_pton(family, ip), mask))
    return struct.pack("!BBH", 0, 2 if ":" in ip else 1, port ^ (COOKIE >> 16)) + raw


def read_address(value, transaction):
    mask = struct.pack("!I", COOKIE) + transaction
    raw = bytes(a ^ b for a, b in zip(value[4:], mask))
    return (socket.inet_ntop(socket.AF_INET6 if value[1] == 2 else socket.AF_INET, raw),
            struct.unpack("!H", value[2:4])[0] ^ (COOKIE >> 16))


def parse(data):
    kind, length, _ = struct.unpack("!HHI", data[:8])
    found, at = {}, 20
    while at + 4 <= 20 + length:
        name, size = struct.unpack("!HH", data[at:at + 4])
        found.setdefault(name, data[at + 4:at + 4 + size])
        at += 4 + size + (-size % 4)
    return kind, data[8:20], found


def code(attributes):
    """The error code of an answer, 0 when it grants."""
    return attributes[9][2] * 100 + attributes[9][3] if 9 in attributes else 0


def rest(secret, user, seconds=3600):
    """Credentials of the REST scheme."""
    username = f"{int(time.time()) + seconds}:{user}"
    password = base64.b64encode(hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()).decode()
    return username, password


class Turn:
    """One UDP 5-tuple."""

    def __init__(self, server, credentials=None):
        self.socket = socket.socket(socket.AF_INET6 if ":" in server[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(server)
        self.socket.settimeout(2)
        self.user, self.password = credentials or ("", "")
        self.key = self.realm = self.nonce = None

    def silent(self, data, seconds=0.5):
        """Whether nothing comes back."""
        self.socket.send(data)
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(2048)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(2)

    def plain(self, method, attributes=()):
        """A request without credentials: its bytes and the answer's."""
        asked = message(method, os.urandom(12), attributes)
        self.socket.send(asked)
        return asked, self.socket.recv(2048)

    def ask(self, method, attributes=(), peers=()):
        """A request with credentials; peers are (address, port)."""
        for _ in range(3):
            transaction = os.urandom(12)
            whole = list(attributes) + [(PEER, address(*peer, transaction)) for peer in peers]
            if self.nonce:
                whole += [(6, self.user.encode()), (0x14, self.realm), (0x15, self.nonce)]
            self.socket.send(message(method, transaction, whole, self.key))
            _, _, found = parse(self.socket.recv(2048))
            self.answered = transaction
            if code(found) not in (401, 438) or (self.nonce and code(found) == 401):
                return found
            self.realm, self.nonce = found[0x14], found[0x15]
            self.key = hashlib.md5(b":".join([self.user.encode(), self.realm, self.password.encode()])).digest()
        return found

    def allocate(self):
        found = self.ask(ALLOCATE, [UDP])
        return read_address(found[RELAYED], self.answered) if RELAYED in found else code(found)

    def close(self):
        self.socket.close()


class Stream(Turn):
    """The same over TCP: one message is awaited at a time."""

    def __init__(self, server, credentials=None):
        super().__init__(server, credentials)
        self.socket.close()
        self.socket = socket.create_connection(server, timeout=5)

    def take(self, number):
        """A second connection that carries the bytes of this number; or the code that refuses it."""
        other = Stream(self.socket.getpeername(), (self.user, self.password))
        refused = code(other.ask(TAKE, [(CONNECTION, number)]))
        if not refused:
            return other.socket
        other.close()
        return refused
