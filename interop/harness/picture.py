"""Reads the pictures that phones save: PNG with 8 bits, as far as it takes to know what is on them."""

import struct
import zlib

from .process import Failed


def rows(path):
    """The picture's rows, each a list of (red, green, blue)."""
    with open(path, "rb") as file:
        data = file.read()
    at, packed, head = 8, b"", None
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        at += 12 + size
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
    if not head or head[2] != 8 or head[3] not in (2, 6) or head[6]:
        raise Failed(f"{path} is no picture of the kind that is read: {head}")
    width, height, step = head[0], head[1], 3 if head[3] == 2 else 4
    raw, line, found = zlib.decompress(packed), width * step, []
    above = bytearray(line)
    for y in range(height):
        begin = y * (line + 1)
        here = unfilter(raw[begin], bytearray(raw[begin + 1:begin + 1 + line]), above, step)
        found.append([tuple(here[x:x + 3]) for x in range(0, line, step)])
        above = here
    return found


def unfilter(kind, here, above, step):
    """PNG §9.2: each byte was written as its difference from what stands beside or above it."""
    for at in range(len(here)):
        left, up, corner = (here[at - step] if at >= step else 0), above[at], (above[at - step] if at >= step else 0)
        if kind == 1:
            here[at] = (here[at] + left) & 255
        elif kind == 2:
            here[at] = (here[at] + up) & 255
        elif kind == 3:
            here[at] = (here[at] + (left + up) // 2) & 255
        elif kind == 4:
            guess = left + up - corner
            nearest = min((left, up, corner), key=lambda one: abs(guess - one))
            here[at] = (here[at] + nearest) & 255
    return here


def mean(pixels):
    """The mean colour."""
    return tuple(sum(one[part] for one in pixels) // len(pixels) for part in range(3))
