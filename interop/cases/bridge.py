"""A browser and a desk phone call each other: unlike media, bridged by the server; judged by Chromium and baresip."""

import http.server
import json
import os
import subprocess
import threading
import time

from harness import quality, sound
from harness.baresip import Baresip
from harness.browser import BrowserPhone
from harness.process import Failed
from harness.server import Lyceum

PEOPLE = {name: f"pw-{name}" for name in ("b-page", "b-opus", "b-desk", "b-third")}
TALK = 5.0
# What PESQ has to say of speech in G.711 from end to end, and of speech that was made into another codec on its way.
END_TO_END, TRANSCODED = 3.8, 3.5


def voice(folder, who):
    """A voice as a browser's microphone takes it."""
    loop = sound.speech(os.path.dirname(folder), who)[0]
    path = loop.replace(".wav", "-48k.wav")
    if not os.path.exists(path):
        subprocess.run(["sox", loop, "-r", "48000", path], check=True, capture_output=True)
    return path


def browser(folder, server, user, who, **more):
    phone = BrowserPhone(folder, server.account(user), server, voice(folder, who), **more)
    phone.voice = who
    phone.registered()
    return phone


def desk(folder, server, user, who, transport, **more):
    phone = Baresip(folder, server.account(user), server, transport, sound.speech(os.path.dirname(folder), who)[0], **more)
    phone.voice = who
    phone.registered()
    return phone


def set_up(caller, callee):
    caller.dial(callee.account.user)
    callee.incoming()
    callee.answer()
    caller.established()
    callee.established()


def both_hear(folder, page, phone):
    page.record()
    time.sleep(TALK)
    sound.check(page.recording(), folder, phone.voice, [page.voice], "end")
    sound.check(phone.recording(), folder, page.voice, [phone.voice], "end")


def codec_of(page):
    streams = [one for one in page.stats()["streams"] if one["kind"] == "audio"]
    return {one["codec"] for one in streams}


def call(judge, name, folder, page, phone, browser_calls, codec):
    caller, callee = (page, phone) if browser_calls else (phone, page)
    with judge.case(f"{name}: is answered"):
        set_up(caller, callee)
    with judge.case(f"{name}: speech both ways"):
        both_hear(folder, page, phone)
    with judge.case(f"{name}: in {codec}"):
        if codec_of(page) != {f"audio/{codec}"}:
            raise Failed(f"the browser speaks {codec_of(page)}")
    with judge.case(f"{name}: the browser holds and resumes"):
        page.hold()
        phone.held()
        page.resume()
        phone.resumed()
    with judge.case(f"{name}: the phone holds and resumes"):
        phone.hold()
        page.child.expect(r"hold remote\n", 10, "the hold")
        phone.resume()
        page.child.expect(r"unhold remote\n", 10, "the end of the hold")
    with judge.case(f"{name}: keys of the browser arrive"):
        page.keys("42#")
        heard = "".join(phone.key() for _ in range(3))
        if heard != "42#":
            raise Failed(f"the phone heard {heard}")
    with judge.case(f"{name}: speech both ways after that"):
        both_hear(folder, page, phone)
    with judge.case(f"{name}: ends"):
        (page if browser_calls else phone).hangup()
        (phone if browser_calls else page).ended()


def insists(judge, folder, page, server):
    """A phone that takes nothing but SRTP refuses the first offer and is made another."""
    phone = desk(folder, server, "b-third", "bob", "tls", encrypts="srtp-mand")
    with judge.case("a phone that insists on SRTP gets it"):
        set_up(page, phone)
        both_hear(folder, page, phone)
        page.hangup()
        phone.ended()
    phone.close()


def transfers(judge, folder, page, phone, server):
    third = desk(folder, server, "b-third", "carol", "udp")
    with judge.case("the browser hands the phone on to another phone"):
        set_up(page, phone)
        page.transfer("b-third")
        third.incoming()
        third.answer()
        third.established()
    with judge.case("and is out of the call"):
        page.hangup()
        time.sleep(TALK)
        sound.check(third.recording(), folder, phone.voice, [third.voice], "end")
    third.hangup()
    phone.ended()
    third.close()


def marked(judge, folder, page, phone):
    """What the server sends of sound carries its mark and comes from the range for sound."""
    with judge.case("the server's packets are marked, and come from the ports for sound"):
        set_up(page, phone)
        argv = ["tshark", "-i", "lo", "-f", "udp", "-a", "duration:3", "-T", "fields", "-e", "udp.srcport", "-e", "udp.dstport", "-e", "ip.dsfield.dscp"]
        told = subprocess.run(argv, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL).stdout
        rows = [line.split("\t") for line in told.splitlines() if line.count("\t") == 2 and line.split("\t")[2]]
        ours = [(int(source), int(mark)) for source, target, mark in rows if int(target) in range(phone.rtp, phone.rtp + 9)]
        page.hangup()
        phone.ended()
        if len(ours) < 50 or {mark for _, mark in ours} != {46}:
            raise Failed(f"{len(ours)} packets to the phone, marks {sorted({mark for _, mark in ours})}")
        if not all(16384 <= source <= 22383 for source, _ in ours):
            raise Failed(f"from ports {sorted({source for source, _ in ours})}")


def quality_of(judge, folder, name, one, other, least):
    """Speech both ways in one call, as PESQ hears it."""
    with judge.case(f"quality, {name}: is answered"):
        set_up(one, other)

    def record():
        for end in (one, other):
            if end.kind in ("browser", "page"):
                end.record()
        time.sleep(quality.RECORDING)
        return {end.account.user: end.recording() for end in (one, other)}

    found = quality.best(folder, record, least)
    told = ", ".join(f"{value:.2f} at {user}" for user, value in found.items())
    reached = "reached" if min(found.values()) >= least else "not reached"
    with judge.case(f"quality, {name}: PESQ {told}; {least} is asked and {reached}"):
        if min(found.values()) < least:
            raise Failed(f"recordings in {folder}")
    with judge.case(f"quality, {name}: ends"):
        one.hangup()
        other.ended()


def qualities(judge, folder, server):
    """What speech costs on its way: first from phone to phone past us, which is what G.711 alone makes of it; then through us."""
    with judge.case("quality: a sample of speech at -26 dBov"):
        _, loop, wide = quality.sample(folder)
    phones = {"b-desk": ("udp", None), "b-third": ("tls", "srtp")}
    made = lambda user: Baresip(folder, server.account(user), server, phones[user][0], loop, encrypts=phones[user][1])
    pages = {"b-page": (), "b-opus": ("opus",)}
    page = lambda user: BrowserPhone(folder, server.account(user), server, wide, codecs=pages[user])
    plain = Baresip(folder, server.account("b-third"), server, "udp", loop)
    calls = (("phone to phone", lambda: plain, "b-desk", END_TO_END), ("browser in G.711 to plain RTP", lambda: page("b-page"), "b-desk", END_TO_END),
             ("browser in G.711 to SRTP", lambda: page("b-page"), "b-third", END_TO_END), ("browser in Opus to SRTP", lambda: page("b-opus"), "b-third", TRANSCODED))
    for name, caller, callee, least in calls:
        one, other = caller(), made(callee)
        with judge.case(f"quality, {name}: both register"):
            one.registered()
            other.registered()
        quality_of(judge, folder, name, one, other, least)
        one.close()
        other.close()


class Controller(threading.Thread):
    """What a network's controller is told: a web server that keeps what is posted to it. It fails the first time."""

    def __init__(self):
        super().__init__(daemon=True)
        self.records, self.failed = [], False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not outer.failed:
                    outer.failed = True
                    self.send_error(503)
                    return
                outer.records += json.loads(body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/flows"

    def run(self):
        self.server.serve_forever()


def flows(judge, path, controller):
    with judge.case("flow records: start, change and end of every call, with users, codecs, ports and quality"):
        with open(path) as file:
            records = [json.loads(line) for line in file]
        by = {}
        for record in records:
            by.setdefault(record["flow"], []).append(record)
        for flow, told in by.items():
            events = [record["event"] for record in told]
            if events[0] != "start" or events[-1] != "end" or set(events[1:-1]) - {"change"}:
                raise Failed(f"{flow}: {events}")
            last = told[-1]
            if last["path"] == "direct":
                continue
            ends = [last["caller"], last["callee"]]
            if last["modality"] != "audio" or last["dscp"] != 46 or "relayed" not in last["path"]:
                raise Failed(f"{last}")
            if not all(end["server"] and end["codec"] and end["user"] and end["device"] for end in ends):
                raise Failed(f"{ends}")
            if not all(end["quality"]["received"]["packets"] > 0 for end in ends):
                raise Failed(f"{ends}")
        if controller.records != records or not controller.failed:
            raise Failed(f"{len(controller.records)} records were posted, {len(records)} written")
        # Two of them are those of two phones, which go past us.
        if len(by) != 13:
            raise Failed(f"{len(by)} flows of 13 calls")


def run(judge, out, binary, _depth):
    folder = os.path.join(out, "bridge")
    os.makedirs(folder)
    records = os.path.join(out, "flows.jsonl")
    controller = Controller()
    controller.start()
    with judge.case("bridge: the server starts"):
        extra = ["--flow-records", records, "--flow-webhook", controller.url]
        server = Lyceum(binary, out, PEOPLE, extra=extra).start()
    page = browser(folder, server, "b-page", "alice")
    for name, transport, encrypts in (("plain RTP over UDP", "udp", None), ("SRTP over TLS", "tls", "srtp")):
        phone = desk(folder, server, "b-desk", "bob", transport, encrypts=encrypts)
        judge.scenario("browser_calls", call, f"browser to {name}", folder, page, phone, True, "PCMU")
        judge.scenario("browser_is_called", call, f"{name} to browser", folder, page, phone, False, "PCMU")
        if transport == "udp":
            judge.scenario("marked", marked, folder, page, phone)
            judge.scenario("transfers", transfers, folder, page, phone, server)
        phone.close()
    judge.scenario("insists", insists, folder, page, server)
    page.close()
    page = browser(folder, server, "b-opus", "alice", codecs=["opus"])
    phone = desk(folder, server, "b-desk", "bob", "tls", encrypts="srtp")
    judge.scenario("transcoded", call, "Opus to G.711", folder, page, phone, True, "opus")
    phone.close()
    page.close()
    judge.scenario("qualities", qualities, folder, server)
    with judge.case("bridge: the server drains and exits with 0"):
        code = server.stop()
        if code != 0:
            raise Failed(f"exit code {code}; log {server.child.log_path}")
    judge.scenario("flows", flows, records, controller)
