"""SIP over secure WebSocket (RFC 7118) by hand: one text frame is one message."""

import base64
import hashlib
import os
import socket
import ssl
import struct

from .process import Failed

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSocket:
    """A client connection; sends and receives whole messages."""

    token = "WSS"

    def __init__(self, address, ca, path="/ws", origin=None, protocol="sip", timeout=5.0):
        plain = socket.create_connection(address, timeout)
        self.socket = ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname=address[0])
        # A browser does not know its own address (RFC 7118 §5): what it writes resolves nowhere.
        self.host, self.port = f"{os.urandom(6).hex()}.invalid", 0
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key.decode()}", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Protocol: {protocol}"]
        if origin:
            lines.append(f"Origin: {origin}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.waiting = b""
        while b"\r\n\r\n" not in self.waiting:
            self.waiting += self._more()
        head, self.waiting = self.waiting.split(b"\r\n\r\n", 1)
        accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
        if b" 101 " not in head.split(b"\r\n")[0] or accept not in head:
            raise Failed(f"the handshake at {path} was refused: {head.splitlines()[0].decode()}")
        if b"sec-websocket-protocol: " + protocol.encode() not in head.lower():
            raise Failed(f"the subprotocol `{protocol}` was not taken")

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise Failed("the server closed the WebSocket")
        return piece

    def _frame(self, kind, payload):
        mask = os.urandom(4)
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else struct.pack(">BH", 0x80 | 126, size)
        masked = bytes(byte ^ mask[at & 3] for at, byte in enumerate(payload))
        self.socket.sendall(bytes([0x80 | kind]) + length + mask + masked)

    def send(self, message):
        self._frame(1, message)

    def _take(self, size):
        while len(self.waiting) < size:
            self.waiting += self._more()
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken

    def receive(self):
        """The next message; pings are answered on the way."""
        while True:
            first, second = self._take(2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", self._take(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self._take(8))[0]
            payload = self._take(size)
            if first & 15 == 9:
                self._frame(10, payload)
            elif first & 15 == 8:
                raise Failed("the server closed the WebSocket")
            elif first & 15 in (1, 2) and payload.strip():
                return payload

    def close(self):
        self.socket.close()
