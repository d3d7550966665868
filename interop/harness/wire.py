"""Bare SIP by hand, over UDP or a stream: for messages that no phone would send, and for thousands of registrations."""

import hashlib
import re
import socket
import ssl

from .process import Failed


def md5(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest()


def header(message, name):
    """The first value of a header."""
    found = re.search(rb"(?im)^" + name.encode() + rb"[ \t]*:[ \t]*([^\r\n]*)", message)
    return found.group(1).decode("utf-8", "replace") if found else None


def headers(message, name):
    return [value.decode("utf-8", "replace")
            for value in re.findall(rb"(?im)^" + name.encode() + rb"[ \t]*:[ \t]*([^\r\n]*)", message)]


def status(message):
    found = re.match(rb"SIP/2\.0 (\d{3}) ", message)
    return int(found.group(1)) if found else 0


def authorization(challenge, method, uri, user, password, count=1):
    """The value of an Authorization header that answers a challenge with MD5."""
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))
    realm, nonce = fields["realm"], fields["nonce"]
    ha1, ha2 = md5(user, realm, password), md5(method, uri)
    nc, cnonce = f"{count:08x}", "0a4f113b"
    answer = md5(ha1, nonce, nc, cnonce, "auth", ha2)
    return (f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{answer}", '
            f'algorithm=MD5, qop=auth, nc={nc}, cnonce="{cnonce}"')


class Udp:
    """One UDP socket towards the server."""

    token = "UDP"

    def __init__(self, address, timeout=2.0, port=0, host="127.0.0.1"):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.socket.connect(address)
        self.socket.settimeout(timeout)
        self.host, self.port = self.socket.getsockname()

    def send(self, message):
        self.socket.send(message)

    def receive(self):
        return self.socket.recv(65536)

    def close(self):
        self.socket.close()


class Stream:
    """One TCP or TLS connection, framed by Content-Length."""

    def __init__(self, address, timeout=2.0, ca=None, certificate=None, name=None):
        """With `ca` over TLS; `certificate` is a file and its key's, `name` what the other side must prove."""
        plain = socket.create_connection(address, timeout)
        if ca:
            self.token = "TLS"
            context = ssl.create_default_context(cafile=ca)
            if certificate:
                context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(plain, server_hostname=name or address[0])
        else:
            self.token = "TCP"
            self.socket = plain
        self.socket.settimeout(timeout)
        self.host, self.port = self.socket.getsockname()[:2]
        self.waiting = b""

    def send(self, message):
        self.socket.sendall(message)

    def receive(self):
        while True:
            head, found, rest = self.waiting.partition(b"\r\n\r\n")
            if found and not head.strip():
                self.waiting = rest
                continue
            if found:
                length = int(header(head + b"\r\n", "content-length") or header(head + b"\r\n", "l") or 0)
                if len(rest) >= length:
                    self.waiting = rest[length:]
                    return head + found + rest[:length]
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError("the server closed the connection")
            self.waiting += piece

    def close(self):
        self.socket.close()


def request(link, method, uri, user, domain, number, call_id, extra="", to=None, branch=None):
    """A request as bytes."""
    branch = branch or f"z9hG4bK{call_id}{number}{method}"
    to = to or f"<sip:{user}@{domain}>"
    sent_by = f"{link.host}:{link.port}" if link.port else link.host
    return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{link.token} {sent_by};branch={branch};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{user}@{domain}>;tag=t{call_id}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n"
            f"CSeq: {number} {method}\r\n{extra}Content-Length: 0\r\n\r\n").encode()


def final(link):
    """The next final answer."""
    answer = link.receive()
    while status(answer) < 200:
        answer = link.receive()
    return answer


def ask(link, method, uri, account, call_id, extra="", to=None, number=1, sender=None):
    """A request as `account`, challenged and answered once with MD5. The final answer; `sender` is put into From."""
    who = sender or account.user
    link.send(request(link, method, uri, who, account.domain, number, call_id, extra, to))
    answer = final(link)
    if status(answer) not in (401, 407):
        return answer
    asks, answers = ("www-authenticate", "Authorization") if status(answer) == 401 else ("proxy-authenticate", "Proxy-Authorization")
    challenge = next((value for value in headers(answer, asks) if "MD5" in value or "algorithm" not in value), None)
    if not challenge:
        return answer
    extra += f"{answers}: {authorization(challenge, method, uri, account.user, account.password)}\r\n"
    link.send(request(link, method, uri, who, account.domain, number + 1, call_id, extra, to))
    return final(link)


def register(link, account, call_id, contact=None, number=1, expires=600):
    """REGISTER with digest; without a contact it asks for the bindings. The final answer."""
    lines = f"Contact: <{contact}>;expires={expires}\r\n" if contact else ""
    return ask(link, "REGISTER", f"sip:{account.domain}", account, call_id, lines, number=number)


def options(link, domain, call_id):
    """Whether the server answers at all."""
    link.send(request(link, "OPTIONS", f"sip:{domain}", "probe", domain, 1, call_id))
    answer = link.receive()
    if status(answer) == 0:
        raise Failed(f"no answer to OPTIONS but {answer[:60]!r}")
    return status(answer)


def line(link, method, uri, lines, body=b""):
    """A request whose header lines are given, with a Via of this link and a branch of its own."""
    link.sent = getattr(link, "sent", 0) + 1
    head = (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{link.token} {link.host}:{link.port};branch=z9hG4bK{link.port}n{link.sent};rport\r\n"
            f"Max-Forwards: 70\r\n")
    head += "".join(f"{one}\r\n" for one in lines) + f"Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def answer(message, status_line, tag=None, lines=()):
    """The answer to a request that was received."""
    kept = []
    for one in message.split(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")[1:]:
        name = one.split(":")[0].strip().lower()
        if name in ("via", "record-route", "from", "call-id", "cseq"):
            kept.append(one)
        elif name == "to":
            kept.append(one if tag is None or ";tag=" in one else f"{one};tag={tag}")
    head = "\r\n".join([f"SIP/2.0 {status_line}", *kept, *lines, "Content-Length: 0"])
    return f"{head}\r\n\r\n".encode()


def until(link, wanted):
    """The next message for which `wanted` holds; what comes before it is let go."""
    while True:
        message = link.receive()
        if wanted(message):
            return message
