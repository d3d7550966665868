"""Programs from outside: started with a log, watched line by line, ended by their own id."""

import os
import re
import signal
import random
import socket
import subprocess
import threading
import time


class Failed(Exception):
    """A case did not hold; the text says why."""


class Child:
    """One program. What it prints goes to a log file and into memory, where `expect` looks for it."""

    def __init__(self, argv, log, cwd=None, env=None, stdin=False):
        self.argv = [str(word) for word in argv]
        self.log_path = str(log)
        self.text = ""
        self.cursor = 0
        self.news = threading.Condition()
        self.closed = False
        self.log = open(log, "ab")
        self.log.write(("$ " + " ".join(self.argv) + "\n").encode())
        whole = dict(os.environ)
        whole.update(env or {})
        self.process = subprocess.Popen(
            self.argv, cwd=cwd, env=whole, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        STARTED.append(self)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @property
    def pid(self):
        return self.process.pid

    def _read(self):
        while True:
            piece = os.read(self.process.stdout.fileno(), 65536)
            with self.news:
                if not piece:
                    self.closed = True
                    self.news.notify_all()
                    return
                self.log.write(piece)
                self.log.flush()
                self.text += piece.decode("utf-8", "replace")
                self.news.notify_all()

    def say(self, line):
        """Types one line."""
        self.log.write(("> " + line + "\n").encode())
        try:
            self.process.stdin.write((line + "\n").encode())
            self.process.stdin.flush()
        except OSError as error:
            raise Failed(f"{self.name()} does not listen any more: {error}") from error

    def expect(self, pattern, seconds=10, what=None):
        """Waits for `pattern` in what is printed from here on, and steps behind it."""
        expression = re.compile(pattern, re.S)
        end = time.monotonic() + seconds
        with self.news:
            while True:
                found = expression.search(self.text, self.cursor)
                if found:
                    self.cursor = found.end()
                    return found
                left = end - time.monotonic()
                if left <= 0 or self.closed:
                    why = "ended" if self.closed else f"did not within {seconds} s"
                    raise Failed(f"{self.name()}: waited for {what or pattern!r}, {why}; log {self.log_path}")
                self.news.wait(left)

    def seen(self, pattern):
        """Whether `pattern` was printed at any time."""
        with self.news:
            return re.search(pattern, self.text, re.S) is not None

    def name(self):
        return os.path.basename(self.argv[len(FIRST) if self.argv[:len(FIRST)] == FIRST else 0])

    def alive(self):
        return self.process.poll() is None

    def wait(self, seconds):
        """The exit code, or `Failed`."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{self.name()} did not end within {seconds} s; log {self.log_path}") from error
        self.reader.join(2)
        return code

    def kill(self):
        """As a power cut would."""
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self, seconds=5):
        """Asks first."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self.reader.join(1)
        return self.process.returncode


class Watch:
    """A log file that somebody else writes, read as `Child.expect` reads."""

    def __init__(self, path, who):
        self.path, self.who, self.cursor = path, who, 0

    def text(self):
        try:
            with open(self.path, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def expect(self, pattern, seconds=10, what=None):
        """Waits for `pattern` behind what was found before."""
        expression = re.compile(pattern)
        end = time.monotonic() + seconds
        while True:
            found = expression.search(self.text(), self.cursor)
            if found:
                self.cursor = found.end()
                return found
            if time.monotonic() > end:
                raise Failed(f"{self.who}: waited for {what or pattern!r}, did not within {seconds} s; log {self.path}")
            time.sleep(0.05)


def _first():
    """What puts a program before others: a phone that waits for the processor drops sound."""
    for words in (["chrt", "--rr", "5"], ["nice", "-n", "-10"]):
        try:
            if subprocess.run([*words, "true"], capture_output=True).returncode == 0:
                return words
        except FileNotFoundError:
            continue
    return []


FIRST = _first()

STARTED = []


def end_all():
    """Ends whatever a case left running."""
    for child in STARTED:
        if child.alive():
            child.end(2)
    STARTED.clear()


# Below the ports that the kernel gives to outgoing connections, so that none of those takes what was found free.
_PORTS = range(16384, 32700, 10)
_place = random.randrange(len(_PORTS))


def free_port(host="127.0.0.1"):
    """A port that is free for UDP and TCP just now, with the next one (baresip listens there for TLS); those up to nine
    above it are nobody else's (RTP)."""
    global _place
    for _ in _PORTS:
        _place = (_place + 1) % len(_PORTS)
        port = _PORTS[_place]
        if all(_is_free(kind, host, each) for each in (port, port + 1) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            return port
    raise Failed("no free port")


def _is_free(kind, host, port):
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((host, port))
            return True
        except OSError:
            return False


def until(condition, seconds, what):
    """Waits until `condition()` is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise Failed(f"{what}: not within {seconds} s")
