#!/usr/bin/env python3
"""Foreign clients judge the server: `interop/run.py --server PATH --out DIR [--depth commit|soak] [GROUP…]`.

Each case prints one line, `ok NAME` or `FAIL NAME why`. Everything runs on the loopback interface, on free ports, and
every program started here is ended by its id.
"""

import argparse
import os
import shutil
import sys

sys.dont_write_bytecode = True

from cases import (accounts, alone, bridge, browser, calendar, calls, desk, durability, edge, extensions, faults, federation, files, groups, large,
                   messages, pages, phones,
                   planning, policy, presence, proxy, qos, relay, retention, stranger, torture, watching)
from harness import process
from harness.clamd import Clamd
from harness.judge import Judge
from harness.server import Lyceum

GROUPS = {
    "alone": alone.run,
    "phones": phones.run,
    "proxy": proxy.run,
    "large": large.run,
    "browser": browser.run,
    "bridge": bridge.run,
    "desk": desk.run,
    "pages": pages.run,
    "calls": calls.run,
    "files": files.run,
    "calendar": calendar.run,
    "groups": groups.run,
    "relay": relay.run,
    "retention": retention.run,
    "presence": presence.run,
    "watching": watching.run,
    "stranger": stranger.run,
    "extensions": extensions.run,
    "policy": policy.run,
    "accounts": accounts.run,
    "planning": planning.run,
    "torture": torture.run,
    "qos": qos.run,
    "edge": edge.run,
    "federation": federation.run,
    "faults": faults.run,
    "durability": durability.run,
    "messages": messages.run,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="the lyceum binary")
    parser.add_argument("--out", required=True, help="folder for logs and recordings; emptied first")
    parser.add_argument("--depth", choices=["commit", "soak"], default="commit")
    parser.add_argument("group", nargs="*", help=", ".join(GROUPS))
    options = parser.parse_args()
    unknown = [group for group in options.group if group not in GROUPS]
    if unknown:
        parser.error(f"no such group: {', '.join(unknown)}")
    out = os.path.abspath(options.out)
    shutil.rmtree(out, ignore_errors=True)
    judge = Judge()
    for group in options.group or GROUPS:
        folder = os.path.join(out, group)
        os.makedirs(folder)
        try:
            judge.scenario(group, run_group, group, folder, options)
        finally:
            process.end_all()
    print(f"{judge.passed} passed, {judge.failed} failed")
    return 0 if judge.failed == 0 and judge.passed else 1


def run_group(judge, group, folder, options):
    """Groups that start servers of their own get the binary, the others a running server."""
    module = GROUPS[group]
    if group in ("alone", "bridge", "calls", "desk", "durability", "edge", "faults", "federation", "files", "calendar", "groups", "messages", "planning", "relay",
                 "retention", "qos", "watching"):
        module(judge, folder, os.path.abspath(options.server), options.depth)
        return
    users = {**phones.users(), **proxy.users(), large.USER: "pw-large", **pages.PEOPLE, **presence.users()}
    with judge.case(f"{group}: the server starts"):
        extra = ["--virus-scanner", f"clamd:{Clamd(folder).start().socket}"] if group == "pages" else []
        server = Lyceum(os.path.abspath(options.server), folder, users, extra=extra).start()
    module(judge, folder, server)
    with judge.case(f"{group}: the server drains and exits with 0"):
        code = server.stop()
        if code != 0:
            raise process.Failed(f"exit code {code}; log {server.child.log_path}")


if __name__ == "__main__":
    sys.exit(main())
