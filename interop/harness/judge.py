"""Cases and their verdicts: `ok NAME` or `FAIL NAME why`, one line each, whatever runs beside."""

import contextlib
import threading
import time
import traceback

from .process import Failed


class Stop(Exception):
    """The scenario cannot go on; its failing case is already printed."""


class Judge:
    """Counts and prints."""

    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = 0

    def _print(self, line):
        with self.lock:
            print(line, flush=True)

    @contextlib.contextmanager
    def case(self, name):
        """One case. When it fails, the rest of its scenario is left out."""
        began = time.monotonic()
        try:
            yield
        except Stop:
            raise
        except Exception as error:
            self.failed += 1
            why = str(error) if isinstance(error, Failed) else traceback.format_exc(limit=3).replace("\n", " | ")
            self._print(f"FAIL {name} {why}")
            raise Stop from error
        self.passed += 1
        self._print(f"ok {name} ({time.monotonic() - began:.1f} s)")

    def scenario(self, name, function, *arguments):
        """Runs one scenario; what it did not catch itself is a failed case of its name."""
        try:
            with self.case(name):
                function(self, *arguments)
        except Stop:
            pass

    def together(self, scenarios):
        """Runs scenarios side by side."""
        threads = [threading.Thread(target=self.scenario, args=scenario) for scenario in scenarios]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
