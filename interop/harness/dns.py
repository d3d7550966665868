"""A small name server over UDP: SRV and A records from a table."""

import socket
import struct
import threading


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.rstrip(".").split(".")) + b"\0"


class Dns:
    """`srv` maps service names to (port, host), `hosts` maps host names to addresses. Whoever makes it decides by the network
    namespace of its thread where it listens."""

    def __init__(self, srv, hosts, host="127.0.0.1", port=5353):
        self.srv, self.hosts = srv, hosts
        self.address = (host, port)
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(self.address)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                question, source = self.socket.recvfrom(4096)
            except OSError:
                return
            self.socket.sendto(self._answer(question), source)

    def _answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode().lower())
            at += 1 + question[at]
        kind = struct.unpack("!H", question[at + 1:at + 3])[0]
        asked, text = question[12:at + 5], ".".join(labels)
        self.asked.append((text, kind))
        record = None
        if kind == 33 and text in self.srv:
            port, host = self.srv[text]
            record = struct.pack("!HHH", 0, 0, port) + name(host)
        elif kind == 1 and text in self.hosts:
            record = socket.inet_aton(self.hosts[text])
        known = text in self.srv or text in self.hosts
        flags = 0x8580 | (0 if known else 3)
        head = question[:2] + struct.pack("!HHHHH", flags, 1, 1 if record else 0, 0, 0)
        answer = b"" if record is None else b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(record)) + record
        return head + asked + answer

    def close(self):
        self.socket.close()
