"""Messages in a hail of power cuts: what a sender was told has arrived is nowhere lost, comes in order, and comes twice only
where a device's answer was lost with the server."""

import collections
import random
import threading
import time

from harness.messenger import Device, Writer
from harness.page import Page
from harness.process import Failed, until
from harness.server import Lyceum

RATE = 40
# Of one burst; the power is cut somewhere between these two moments of it.
BURST, CUT = 160, (0.8, 3.2)
# A device's 200 that left later than this before a cut may be lost with the server.
LOST = 1.0
# Histories are written so much behind the answer at the most, a busy machine's pauses included.
BEHIND = 1.0
# Between one life of a message and the next nobody hurries.
PATIENCE = 90
# Who gets, and how the second device is during the burst.
KINDS = {"out": "signed out", "off": "switched off", "ended": "ended without a word", "gone": "signed out as the first is"}
PEOPLE = {f"msg-{role}-{kind}": f"pw-{kind}" for kind in KINDS for role in ("from", "to")}


class Pair:
    """One who writes, and one who reads with two devices."""

    def __init__(self, server, kind, number):
        self.kind, self.server, self.user = kind, server, f"msg-to-{kind}"
        self.writer = Writer(server, f"msg-from-{kind}", self.user)
        self.first, self.second = (Device(server, self.user, number * 10 + which) for which in (1, 2))
        self.devices, self.fault = {"first": self.first, "second": self.second}, None
        for device in self.devices.values():
            device.sign_in()

    def leave(self):
        """Before the burst."""
        if self.kind in ("off", "ended"):
            getattr(self.second, self.kind)()
            return
        self.second.sign_out()
        if self.kind == "gone":
            self.first.sign_out()

    def owed(self):
        """Those who are to have everything. One who is signed out is owed what nobody else took: with somebody signed in,
        the message is theirs (decision 0011), and who comes later finds it in the history."""
        return {name: device for name, device in self.devices.items() if self.kind != "out" or device is self.first}

    def lacking(self):
        wanted = set(self.writer.answered)
        return {name: sorted(wanted - set(device.numbers())) for name, device in self.owed().items()}

    def close(self):
        self.writer.close()
        for device in self.devices.values():
            device.close()


def write(pair, stop):
    """A burst at a steady rate, until it is over or the power is cut."""
    began, most = time.monotonic(), pair.writer.next + BURST
    for at in range(BURST):
        if stop.wait(max(0.0, began + at / RATE - time.monotonic())) or pair.writer.next >= most:
            return
        pair.writer.write()


def answered(pair):
    """What was not answered is repeated, until it is."""
    end = time.monotonic() + PATIENCE
    while pair.writer.unanswered():
        if time.monotonic() > end:
            raise Failed(f"{pair.user}: {pair.writer.unanswered()[:9]} were not answered within {PATIENCE} s")
        pair.writer.repeat()
        time.sleep(0.5)


def cut(pairs, server, dice):
    """One burst with the power cut in the middle of it. The moment of the cut."""
    for pair in pairs:
        pair.leave()
    stop = threading.Event()
    bursts = [threading.Thread(target=write, args=(pair, stop), daemon=True) for pair in pairs]
    for burst in bursts:
        burst.start()
    time.sleep(dice.uniform(*CUT))
    at = time.monotonic()
    server.kill()
    stop.set()
    for burst in bursts:
        burst.join()
    return at


def back(pairs, server, writers_first):
    """The server is there again, and so is everybody."""
    steps = [lambda: [answered(pair) for pair in pairs],
             lambda: [device.sign_in() for pair in pairs for device in pair.devices.values()]]
    server.start()
    for step in steps if writers_first else reversed(steps):
        step()


def arrived(pair):
    """What was answered is there, or the pair is out of the further cuts, with its fault."""
    try:
        until(lambda: not any(pair.lacking().values()), PATIENCE, "all that was answered")
    except Failed:
        lacking = {name: f"{len(numbers)}, as {numbers[:9]}" for name, numbers in pair.lacking().items() if numbers}
        pair.fault = (f"of {len(pair.writer.answered)} acknowledged messages did not arrive within {PATIENCE} s after everybody was back: {lacking}")
        return
    refused = {number: code for number, (_, code) in pair.writer.answered.items() if code not in (200, 202)}
    if refused:
        pair.fault = f"refused were {refused}"


def in_order(pair):
    for name, device in pair.devices.items():
        numbers = device.numbers()
        if numbers != sorted(numbers):
            where = next(at for at, number in enumerate(numbers) if number != sorted(numbers)[at])
            raise Failed(f"{pair.user}, {name} device: {numbers[max(0, where - 3):where + 6]}")


def judged_repeats(pair, cuts):
    """How many there were, and how many of them within one life of the server (its timer was faster than our answer)."""
    count, again, anew, faults = 0, 0, 0, []
    for name, device in pair.devices.items():
        for first, later in device.repeats():
            confirmed, left = device.confirmed[first.name]
            between = [cut for cut in cuts if first.at <= cut + 1 and cut < later.at]
            who = f"{name} device, message {first.number}, {later.at - first.at:.2f} s later"
            # Who is asked for the password anew after a cut sends another request: what was passed on without being kept, or
            # what the cut took, comes as that. Asked is that none does; true is that a few do, one for each cut at most.
            if later.call_id == first.call_id and later.cseq != first.cseq and between and pair.writer.signed_anew:
                anew += 1
                continue
            if (later.call_id, later.cseq, later.branch) != (first.call_id, first.cseq, first.branch):
                faults.append(f"{who}: first as {first.cseq} {first.branch}, then as {later.cseq} {later.branch}")
            elif not between and later.at - confirmed < LOST:
                again += 1
                continue
            elif not between or (left and confirmed < between[0] - LOST):
                faults.append(f"{who}: its 200 left {[round(cut - confirmed, 2) for cut in between]} s before the cuts between")
            count += 1
    if anew > len(cuts):
        faults.append(f"{anew} came again as another request")
    if faults:
        raise Failed(f"{len(faults)} of {count} repeats in {len(cuts)} cuts: {'; '.join(faults[:3])}")
    return count, again, anew


def told_by_history(server, user):
    """The numbers in the history of a person's page, oldest first."""
    page, numbers = Page(server, user), []
    for conversation in page.ask("GET", "/conversations")[1]["items"]:
        path = before = f"/conversations/{conversation['id']}/messages?limit=200"
        while before:
            code, told = page.ask("GET", before)
            if code != 200:
                raise Failed(f"{before}: {code} {told}")
            numbers += [int(item["text"]) for item in told["items"]]
            before = told.get("next") and f"{path}&before={told['next']}"
    return numbers[::-1]


def kept_once(pair, user, cuts):
    """Every acknowledged message, in order; how many are missing, and how many are there twice. Histories are written behind
    the answer: asked is that nothing is missing, and true is that what was acknowledged just before a cut may be. What was
    not answered before a cut and so sent again after it may be there twice."""
    numbers = told_by_history(pair.server, user)
    lost = sorted(set(pair.writer.answered) - set(numbers))
    twice = sorted(number for number, count in collections.Counter(numbers).items() if count > 1)
    first = list(dict.fromkeys(numbers))
    wrong = [number for number, other in zip(first, sorted(first)) if number != other]
    before = lambda number: min((cut - pair.writer.answered[number][0] for cut in cuts if cut > pair.writer.answered[number][0]), default=None)
    early = [number for number in lost if before(number) is None or before(number) > BEHIND]
    if early or wrong or len(twice) > 2 * len(cuts):
        raise Failed(f"of {len(pair.writer.answered)} acknowledged messages {len(early)} are missing that were acknowledged more than "
                     f"{BEHIND} s before a cut, as {[(number, before(number)) for number in early[:5]]}; {len(twice)} are there twice, as {twice[:9]}; "
                     f"out of order are {wrong[:9]}")
    return len(lost), len(twice)


def power_cuts(judge, out, binary, rounds):
    with judge.case("messages: the server starts"):
        server = Lyceum(binary, out, PEOPLE).start()
    dice = random.Random(28)
    pairs = [Pair(server, kind, number) for number, kind in enumerate(KINDS, 1)]
    cuts, repeated = [], 0
    for number in range(rounds):
        here = [pair for pair in pairs if not pair.fault]
        if not here:
            break
        with judge.case(f"messages: power cut {number + 1} of {rounds} under {RATE * len(here)} MESSAGE/s, and everybody is back"):
            cuts.append(cut(here, server, dice))
            repeated += sum(len(pair.writer.unanswered()) for pair in here)
            back(here, server, writers_first=number % 2 == 0)
        for pair in here:
            arrived(pair)
    for pair in pairs:
        told = f"messages, the second device {KINDS[pair.kind]}"
        judge.scenario(told, in_order_and_once, pair, cuts, told)
    sent = sum(len(pair.writer.answered) for pair in pairs)
    print(f"note {len(cuts)} cuts, {sent} messages acknowledged, {repeated} of them only when repeated after a cut, "
          f"{sum(pair.writer.signed_anew for pair in pairs)} signed anew; the device that was signed out while the other was not got "
          f"{len(pairs[0].second.numbers())} of {len(pairs[0].writer.answered)}", flush=True)
    for pair in pairs:
        pair.close()
    with judge.case("messages: after the cuts it drains and exits with 0"):
        code = server.stop()
        if code != 0:
            raise Failed(f"exit code {code}; log {server.child.log_path}")


def in_order_and_once(judge, pair, cuts, told):
    judge.scenario(f"{told}: arrives", nothing_lost, pair, told)
    with judge.case(f"{told}: in order"):
        in_order(pair)
    for whose, user in (("sender's", pair.writer.account.user), ("recipient's", pair.user)):
        judge.scenario(f"{told}: {whose} history", history, pair, user, cuts, f"{told}: the {whose} history")
    with judge.case(f"{told}: again came only what a device had answered within {LOST:.0f} s before a cut, and known by Call-ID, CSeq and branch"):
        count, again, anew = judged_repeats(pair, cuts)
    print(f"note {told}: {len(pair.writer.answered)} acknowledged, {count} repeats in {len(cuts)} cuts, {again} within one life of the server, {anew} as another request; asked is none of those", flush=True)


def nothing_lost(judge, pair, told):
    with judge.case(f"{told}: what was acknowledged arrives at each device that it is for"):
        if pair.fault:
            raise Failed(pair.fault)


def history(judge, pair, user, cuts, told):
    with judge.case(f"{told} holds what was acknowledged more than {BEHIND} s before a cut, in order"):
        lost, twice = kept_once(pair, user, cuts)
    print(f"note {told}: {lost} of {len(pair.writer.answered)} acknowledged messages are missing, {twice} are there twice; asked is none", flush=True)


def run(judge, out, binary, depth):
    judge.scenario("messages", power_cuts, out, binary, 50 if depth == "soak" else 4)
