"""What arrives at a phone's sound port, taken off the loopback interface (as root).

baresip 1.0 closes its recording for good when a call is held, so the sound after a resume is taken here.
"""

import socket
import struct
import threading
import time

from .process import Failed

PACKET_OUTGOING = 4


def _ulaw():
    table = []
    for byte in range(256):
        byte = ~byte & 0xFF
        value = (((byte & 0x0F) << 3) + 0x84) << ((byte & 0x70) >> 4)
        table.append(0x84 - value if byte & 0x80 else value - 0x84)
    return table


ULAW = _ulaw()


class Ear:
    """Listens from the first moment to the last; `since` gives the samples of one port."""

    def __init__(self):
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
            self.socket.bind(("lo", 0x0800))
        except PermissionError as error:
            raise Failed("listening on the loopback interface needs root") from error
        self.socket.settimeout(0.2)
        self.packets = []
        self.open = True
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        while self.open:
            try:
                data, address = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            # Every packet of the loopback is seen leaving and arriving; UDP, G.711 µ-law in RTP, 20 ms.
            if address[2] == PACKET_OUTGOING or len(data) < 40 or data[9] != 17:
                continue
            udp = data[(data[0] & 15) * 4:]
            port, rtp = struct.unpack(">H", udp[2:4])[0], udp[8:]
            if len(rtp) == 172 and rtp[0] == 0x80 and rtp[1] & 0x7F == 0:
                self.packets.append((time.monotonic(), port, rtp[12:]))

    def since(self, when, ports):
        """The samples that went to one of these ports after that moment."""
        out = []
        for at, port, payload in list(self.packets):
            if at >= when and port in ports:
                out.extend(ULAW[byte] for byte in payload)
        return out

    def close(self):
        self.open = False
        self.thread.join(1)
        self.socket.close()
