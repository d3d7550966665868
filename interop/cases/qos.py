"""Quality of Service: marks on our own packets, what the exports are worth to the tools they are for, and whether
`lyceum qos verify` finds a router that changes marks."""

import json
import os
import re
import socket
import subprocess
import time

from harness.network import Network, sh
from harness.process import Child, Failed
from harness.server import Lyceum

TOPOLOGY = """
organisation: Lyceum
domains: [{name: lyceum.test, default: true}]
sites: [{name: Main, pools: [{name: pool1, fqdn: lyceum.test, nodes: [{name: node1, fqdn: lyceum.test}]}]}]
"""
MODALITIES = ["audio", "video", "sharing", "files", "signalling"]


def run(judge, out, binary, depth):
    document = os.path.join(out, "topology.yaml")
    with open(document, "w") as file:
        file.write(TOPOLOGY)
    judge.scenario("qos exports", exports, out, binary, document)
    judge.scenario("qos verify", verify, out, binary, document)
    judge.scenario("qos signalling", signalling, out, binary)


def exports(judge, out, binary, document):
    folder = os.path.join(out, "exports")
    sh(binary, "qos", "export", "--file", document, "--dir", folder)
    with Network("host", "other") as net:
        with judge.case("qos: nftables takes the export, and what it counts is marked"):
            sh(*net.on("host"), "nft", "--check", "-f", os.path.join(folder, "lyceum-qos.nft"))
            sh(*net.on("host"), "nft", "-f", os.path.join(folder, "lyceum-qos.nft"))
            sh(*net.on("host"), "nft", "-f", os.path.join(folder, "lyceum-qos.nft"))
            seen = marked(net, out)
            if seen != {20000: 46, 25000: 34, 40000: 0}:
                raise Failed(f"marks by port {seen}")
        with judge.case("qos: tc takes the export, and packets take the queue of their mark"):
            net.cable("host", "10.9.0.1/24", "other", "10.9.0.2/24")
            sh(*net.on("host"), "sh", os.path.join(folder, "lyceum-qos-tc.sh"), "c1a", "2000")
            before = queue(net)
            send(net, [("10.9.0.2", 20000)] * 7)
            after = queue(net)
            if after - before != 7:
                raise Failed(f"{after - before} of 7 packets in the queue of audio")


SEND = """
import socket, sys
for word in sys.argv[1:]:
    host, port = word.split(":")
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", int(port)))
    s.sendto(b"x" * 100, (host, 9))
    s.close()
"""


def send(net, packets):
    """Sends unmarked packets from the ports given; the rules of the host mark them."""
    sh(*net.on("host"), "python3", "-c", SEND, *[f"{host}:{port}" for host, port in packets])


def marked(net, out):
    """Marks of packets by their source port, as a capture sees them."""
    capture = Child([*net.on("host"), "tshark", "-i", "lo", "-l", "-T", "fields", "-e", "udp.srcport",
                     "-e", "ip.dsfield.dscp", "-f", "udp dst port 9"], os.path.join(out, "marked.log"))
    capture.expect("Capturing on", 20)
    ports = [20000, 25000, 40000]
    # The capture may begin a moment after it says so.
    for _ in range(40):
        send(net, [("127.0.0.1", port) for port in ports])
        if all(capture.seen(rf"(?m)^{port}\t") for port in ports):
            break
    capture.end()
    lines = [line.split("\t") for line in capture.text.splitlines() if "\t" in line]
    return {int(port): int(dscp) for port, dscp in lines if int(port) in ports}


def queue(net):
    """Packets that the class of audio has sent."""
    text = sh(*net.on("host"), "tc", "-s", "class", "show", "dev", "c1a")
    return int(re.search(r"class htb 1:10 .*?Sent \d+ bytes (\d+) pkt", text, re.S).group(1))


def verify(judge, out, binary, document):
    """caller -- near -- far -- agent: two routers, either of which may change marks."""
    with Network("caller", "near", "far", "agent") as net:
        net.cable("caller", "10.1.0.2/24", "near", "10.1.0.1/24")
        net.cable("near", "10.2.0.1/24", "far", "10.2.0.2/24")
        net.cable("far", "10.3.0.1/24", "agent", "10.3.0.2/24")
        net.route("caller", "default", "10.1.0.1")
        net.route("near", "10.3.0.0/24", "10.2.0.2")
        net.route("far", "10.1.0.0/24", "10.2.0.1")
        net.route("agent", "default", "10.3.0.1")
        net.forwards("near")
        net.forwards("far")
        agent = Child([*net.on("agent"), binary, "qos", "agent", "--listen", "10.3.0.2:7800", "--key", "right"],
                      os.path.join(out, "agent.log"))
        agent.expect("answering probes on", 20)

        def ask(*more, key="right"):
            done = subprocess.run(
                [*net.on("caller"), binary, "qos", "verify", "10.3.0.2:7800", "--key", key, "--file", document,
                 "--output", "json", *more], capture_output=True, text=True, timeout=120)
            with open(os.path.join(out, "verify.log"), "a") as log:
                log.write(done.stdout + done.stderr)
            rows = json.loads(done.stdout)["marks"]["rows"] if done.stdout else []
            return done, {(row["modality"], row["direction"]): row for row in rows}

        with judge.case("qos: with nothing in between every mark arrives both ways, with loss, jitter and round trip"):
            done, rows = ask()
            expected = {(one, way) for one in MODALITIES for way in ("to the agent", "from the agent")}
            if done.returncode != 0 or set(rows) != expected or not all(row["arrived"] for row in rows.values()):
                raise Failed(f"{done.stdout} {done.stderr}")
            if any(row["lost"] != 0 or row["jitter_ms"] is None for row in rows.values()):
                raise Failed(f"{rows}")
            if not all(rows[one, "from the agent"]["round_trip_ms"] > 0 for one in MODALITIES):
                raise Failed(f"no round trip in {rows}")

        with judge.case("qos: a router that clears marks one way is found and named, the other way is well"):
            net.filter("near", "table inet t { chain f { type filter hook forward priority mangle;\n"
                               "udp dport 16384-22383 ip saddr 10.1.0.0/24 ip dscp set 0\n}\n}\n")
            done, rows = ask()
            wrong = {where: row["what_was_found"] for where, row in rows.items() if not row["arrived"]}
            told = "the mark became 0 (default) at 10.1.0.1: 10.2.0.2 is the first to see it"
            if done.returncode != 1 or wrong != {("audio", "to the agent"): told}:
                raise Failed(f"{wrong}, exit code {done.returncode}")

        with judge.case("qos: a router that changes marks on the way back is found and named"):
            net.filter("near", "")
            net.filter("far", "table inet t { chain f { type filter hook forward priority mangle;\n"
                              "udp sport 22384-28383 ip saddr 10.3.0.0/24 ip dscp set cs1\n}\n}\n")
            done, rows = ask()
            wrong = {where: row["what_was_found"] for where, row in rows.items() if not row["arrived"]}
            told = "the mark became 8 (CS1) at 10.3.0.1: 10.2.0.1 is the first to see it"
            if done.returncode != 1 or wrong != {("video", "from the agent"): told}:
                raise Failed(f"{wrong}, exit code {done.returncode}")

        with judge.case("qos: ports that a filter drops are told"):
            net.filter("far", "table inet t { chain f { type filter hook forward priority filter;\n"
                              "udp dport 28384-30383 drop\n}\n}\n")
            done, rows = ask("--modality", "sharing", "--modality", "audio")
            there = rows["sharing", "to the agent"]
            if done.returncode != 1 or "nothing arrived" not in there["what_was_found"] or there["lost"] != 100:
                raise Failed(f"{rows}")
            if not rows["audio", "to the agent"]["arrived"]:
                raise Failed(f"{rows}")

        with judge.case("qos: the agent answers nobody without its key"):
            done, rows = ask(key="wrong")
            if done.returncode != 1 or rows or "the key is not the one" not in done.stderr:
                raise Failed(f"{done.stdout} {done.stderr}")
        agent.end()


def signalling(judge, out, binary):
    """What the server sends by SIP carries the mark of signalling, unless the topology says otherwise."""
    server = Lyceum(binary, out, {"anna": "pw-anna"}).start()
    (host, port), tls = server.address("udp"), server.address("tls")
    capture = Child(["tshark", "-i", "lo", "-l", "-T", "fields", "-e", "ip.proto", "-e", "ip.dsfield.dscp",
                     "-f", f"src port {port} or tcp src port {tls[1]}"], os.path.join(out, "signalling.log"))
    capture.expect("Capturing on", 20)
    with judge.case("qos: answers by UDP and TCP leave with DSCP 24"):
        for _ in range(40):
            options(socket.SOCK_DGRAM, host, port)
            options(socket.SOCK_STREAM, host, port)
            time.sleep(0.1)
            if capture.seen(r"(?m)^17\t") and capture.seen(r"(?m)^6\t24"):
                break
        lines = {tuple(line.split("\t")) for line in capture.text.splitlines() if line.count("\t") == 1}
        # The kernel answers SYN before the connection is ours; what carries SIP is marked.
        if ("17", "24") not in lines or ("17", "0") in lines or ("6", "24") not in lines:
            raise Failed(f"{lines}")
    capture.end()
    server.stop()


def options(kind, host, port):
    with socket.socket(socket.AF_INET, kind) as peer:
        peer.settimeout(5)
        peer.connect((host, port))
        own = "%s:%d" % peer.getsockname()
        transport = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
        peer.sendall((f"OPTIONS sip:lyceum.test SIP/2.0\r\nVia: SIP/2.0/{transport} {own};branch=z9hG4bK{own}\r\n"
                      f"Max-Forwards: 70\r\nFrom: <sip:x@lyceum.test>;tag=1\r\nTo: <sip:lyceum.test>\r\nCall-ID: {own}\r\n"
                      "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode())
        if not peer.recv(4096).startswith(b"SIP/2.0 "):
            raise Failed("no answer")
