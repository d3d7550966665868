"""What strace saw: the order of received requests, syncs and answers, and how far each file was safe."""

import re

CALL = re.compile(r"^(?:\[pid\s+)?(\d+)\]?\s+(\w+)\((.*)$")
RESUMED = re.compile(r"^(?:\[pid\s+)?(\d+)\]?\s+<\.\.\. (\w+) resumed>(.*)$")
SYNCS = ("fdatasync", "fsync")


def whole_calls(lines):
    """Calls in the order in which they returned, and those that send in the order in which they began.

    Yields (thread, name, arguments, moment) where moment is `begin` or `end`: an answer counts from its begin, a sync from its
    end, which is the strict reading of "durable before told".
    """
    open_calls = {}
    for line in lines:
        found = RESUMED.match(line)
        if found:
            name, begun = open_calls.pop((found.group(1), found.group(2)), (None, ""))
            if name:
                yield found.group(1), name, begun + found.group(3), "end"
            continue
        found = CALL.match(line)
        if not found:
            continue
        pid, name, rest = found.groups()
        yield pid, name, rest, "begin"
        if rest.rstrip().endswith("<unfinished ...>"):
            open_calls[(pid, name)] = (name, rest)
        else:
            yield pid, name, rest, "end"


def told_before_durable(lines):
    """Call-IDs and CSeqs whose 200 was handed to the kernel before a sync that followed their request; and the sum."""
    waiting, covered, synced, early, seen = set(), {}, set(), [], 0
    for thread, name, text, moment in whole_calls(lines):
        if name.startswith("recv") or name == "read":
            if moment == "end":
                for found in re.finditer(r"REGISTER sip:.*?Call-ID: (\S+?)\\r\\nCSeq: (\d+) REGISTER.*?\\r\\n\\r\\n", text):
                    if "Authorization:" in found.group(0):
                        waiting.add(found.group(1, 2))
        elif name in SYNCS and moment == "begin":
            # Only what had arrived when the sync began can be under it.
            covered[thread] = set(waiting)
        elif name in SYNCS and re.search(r"= 0\s*$", text):
            synced |= covered.pop(thread, set())
        elif (name.startswith("send") or name.startswith("write")) and moment == "begin":
            for found in re.finditer(r"SIP/2\.0 200 .*?Call-ID: (\S+?)\\r\\nCSeq: (\d+) REGISTER", text):
                seen += 1
                if found.group(1, 2) not in synced:
                    early.append(found.group(1, 2))
    return early, seen


def synced_length(lines, ending):
    """How long the file with this ending was when it was last synced: what a power cut leaves of an appended file."""
    end, safe = 0, None
    for _, name, text, moment in whole_calls(lines):
        if f"{ending}>" not in text:
            continue
        if name == "pwrite64" and moment == "end":
            found = re.search(r", (\d+), (\d+)\)\s*=\s*(\d+)\s*$", text)
            if found:
                end = int(found.group(2)) + int(found.group(3))
        elif name in SYNCS and moment == "end" and re.search(r"= 0\s*$", text):
            safe = end
        elif name == "ftruncate" and moment == "end":
            end = 0
    return safe
