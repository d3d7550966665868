"""ClamAV's daemon with signatures made by hand: it knows EICAR's test file, and needs no database from outside."""

import os
import shutil
import socket

from .process import Child, Failed, until

# The test file of the European Institute for Computer Antivirus Research; every scanner knows it, and it does nothing.
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd:
    """One daemon on a socket of its own; can be stopped and started again."""

    def __init__(self, folder):
        self.home = os.path.join(folder, "clamd")
        self.socket = os.path.join(self.home, "clamd.ctl")
        signatures = os.path.join(self.home, "signatures")
        os.makedirs(signatures)
        with open(os.path.join(signatures, "test.ndb"), "w") as file:
            file.write(f"Eicar-Test-Signature:0:*:{EICAR.encode().hex()}\n")
        self.config = os.path.join(self.home, "clamd.conf")
        with open(self.config, "w") as file:
            file.write(f"LocalSocket {self.socket}\nDatabaseDirectory {signatures}\nTemporaryDirectory {self.home}\n"
                       "Foreground yes\nStreamMaxLength 1M\nMaxThreads 2\nFixStaleSocket yes\n")
        self.child = None

    @staticmethod
    def there():
        return shutil.which("clamd") is not None

    def start(self):
        self.child = Child(["clamd", "--config-file", self.config], os.path.join(self.home, "clamd.log"))
        until(self.answers, 30, f"clamd did not answer; log {self.child.log_path}")
        return self

    def answers(self):
        if not self.child.alive():
            raise Failed(f"clamd ended; log {self.child.log_path}")
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(2)
                link.connect(self.socket)
                link.sendall(b"zPING\0")
                return link.recv(16).startswith(b"PONG")
        except OSError:
            return False

    def stop(self):
        self.child.end()
