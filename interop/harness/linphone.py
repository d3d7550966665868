"""linphonec, driven by what a person would type, speaking from a file and recording into another."""

import os
import re
import time

from .process import FIRST, Child, Failed, Watch, free_port

CONFIG = """[sip]
sip_port={sip}
sip_tcp_port={tcp}
sip_tls_port={tls}
register_only_when_network_is_up=0
default_proxy=0
use_ipv6=0
inc_timeout=60
verify_server_certs=1
verify_server_cn=1
root_ca={ca}
media_encryption=none
[net]
firewall_policy=none
download_bw=0
upload_bw=0
[rtp]
audio_rtp_port={rtp}
[sound]
echocancellation=0
echolimiter=0
agc=0
remote_ring=
local_ring=
ring=
[misc]
real_early_media=0
uuid={uuid}
[app]
auto_download_incoming_files_max_size=-1
[auth_info_0]
username={user}
passwd={password}
realm={domain}
domain={domain}
[proxy_0]
reg_proxy=<sip:{host}:{port};transport={transport}>
reg_route=<sip:{host}:{port};transport={transport};lr>
reg_identity=sip:{user}@{domain}
reg_expires=600
reg_sendregister=1
publish={publish}
dial_escape_plus=0
[audio_codec_0]
mime=PCMU
rate=8000
channels=1
enabled=1
"""


# What it would offer beside, unless it is told not to.
OTHERS = (("opus", 48000, 2), ("speex", 8000, 1), ("speex", 16000, 1), ("speex", 32000, 1), ("GSM", 8000, 1), ("G722", 8000, 1),
          ("PCMA", 8000, 1), ("G729", 8000, 1), ("iLBC", 8000, 1), ("BV16", 8000, 1))


class Linphone:
    """One phone with one account."""

    kind = "linphone"

    def __init__(self, folder, account, server, transport, speaks, watches=(), publishes=False, only_pcmu=False):
        """`watches` are users whose presence it subscribes to; `publishes` its own; `only_pcmu` speaks G.711 with everybody."""
        self.account = account
        self.home = os.path.join(folder, f"linphone-{account.user}")
        os.makedirs(os.path.join(self.home, ".local/share/linphone"), exist_ok=True)
        os.makedirs(os.path.join(self.home, ".config/linphone"), exist_ok=True)
        self.calls, self.rtp = 0, free_port()
        host, port = server.address(transport)
        if transport == "tls":
            # Its TLS library compares names only, no addresses.
            host = "localhost"
        config = os.path.join(self.home, "linphonerc")
        with open(config, "w") as file:
            file.write(CONFIG.format(
                sip=free_port() if transport == "udp" else 0, tcp=-2 if transport == "tcp" else 0,
                tls=-2 if transport == "tls" else 0, user=account.user, password=account.password,
                domain=account.domain, host=host, port=port, transport=transport, rtp=self.rtp,
                publish=int(publishes), ca=server.ca or "", uuid="00000000-0000-4000-8000-%012x" % free_port()))
            for number, user in enumerate(watches):
                file.write(f'[friend_{number}]\nurl="{user}" <sip:{user}@{account.domain}>\npol=accept\nsubscribe=1\n')
            for number, (mime, rate, channels) in enumerate(OTHERS if only_pcmu else (), 1):
                file.write(f"[audio_codec_{number}]\nmime={mime}\nrate={rate}\nchannels={channels}\nenabled=0\n")
        trace = os.path.join(self.home, "trace")
        self.child = Child(FIRST + ["linphonec", "-c", config, "-d", "6", "-l", trace], os.path.join(self.home, "log"), cwd=self.home,
                           env={"HOME": self.home, "TERM": "dumb", "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""}, stdin=True)
        self.trace = Watch(trace, f"linphone of {account.user}")
        self.child.expect("linphonec>", 15)
        self.speaks = speaks
        self.child.say("soundcard use files")
        self._prepare()

    def _prepare(self):
        """A fresh recording for the next call."""
        self.calls += 1
        self.heard = os.path.join(self.home, f"heard-{self.calls}.wav")
        self.child.say(f"play {self.speaks}")
        self.child.say(f"record {self.heard}")

    def _state(self, *states, seconds):
        names = "|".join(states)
        found = self.trace.expect(rf"CallSession \[[^]]*\] moving from state \S+ to \S*?({names})\b", seconds, names)
        return found.group(1)

    def registered(self, seconds=15):
        end = time.monotonic() + seconds
        asked = False
        while True:
            try:
                found = self.trace.expect(r"to \[LinphoneRegistration(Ok|Failed)\]", 0.3, "the registration")
                break
            except Failed:
                if time.monotonic() > end:
                    raise
            # A server that asks for a client's certificate makes it ask us for the password of nobody; no is an answer.
            if not asked and "cannot get client certificate" in self.trace.text():
                asked = True
                self.child.say("none")
        if found.group(1) != "Ok":
            raise Failed(f"linphone of {self.account.user} cannot register; log {self.trace.path}")

    def sees(self, user, status, seconds=15):
        """Waits until it tells the status of a friend, as `Online` or `Busy`."""
        self.child.expect(rf"Friend [^\n]*{user}[^\n]* is {status}", seconds, f"{user} to be {status}")

    def published(self, seconds=15):
        """Waits until the server took its presence."""
        self.trace.expect("to publish state LinphonePublishOk", seconds, "the 200 of its PUBLISH")

    def published_at(self, state="Ok", seconds=15):
        """When the server took its presence, or with `Cleared` its end, as `time.time`."""
        found = self.trace.expect(rf"(\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d):(\d{{3}}) [^\n]*to publish state LinphonePublish{state}", seconds, f"its PUBLISH {state}")
        return time.mktime(time.strptime(found.group(1), "%Y-%m-%d %H:%M:%S")) + int(found.group(2)) / 1000

    def write(self, user, text):
        self.child.say(f'chat sip:{user}@{self.account.domain} "{text}"')

    def times(self, text):
        """How often it printed a message."""
        with self.child.news:
            return len(re.findall(rf"Message received from [^\n]*{text}", self.child.text))

    def reads(self, user, text, seconds=10):
        """Waits for a message."""
        self.child.expect(rf"Message received from [^\n]*{user}@[^\n]*{text}", seconds, f"{text!r} of {user}")

    def dial(self, user):
        self._fresh()
        self.child.say(f"call sip:{user}@{self.account.domain}")

    def _fresh(self):
        if os.path.exists(self.heard):
            self._prepare()

    def incoming(self, seconds=10):
        self._fresh()
        self._state("IncomingReceived", seconds=seconds)

    def ringing(self, seconds=10):
        self._state("OutgoingRinging", "OutgoingEarlyMedia", seconds=seconds)

    def answer(self):
        self.child.say("answer")

    def established(self, seconds=10):
        self._state("StreamsRunning", seconds=seconds)

    def hold(self):
        self.child.say("pause")

    def held(self, seconds=10):
        self._state("CallPaused", "CallPausedByRemote", seconds=seconds)

    def resume(self):
        self.child.say("resume")

    def resumed(self, seconds=10):
        self._state("StreamsRunning", seconds=seconds)

    def hangup(self):
        self.child.say("terminate")

    def ended(self, seconds=10):
        self._state("CallEnd", "CallError", "End", "Error", seconds=seconds)

    def recording(self):
        if not os.path.exists(self.heard):
            raise Failed(f"linphone of {self.account.user} recorded nothing")
        return self.heard

    def close(self):
        if self.child.alive():
            try:
                self.child.say("quit")
                self.child.wait(5)
            except Failed:
                self.child.end()
