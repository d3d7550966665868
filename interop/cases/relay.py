"""The relay for media: coturn's own clients over UDP, TCP and TLS, with right and wrong credentials; then what a stranger or
a guest would try."""

import os
import re
import socket
import struct
import threading
import time

from cases.policy import shell
from harness import turn
from harness.page import Page
from harness.process import Child, Failed, free_port, until
from harness.server import Lyceum
from harness.turn import Stream, Turn

PEOPLE = {"relay-anna": "pw-relay-anna"}
SECRET = "north-star"
# Packets of each client and their payload, odd on purpose.
PACKETS, PAYLOAD = 20, 171
AMPLIFICATION = 4
FORBIDDEN = ["0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.2", "169.254.169.254", "172.16.0.1", "192.168.0.1", "198.18.0.1",
             "224.0.0.1", "255.255.255.255", "8.8.8.8"]
FORBIDDEN_V6 = ["::", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001::1", "fe80::1", "fc00::1", "ff02::1",
                "2001:4860:4860::8888"]


def uclient(out, name, words):
    """Runs coturn's client until it is through; what it printed."""
    child = Child(["turnutils_uclient", "-c", "-z", "10", "-n", str(PACKETS), "-l", str(PAYLOAD), *words],
                  os.path.join(out, f"uclient-{name}.log"), cwd=out)
    try:
        child.wait(40)
    finally:
        child.end(2)
    return child.text


def everything_came(text, clients=2, heard=2):
    sent = [tuple(map(int, pair)) for pair in re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", text)]
    if not sent or sent[-1] != (clients * PACKETS, heard * PACKETS):
        raise Failed(f"sent and received {sent[-1:]}: {text[-300:]}")


def carrier(judge, out, server, name, words, credentials, port):
    with judge.case(f"relay: coturn's client over {name}, by channels and by indications"):
        user, password = credentials
        for way, more in (("channel", []), ("send", ["-s"])):
            text = uclient(out, f"{name}-{way}", ["-y", "-m", "2", *words, *more, "-p", str(port), "-u", user, "-w", password,
                                                  "127.0.0.1"])
            everything_came(text)


def echo(judge, out, server, credentials):
    with judge.case("relay: a peer that was opened echoes through it"):
        port = free_port()
        peer = Child(["turnutils_peer", "-L", "127.0.0.1", "-p", str(port)], os.path.join(out, "peer.log"), cwd=out)
        time.sleep(0.5)
        user, password = credentials
        text = uclient(out, "echo", ["-m", "2", "-e", "127.0.0.1", "-r", str(port), "-X", "-p", str(server.turn[1]), "-u", user,
                                     "-w", password, "127.0.0.1"])
        peer.end(2)
        everything_came(text)
    with judge.case("relay: credentials that coturn's client makes by the REST scheme hold"):
        text = uclient(out, "rest", ["-y", "-m", "2", "-p", str(server.turn[1]), "-u", "guest", "-W", SECRET, "127.0.0.1"])
        everything_came(text)


def wrong(judge, out, server, credentials):
    user, password = credentials
    for name, user, password in (("a wrong password", user, password + "x"), ("an unknown user", "4711", password),
                                 ("credentials that have ended", *turn.rest(SECRET, "anna", -1)),
                                 ("credentials for too long", *turn.rest(SECRET, "anna", 200_000))):
        with judge.case(f"relay: {name}: refused over UDP, TCP and TLS"):
            for words, port in (([], server.turn[1]), (["-t"], server.turn[1]), (["-t", "-S"], server.turns[1])):
                text = uclient(out, "wrong", ["-y", "-m", "1", *words, "-p", str(port), "-u", user, "-w", password, "127.0.0.1"])
                if "Cannot complete Allocation" not in text or "tot_recv_msgs" in text:
                    raise Failed(text[-300:])
            found = Turn(server.turn, (user, password)).allocate()
            if found != 401:
                raise Failed(f"answered {found}")


def stun(judge, out, server):
    with judge.case("relay: coturn's STUN client is told its address"):
        child = Child(["turnutils_stunclient", "-p", str(server.turn[1]), "127.0.0.1"], os.path.join(out, "stun.log"), cwd=out)
        child.wait(10)
        if not re.search(r"UDP reflexive addr: 127\.0\.0\.1:\d+", child.text):
            raise Failed(child.text[-200:])


def attacks(judge, out, server, credentials):
    with judge.case("relay: peers that nobody opened are 403, by permission and by channel, and nothing is sent there"):
        client = Turn(server.turn, credentials)
        if client.allocate()[0] != "127.0.0.1":
            raise Failed("no allocation")
        for ip in FORBIDDEN:
            for method, more in ((turn.PERMIT, []), (turn.BIND, [(0xC, struct.pack("!HH", 0x4000, 0))])):
                found = turn.code(client.ask(method, more, [(ip, 5060)]))
                if found != 403:
                    raise Failed(f"{ip}: {found}")
        # The server's own ports other than relays: its address is open for tests, so this is another address of this host.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim:
            victim.bind(("127.0.0.2", 0))
            victim.settimeout(0.5)
            transaction = os.urandom(12)
            peer = turn.address(*victim.getsockname(), transaction)
            client.socket.send(turn.message(turn.SEND, transaction, [(turn.PEER, peer), (turn.DATA, b"x")]))
            try:
                raise Failed(f"the victim got {victim.recv(100)!r}")
            except TimeoutError:
                pass
        client.close()
    with judge.case("relay: TCP relays (RFC 6062) are off and say so, over UDP and TCP"):
        for client in (Turn(server.turn, credentials), Stream(server.turn, credentials)):
            asked = client.ask(turn.ALLOCATE, [turn.TCP])
            if turn.code(asked) != 442:
                raise Failed(f"{asked}")
            client.close()
    with judge.case("relay: coturn's client gets no TCP relay where they are off"):
        user, password = credentials
        text = uclient(out, "tcp-off", ["-T", "-m", "2", "-p", str(server.turn[1]), "-u", user, "-w", password, "127.0.0.1"])
        if "Unsupported Transport Protocol" not in text or "tot_recv_msgs" in text:
            raise Failed(text[-300:])
    amplification(judge, server)


def amplification(judge, server):
    with judge.case(f"relay: what strangers get is at most {AMPLIFICATION} times what they sent"):
        client = Turn(server.turn)
        for method in (turn.BINDING, turn.ALLOCATE, turn.REFRESH, turn.PERMIT, turn.BIND, turn.CONNECT):
            for attributes in ([], [turn.UDP], [(0x8022, b"x" * 60)], [(0x7FFF, b"")] * 20):
                asked = turn.message(method, os.urandom(12), attributes)
                client.socket.send(asked)
                client.socket.settimeout(0.3)
                try:
                    got = client.socket.recv(4096)
                except TimeoutError:
                    continue
                if len(got) > AMPLIFICATION * len(asked):
                    raise Failed(f"method {method}: {len(asked)} bytes asked, {len(got)} answered")
        client.close()
    with judge.case("relay: data, noise and indications of strangers get nothing back"):
        client = Turn(server.turn)
        send = turn.message(turn.SEND, os.urandom(12), [(turn.PEER, turn.address("127.0.0.1", 9, b"x" * 12)), (turn.DATA, b"x")])
        for data in (b"\x40\0\0\4abcd", b"\x7f\xff\0\0", b"", b"\0" * 20, os.urandom(100), send):
            if not client.silent(data, 0.2):
                raise Failed(f"{data[:8]!r} was answered")
        client.close()


def provisioning(judge, server):
    """Who is signed in is told where the relay is and how to use it; nobody else is."""
    with judge.case("relay: signed-in clients alone are told of it, with credentials for eight hours"):
        page = Page(server, "relay-anna")
        status, told = page.ask("GET", "/provisioning")
        given = told.get("turn")
        if status != 200 or given["ttl"] != 8 * 3600 or int(given["username"].split(":")[0]) - time.time() > given["ttl"] + 5:
            raise Failed(f"{status} {given}")
        uris = [f"turn:127.0.0.1:{server.turn[1]}?transport={way}" for way in ("udp", "tcp")]
        if given["uris"] != uris + [f"turns:127.0.0.1:{server.turns[1]}?transport=tcp"]:
            raise Failed(f"{given['uris']}")
        if "relay-anna" in given["username"]:
            raise Failed("the relay learns who it is")
        page.token = "none"
        if page.ask("GET", "/provisioning")[0] != 401:
            raise Failed("a stranger was told")
        return given["username"], given["password"]


def disabled(judge, server, credentials):
    """Comes last: after it the credentials of the others are worth nothing."""
    with judge.case("relay: who is disabled has no allocation any more within 5 s, and gets none"):
        client = Turn(server.turn, credentials)
        if client.allocate()[0] != "127.0.0.1":
            raise Failed("no allocation")
        shell(server, "user", "disable", "relay-anna@" + server.domain)
        end = time.monotonic() + 5
        # RFC 8656 section 7.3: 437 where there is no allocation; 401 where the credentials are no more.
        while (found := turn.code(client.ask(turn.PERMIT, [], [("127.0.0.1", 9)]))) not in (401, 437):
            if time.monotonic() > end:
                raise Failed(f"answered {found}")
            time.sleep(0.1)
        if (found := Turn(server.turn, credentials).allocate()) != 401:
            raise Failed(f"answered {found}")


def six(judge, out, binary):
    if not socket.has_ipv6:
        return
    with judge.case("relay: IPv6 to the client and to its peers"):
        folder = os.path.join(out, "six")
        os.makedirs(folder)
        port = free_port("127.0.0.1")
        server = Lyceum(binary, folder, PEOPLE, extra=["--turn", f"[::1]:{port}", "--turn-secret", SECRET]).start()
        client = Turn(("::1", port), turn.rest(SECRET, "anna"))
        found = client.ask(turn.ALLOCATE, [turn.UDP, (0x17, b"\2\0\0\0")])
        if turn.RELAYED not in found or turn.read_address(found[turn.RELAYED], client.answered)[0] != "::1":
            raise Failed(f"{found}")
        for ip in FORBIDDEN_V6:
            code = turn.code(client.ask(turn.PERMIT, [], [(ip, 9)]))
            if code != 403:
                raise Failed(f"{ip}: {code}")
        if turn.code(client.ask(turn.PERMIT, [], [("127.0.0.1", 9)])) != 443:
            raise Failed("a peer of the other family")
        client.close()
        user, password = turn.rest(SECRET, "anna")
        text = uclient(folder, "six", ["-x", "-y", "-m", "2", "-p", str(port), "-u", user, "-w", password, "::1"])
        everything_came(text)
        server.stop()


def connections(judge, out, binary):
    """TCP relay ports (RFC 6062), where they are on: coturn's client at both ends, then a peer that echoes."""
    folder = os.path.join(out, "connections")
    os.makedirs(folder)
    ports = [free_port(), free_port()]
    with judge.case("relay: a server with TCP relays starts"):
        server = Lyceum(binary, folder, PEOPLE, extra=[
            "--turn", f"127.0.0.1:{ports[0]}", "--turn-tls", f"127.0.0.1:{ports[1]}", "--turn-peer", "127.0.0.1/32",
            "--turn-secret", SECRET, "--turn-tcp"]).start()
    user, password = turn.rest(SECRET, "anna")
    # Of two passive ones coturn's client lets one hear the other and not itself be heard, with coturn's own server too.
    for name, words, port, heard in (("TCP", ["-T"], ports[0], 2), ("TLS", ["-T", "-S"], ports[1], 2),
                                     ("TCP, passive", ["-P"], ports[0], 1)):
        with judge.case(f"relay: coturn's client with TCP relays over {name}"):
            text = uclient(folder, "".join(words), [*words, "-m", "2", "-p", str(port), "-u", user, "-w", password, "127.0.0.1"])
            everything_came(text, heard=heard)
    control = ("127.0.0.1", ports[0])
    echo_by_tcp(judge, control, (user, password))
    with judge.case("relay: that server drains and exits with 0"):
        code = server.stop()
        if code != 0:
            raise Failed(f"exit code {code}; log {server.child.log_path}")


def echo_by_tcp(judge, control, credentials):
    client = Stream(control, credentials)
    with judge.case("relay: a TCP peer that was opened echoes a megabyte, and its end comes through"):
        if turn.RELAYED not in client.ask(turn.ALLOCATE, [turn.TCP]):
            raise Failed("no allocation")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(5)
            number = client.ask(turn.CONNECT, [], [listener.getsockname()])[turn.CONNECTION]
            peer, _ = listener.accept()
        taken, sent = client.take(number), os.urandom(1 << 20)
        threading.Thread(target=echo_all, args=(peer,), daemon=True).start()
        threading.Thread(target=send_all, args=(taken, sent), daemon=True).start()
        taken.settimeout(20)
        got = b"".join(iter(lambda: taken.recv(65536), b""))
        if got != sent:
            raise Failed(f"{len(got)} bytes of {len(sent)} came back")
        taken.close()
    with judge.case("relay: connections go to nobody that was not opened, and numbers are worth nothing to others"):
        for ip in FORBIDDEN:
            if (found := turn.code(client.ask(turn.CONNECT, [], [(ip, 80)]))) != 403:
                raise Failed(f"{ip}: {found}")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            number = client.ask(turn.CONNECT, [], [listener.getsockname()])[turn.CONNECTION]
            ben = Stream(control, turn.rest(SECRET, "ben"))
            ben.ask(turn.ALLOCATE, [turn.TCP])
            for who, asked in ((ben, number), (client, os.urandom(4)), (ben, os.urandom(4))):
                if (found := who.take(asked)) != 400:
                    raise Failed(f"answered {found}")
            if not isinstance(client.take(number), socket.socket) or client.take(number) != 400:
                raise Failed("the owner takes it, and once")
            ben.close()
    client.close()


def echo_all(peer):
    while data := peer.recv(65536):
        peer.sendall(data)
    peer.close()


def send_all(sender, data):
    sender.sendall(data)
    sender.shutdown(socket.SHUT_WR)


def run(judge, out, binary, _depth):
    ports = [free_port(), free_port()]
    with judge.case("relay: the server starts"):
        server = Lyceum(binary, out, PEOPLE, extra=[
            "--turn", f"127.0.0.1:{ports[0]}", "--turn-tls", f"127.0.0.1:{ports[1]}", "--turn-peer", "127.0.0.1/32",
            "--turn-secret", SECRET]).start()
        server.turn, server.turns = ("127.0.0.1", ports[0]), ("127.0.0.1", ports[1])
    credentials = provisioning(judge, server)
    judge.together([
        ("relay: stun", stun, out, server),
        *[(f"relay: {name}", carrier, out, server, name, words, credentials, port) for name, words, port in (
            ("UDP", [], ports[0]), ("TCP", ["-t"], ports[0]), ("TLS", ["-t", "-S"], ports[1]))],
        ("relay: echo", echo, out, server, credentials),
        ("relay: wrong", wrong, out, server, credentials),
        ("relay: attacks", attacks, out, server, credentials),
        ("relay: six", six, out, binary),
        ("relay: connections", connections, out, binary),
    ])
    judge.scenario("relay: disabled", disabled, server, credentials)
    with judge.case("relay: the server drains and exits with 0"):
        code = server.stop()
        if code != 0:
            raise Failed(f"exit code {code}; log {server.child.log_path}")
