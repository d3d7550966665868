#!/usr/bin/env python3
"""A cable that can be made poor, for kernels without `sch_netem`: hands every frame from one interface to the other, and back.

`poor_wire.py ONE OTHER` in the namespace that has both. A line `LOSS DELAY JITTER` on the standard input says from then on what
part of the frames is lost (in percent), how many milliseconds each is late, and by how many more or fewer of them, each for itself:
late frames are overtaken, as `netem loss L% delay DELAY JITTER` has it. It answers with how many came and how many were lost since
the line before.
"""

import heapq
import random
import select
import socket
import sys
import time

# <linux/if_packet.h>: frames come with what their sender left to the card, and go with it.
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
ALL, LARGEST, MOST_WAITING = 3, 70_000, 20_000


def tap(name):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    link.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    link.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    link.bind((name, ALL))
    link.setblocking(False)
    return link


def main():
    one, other = tap(sys.argv[1]), tap(sys.argv[2])
    onward = {one: other, other: one}
    loss, delay, jitter = 0.0, 0.0, 0.0
    waiting, number, came, lost = [], 0, 0, 0
    print("stands", flush=True)
    while True:
        left = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        ready, _, _ = select.select([one, other, sys.stdin], [], [], left)
        for link in ready:
            if link is sys.stdin:
                line = sys.stdin.readline()
                if not line:
                    return
                loss, delay, jitter = (float(word) for word in line.split())
                print(f"{came} came, {lost} lost", flush=True)
                came = lost = 0
                continue
            frame = link.recv(LARGEST)
            came += 1
            if random.random() * 100 < loss or len(waiting) >= MOST_WAITING:
                lost += 1
                continue
            number += 1
            late = max(0.0, delay + random.uniform(-jitter, jitter)) / 1000
            heapq.heappush(waiting, (time.monotonic() + late, number, onward[link], frame))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, link, frame = heapq.heappop(waiting)
            try:
                link.send(frame)
            except OSError:
                lost += 1


main()
