"""baresip, driven over its control socket (netstrings of JSON), speaking from a file and recording what it hears."""

import glob
import json
import os
import re
import socket
import threading
import time

from .process import FIRST, Child, Failed, free_port, until

MODULES = "/usr/lib/baresip/modules"


def whole_png(path):
    """Whether the file is there to its end."""
    if not os.path.exists(path):
        return False
    with open(path, "rb") as file:
        return b"IEND" in file.read()


class Baresip:
    """One phone with one account."""

    kind = "baresip"

    def __init__(self, folder, account, server, transport, speaks, watches=(), publishes=False, encrypts=None, codecs="PCMU/8000/1",
                 media="127.0.0.1", video=False, buffers="2-5"):
        """`watches` are users whose presence it subscribes to; `publishes` its own, every ten minutes as its manual has it;
        `encrypts` is `srtp` (where the other can) or `srtp-mand` (or no call); `video` sends and
        takes pictures in VP8; `buffers` are the least and the most packets that its jitter buffer waits for."""
        self.watches, self.publishes = watches, publishes
        self.encrypts, self.codecs, self.media, self.video, self.buffers = encrypts, codecs, media, video, buffers
        self.account, self.server, self.transport = account, server, transport
        self.home = os.path.join(folder, f"baresip-{account.user}")
        os.makedirs(self.home, exist_ok=True)
        self.control = free_port()
        self.rtp = free_port() & ~1
        self.events, self.pictures = [], 0
        self.cursor = 0
        self.news = threading.Condition()
        self._configure(speaks)
        self.child = Child(FIRST + ["baresip", *(["-s"] if watches or publishes else []), "-f", self.home], os.path.join(self.home, "log"), cwd=self.home)
        self.socket = until(self._connect, 10, "baresip's control socket")
        threading.Thread(target=self._read, daemon=True).start()

    def _configure(self, speaks):
        host, port = self.server.address(self.transport)
        me = self.account
        lines = [
            "poll_method epoll", f"sip_listen {self.media}:{free_port()}", "call_local_timeout 120", "call_max_calls 4",
            f"audio_source aufile,{speaks}", "audio_player aubridge,sink", "audio_alert aubridge,alert",
            "ausrc_srate 8000", "auplay_srate 8000", "ausrc_channels 1", "auplay_channels 1", "audio_level no",
            "ausrc_format s16", "auplay_format s16", "auenc_format s16", "audec_format s16", f"jitter_buffer_delay {self.buffers}",
            f"net_interface {self.media}", f"rtp_ports {self.rtp}-{self.rtp + 8}", f"module_path {MODULES}", "module g711.so", "module aufile.so", "module aubridge.so",
            "module sndfile.so", f"snd_path {self.home}", "module_tmp account.so", "module_app menu.so",
            "module_app ctrl_tcp.so", "module uuid.so", f"ctrl_tcp_listen 127.0.0.1:{self.control}",
        ]
        if self.encrypts:
            lines.append("module srtp.so")
        if "opus" in self.codecs:
            lines.append("module opus.so")
        if self.video:
            lines += ["module vp8.so", "module fakevideo.so", "module snapshot.so", "video_source fakevideo,source", "video_display fakevideo,sink",
                      "video_size 320x240", "video_bitrate 300000", "video_fps 15", "videnc_format yuv420p"]
        if self.watches or self.publishes:
            lines += ["module_app contact.so", "module_app presence.so"]
        if self.server.ca:
            lines.append(f"sip_cafile {self.server.ca}")
            lines.append("sip_verify_server yes")
        with open(os.path.join(self.home, "config"), "w") as file:
            file.write("\n".join(lines) + "\n")
        via = f"sip:{host}:{port};transport={self.transport}"
        publishes = ";pubint=600" if self.publishes else ""
        video = ";video_codecs=vp8" if self.video else ""
        encrypts = f";mediaenc={self.encrypts}" if self.encrypts else ""
        with open(os.path.join(self.home, "accounts"), "w") as file:
            file.write(f"<sip:{me.user}@{me.domain};transport={self.transport}>;auth_user={me.user};auth_pass={me.password}"
                       f";outbound=\"{via}\";regint=600;answermode=manual;audio_codecs={self.codecs};ptime=20{video}{publishes}{encrypts}\n")
        with open(os.path.join(self.home, "contacts"), "w") as file:
            file.writelines(f'"{user}" <sip:{user if "@" in user else f"{user}@{me.domain}"}>;presence=p2p\n' for user in self.watches)

    def _connect(self):
        try:
            return socket.create_connection(("127.0.0.1", self.control), 1)
        except OSError:
            if not self.child.alive():
                raise Failed(f"baresip ended at once; log {self.child.log_path}")
            return None

    def _read(self):
        waiting = b""
        self.socket.settimeout(None)
        while True:
            try:
                piece = self.socket.recv(65536)
            except OSError:
                return
            if not piece:
                return
            waiting += piece
            while b":" in waiting:
                size, rest = waiting.split(b":", 1)
                if len(rest) < int(size) + 1:
                    break
                body, waiting = rest[:int(size)], rest[int(size) + 1:]
                with self.news:
                    self.events.append(json.loads(body.decode("utf-8", "replace")))
                    self.child.log.write(b"< " + body + b"\n")
                    self.news.notify_all()

    def _command(self, command, params=""):
        body = json.dumps({"command": command, "params": params, "token": "t"}).encode()
        self.child.log.write(b"> " + body + b"\n")
        self.socket.sendall(str(len(body)).encode() + b":" + body + b",")

    def _event(self, kinds, seconds):
        """The next event of one of these types."""
        end = time.monotonic() + seconds
        with self.news:
            while True:
                while self.cursor < len(self.events):
                    event = self.events[self.cursor]
                    self.cursor += 1
                    if event.get("type") in kinds:
                        return event
                left = end - time.monotonic()
                if left <= 0 or not self.child.alive():
                    raise Failed(f"baresip of {self.account.user}: no {' or '.join(kinds)} within {seconds} s;"
                                 f" log {self.child.log_path}")
                self.news.wait(min(left, 0.5))

    def registered(self, seconds=10):
        answer = r"\{\d/\w+/v\d\} (\d\d\d) ([^\n]*)|reg: [^\n]*failed[^\n]*|reg: [^\n]*: \d\d\d [^\n]*"
        found = self.child.expect(answer, seconds, "its registration")
        if found.group(1) != "200":
            raise Failed(f"baresip of {self.account.user} cannot register: {found.group(0)}")

    def sees(self, user, status, seconds=15):
        """Waits until its list of contacts shows the status, as `Online` or `Busy`."""
        wanted = re.compile(rf"{status}[^\n]*sip:{user if '@' in user else user + '@'}")
        end = time.monotonic() + seconds
        while True:
            self._command("contacts")
            time.sleep(0.1)
            with self.news:
                told = [event.get("data") for event in self.events if event.get("response")]
            shown = re.sub("\x1b\\[[0-9;]*m", "", next((text for text in reversed(told) if text and "sip:" in text), ""))
            if wanted.search(shown):
                return
            if time.monotonic() > end:
                raise Failed(f"baresip of {self.account.user} shows {shown!r}, waited for {status} of {user}")

    def presence(self, word):
        """`online` or `offline`."""
        self._command(f"presence_{word}")

    def dial(self, user):
        """A user of the same domain, or an address."""
        self._command("dial", f"sip:{user}" if "@" in user else f"sip:{user}@{self.account.domain}")

    def incoming(self, seconds=10):
        return self._event(["CALL_INCOMING"], seconds)

    def ringing(self, seconds=10):
        return self._event(["CALL_RINGING", "CALL_PROGRESS"], seconds)

    def answer(self):
        self._command("accept")

    def established(self, seconds=10):
        return self._event(["CALL_ESTABLISHED"], seconds)

    def hold(self):
        self._command("hold")

    def held(self, seconds=10):
        return self._event(["CALL_REMOTE_SDP"], seconds)

    def resume(self):
        self._command("resume")

    def resumed(self, seconds=10):
        return self._event(["CALL_REMOTE_SDP"], seconds)

    def key(self, seconds=10):
        """The next key that the other one pressed."""
        return self._event(["CALL_DTMF_START"], seconds)["param"]

    def press(self, key):
        self._command("sndcode", key)

    def sees_picture(self, seconds=10):
        """A picture that it decodes from now on, as a PNG file."""
        self.pictures += 1
        path = os.path.join(self.home, f"seen-{self.pictures}.png")
        self._command("snapshot_recv", path)
        try:
            until(lambda: whole_png(path), seconds, "a picture")
        except Failed as none:
            raise Failed(f"baresip of {self.account.user} decoded no picture within {seconds} s; log {self.child.log_path}") from none
        return path

    def hangup(self):
        self._command("hangup")

    def ended(self, seconds=10):
        return self._event(["CALL_CLOSED"], seconds)

    def recording(self):
        """What was heard in the newest stretch of sound."""
        files = sorted(glob.glob(os.path.join(self.home, "dump-*-dec.wav")), key=os.path.getmtime)
        if not files:
            raise Failed(f"baresip of {self.account.user} recorded nothing")
        return files[-1]

    def close(self):
        try:
            self._command("quit")
            self.child.wait(3)
        except (Failed, OSError):
            self.child.end()
        self.socket.close()
