"""Requests that do not fit a datagram (RFC 3261 §18.1.1): to a phone that is known to listen on TCP they go there, to
others in fragments, and where the connection is refused by UDP after all."""

import re
import socket
import threading

from harness.process import Failed
from harness.wire import Stream, Udp, ask, register, status

USER = "large"
PADDING = f"X-Padding: {'x' * 1800}\r\n"


class Phone:
    """Answers every request with 200, on UDP and TCP at one port, and remembers how each came."""

    def __init__(self, server):
        self.udp = Udp(server.address("udp"), timeout=0.2)
        self.port = self.udp.port
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen()
        self.listener.settimeout(0.2)
        self.came = []
        self.over = False
        self.threads = []

    def serve(self):
        """From here on the threads read; registering is done before."""
        for work in (self.datagrams, self.connections):
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            self.threads.append(thread)

    def datagrams(self):
        while not self.over:
            try:
                self.take("UDP", self.udp.receive(), self.udp.send)
            except TimeoutError:
                pass

    def connections(self):
        while not self.over:
            try:
                connection, _ = self.listener.accept()
            except (TimeoutError, OSError):
                continue
            link = Stream.__new__(Stream)
            link.socket, link.waiting = connection, b""
            connection.settimeout(0.2)
            with connection:
                try:
                    while True:
                        self.take("TCP", link.receive(), link.send)
                except (TimeoutError, ConnectionError):
                    pass

    def take(self, how, message, send):
        via = re.search(rb"(?m)^Via: SIP/2\.0/(\w+)", message).group(1).decode()
        self.came.append((message.split(b" ")[0].decode(), how, via))
        kept = re.findall(rb"(?m)^(?:Via|From|To|Call-ID|CSeq|Record-Route):[^\r\n]*\r\n", message)
        lines = [line[:-2] + b";tag=large\r\n" if line.startswith(b"To:") else line for line in kept]
        send(b"SIP/2.0 200 OK\r\n" + b"".join(lines) + b"Content-Length: 0\r\n\r\n")

    def stop_listening(self):
        self.listener.close()

    def close(self):
        self.over = True
        for thread in self.threads:
            thread.join()
        self.listener.close()
        self.udp.close()


def sends(server, number, extra):
    """A MESSAGE to the phone; its final status."""
    link = Udp(server.address("udp"), timeout=5.0)
    try:
        account = server.account("caller")
        return status(ask(link, "MESSAGE", f"sip:{USER}@{server.domain}", account, f"large-{number}", extra,
                          to=f"<sip:{USER}@{server.domain}>"))
    finally:
        link.close()


def expect(judge, server, phone, what, number, extra, how):
    with judge.case(what):
        phone.came.clear()
        answer = sends(server, number, extra)
        if answer != 200 or phone.came != [("MESSAGE", how, how)]:
            raise Failed(f"answered {answer}, arrived as {phone.came}")


def known_by_tcp(server, phone):
    """The phone registers over TCP once, saying where it listens, and gives that binding up again."""
    link = Stream(server.address("tcp"))
    try:
        link.port = phone.port
        account = server.account(USER)
        contact = f"sip:{USER}@127.0.0.1:{phone.port};transport=tcp"
        for number, expires in ((1, 600), (3, 0)):
            answer = register(link, account, "large-tcp", contact, number, expires)
            if status(answer) != 200:
                raise Failed(f"REGISTER over TCP was answered {answer[:40]!r}")
    finally:
        link.close()


def run(judge, out, server):
    phone = Phone(server)
    try:
        with judge.case("a phone on UDP and TCP registers by UDP"):
            contact = f"sip:{USER}@127.0.0.1:{phone.port}"
            phone.udp.socket.settimeout(2.0)
            answer = register(phone.udp, server.account(USER), "large-udp", contact)
            phone.udp.socket.settimeout(0.2)
            if status(answer) != 200:
                raise Failed(f"answered {answer[:40]!r}")
        phone.serve()
        expect(judge, server, phone, "too long for a datagram goes in fragments to a phone not known to listen on TCP",
               1, PADDING, "UDP")
        with judge.case("the phone shows that it listens on TCP"):
            known_by_tcp(server, phone)
        expect(judge, server, phone, "what fits a datagram goes by UDP", 2, "", "UDP")
        expect(judge, server, phone, "too long for a datagram goes over TCP, and Via says so", 3, PADDING, "TCP")
        # The connection that stands is closed with the listener, so that the next one is refused.
        phone.over = True
        for thread in phone.threads:
            thread.join()
        phone.threads.clear()
        phone.stop_listening()
        phone.over = False
        reader = threading.Thread(target=phone.datagrams, daemon=True)
        reader.start()
        phone.threads.append(reader)
        expect(judge, server, phone, "a refused connection leads back to UDP", 4, PADDING, "UDP")
    finally:
        phone.close()
