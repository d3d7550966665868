"""Our own page in Chromium and desk phones that nobody here wrote call each other: baresip over UDP with RTP and over TLS
with SRTP, linphone for what baresip cannot. Media is unlike, so the server is between. They see each other's states and
write to each other, too."""

import os
import time

from cases.bridge import END_TO_END, TALK, both_hear, desk, quality_of, voice
from harness import picture, quality, sound
from harness.baresip import Baresip
from harness.ear import Ear
from harness.linphone import Linphone
from harness.ownpage import OwnPage
from harness.process import Failed, until
from harness.server import Lyceum

PEOPLE = {name: f"pw-{name}" for name in ("d-page", "d-desk", "d-third", "d-lin", "d-lone")}
KINDS = (("RTP over UDP", "udp", None), ("SRTP over TLS", "tls", "srtp-mand"))
# Of 32768: what a codec makes of silence.
QUIET = 200
# Pictures are made and read in software, beside whatever else runs.
SOON = 20
# The promise for a change of somebody's state.
SEEN = 2.0


def page_of(folder, server, user, who):
    page = OwnPage(folder, server.account(user), server, voice(folder, who))
    page.voice = who
    page.registered()
    return page


def linphone(folder, server, user, who):
    phone = Linphone(folder, server.account(user), server, "udp", sound.speech(os.path.dirname(folder), who)[0], only_pcmu=True)
    phone.voice = who
    phone.registered()
    return phone


def set_up(caller, callee):
    caller.dial(callee.account.user)
    callee.incoming()
    callee.answer()
    caller.established()
    callee.established()


def call(judge, name, folder, page, phone, page_calls, ear):
    caller, callee = (page, phone) if page_calls else (phone, page)
    with judge.case(f"{name}: is answered"):
        set_up(caller, callee)
    with judge.case(f"{name}: speech both ways"):
        both_hear(folder, page, phone)
    with judge.case(f"{name}: the page holds, nothing comes any more, and resumes"):
        page.hold()
        phone.held()
        silent(page, phone, ear)
        page.resume()
        phone.resumed()
    with judge.case(f"{name}: the phone holds, the page says so, and resumes"):
        phone.hold()
        page.held()
        phone.resume()
        page.resumed()
    with judge.case(f"{name}: keys of the page arrive in order"):
        page.keys("47#1")
        heard = "".join(phone.key() for _ in range(4))
        if heard != "47#1":
            raise Failed(f"the phone heard {heard}")
    with judge.case(f"{name}: speech both ways after that"):
        both_hear(folder, page, phone)
    with judge.case(f"{name}: who called hangs up, and the other end says so"):
        caller.hangup()
        callee.ended()
    with judge.case(f"{name}: who was called hangs up, and the other end says so"):
        set_up(caller, callee)
        callee.hangup()
        caller.ended()


def silent(page, phone, ear):
    """While the page holds, no sound comes to it, and what leaves it towards the phone is silence."""
    heard = lambda: sum(one["packets"] for one in page.stats()["flows"] if one["kind"] == "audio")
    last = heard()
    for _ in range(10):
        began = time.monotonic()
        time.sleep(1)
        before, last = last, heard()
        loudest = max(map(abs, ear.since(began, range(phone.rtp, phone.rtp + 9))), default=0) if ear else 0
        if last - before <= 2 and loudest < QUIET:
            return
    raise Failed(f"while the page holds the call, {last - before} packets come to it in a second, and it is as loud as {loudest}")


def refused(judge, name, folder, page, phone):
    with judge.case(f"{name}: the page declines, and the phone's call ends"):
        phone.dial(page.account.user)
        page.incoming()
        page.decline()
        phone.ended()
    page.ended()


def pictures(judge, name, page, phone, page_calls):
    """Chromium's camera is green with a wheel that turns; baresip's picture has a red, a green and a blue bar."""
    with judge.case(f"video, {name}: is answered with pictures both ways"):
        if page_calls:
            page.dial(phone.account.user, video=True)
            phone.incoming()
            phone.answer()
        else:
            phone.dial(page.account.user)
            page.incoming()
            page.answer(video=True)
        page.established()
        phone.established()
    with judge.case(f"video, {name}: the page decodes the phone's pictures, and they are the phone's"):
        decoded = lambda: next((one["amount"] for one in page.stats()["flows"] if one["kind"] == "video"), 0)
        until(lambda: decoded() > 0, SOON, "a first picture")
        first = decoded()
        until(lambda: decoded() >= first + 10, SOON, f"ten further pictures, after {first}")
        until(lambda: are_bars(page.bars()["bars"]), SOON, "a red, a green and a blue bar")
        page.picture(f"video-{phone.transport}.png")
    with judge.case(f"video, {name}: the phone decodes the page's pictures, and they move"):
        one, other = (picture.rows(phone.sees_picture(SOON)) for _ in range(2))
        for seen in (one, other):
            red, green, blue = picture.mean([pixel for row in seen[::8] for pixel in row[::8]])
            if len(seen) < 90 or green < 100 or max(red, blue) > green // 2:
                raise Failed(f"{len(seen[0])}x{len(seen)}, mean colour {red} {green} {blue}; {phone.home}")
        if one == other:
            raise Failed(f"the phone sees a picture that stands still; {phone.home}")
    with judge.case(f"video, {name}: speech both ways beside it, and hang up"):
        both_hear(os.path.dirname(phone.home), page, phone)
        page.hangup()
        phone.ended()
        page.ended()


def are_bars(bars):
    """Whether the strongest colour of each is red, green, blue, and strong."""
    return all(bar[place] > 150 and all(bar[other] < 110 for other in range(3) if other != place) for place, bar in enumerate(bars))


def blind(judge, name, folder, page, phone, third):
    with judge.case(f"{name}: blind transfer: the phone calls the third, and the page is free"):
        set_up(page, phone)
        page.transfer(third.account.user)
        third.incoming()
        third.answer()
        third.established()
        page.handed()
    with judge.case(f"{name}: blind transfer: the two phones speak"):
        time.sleep(TALK)
        sound.check(third.recording(), folder, phone.voice, [third.voice, page.voice], "end")
        sound.check(phone.recording(), folder, third.voice, [phone.voice, page.voice], "end")
    with judge.case(f"{name}: blind transfer: and hang up"):
        third.hangup()
        phone.ended()


def attended(judge, folder, page, first, third, ear):
    """baresip knows no Replaces; linphone does, at both ends of it. It may send elsewhere than it did, and its recorder does
    not follow the new call: what comes to its port is taken off the wire."""
    with judge.case("attended transfer: the page holds one phone and asks another"):
        set_up(page, first)
        page.consult(third.account.user)
        third.incoming()
        third.answer()
        page.established(user=third.account.user)
        third.established()
        first.held()
        page.record()
        time.sleep(TALK)
        sound.check(page.recording(), folder, third.voice, [page.voice, first.voice], "end")
    with judge.case("attended transfer: the two are connected, and the page is free"):
        page.connect()
        page.handed()
        page.ended()
    with judge.case("attended transfer: the two phones speak"):
        began = time.monotonic()
        time.sleep(TALK)
        for one, other in ((first, third), (third, first)):
            sound.check(ear.since(began, range(one.rtp, one.rtp + 9)), folder, other.voice, [one.voice, page.voice], "end")
    with judge.case("attended transfer: and hang up"):
        third.hangup()
        first.ended()


def qualities(judge, folder, server):
    """PESQ of speech between our page and each kind of phone."""
    _, loop, wide = quality.sample(folder)
    page = OwnPage(folder, server.account("d-page"), server, wide)
    page.registered()
    for name, transport, encrypts in KINDS:
        phone = Baresip(folder, server.account("d-desk"), server, transport, loop, encrypts=encrypts)
        phone.registered()
        quality_of(judge, folder, f"page to {name}", page, phone, END_TO_END)
        page.ended()
        phone.close()
    page.close()


def within(what, began, ended):
    """A change is seen everywhere within two seconds; how long it took."""
    if ended - began > SEEN:
        raise Failed(f"{what}: seen after {ended - began:.2f} s")
    return max(0.0, ended - began)


def told_by_linphone(phone, user, status, chosen):
    phone.sees(user, status)
    return within(f"{user} {status}, in linphone", chosen, time.time())


def states(judge, page, lin, desk_phone, took):
    """Who sees whom how, and how fast."""
    me, his, other = page.account.user, lin.account.user, desk_phone.account.user
    with judge.case("states: linphone publishes that it is there, and the page's list shows it within two seconds"):
        took.append(within("linphone online, in the page", lin.published_at(), page.shows(his, "Available")))
    with judge.case("states: baresip as well"):
        page.shows(other, "Available")
    with judge.case("states: linphone and baresip tell that the page is there"):
        lin.sees(me, "Online")
        desk_phone.sees(me, "Online")
    # RFC 4480 has no word for do not disturb: who knows no more than that is told busy.
    for word, status in (("Busy", "Busy"), ("Do not disturb", "Busy"), ("Automatic", "Online")):
        with judge.case(f"states: the page chooses {word}, and linphone tells it within two seconds"):
            took.append(told_by_linphone(lin, me, status, page.choose(word)))
    with judge.case("states: baresip goes offline by its own word and comes back, and the page shows both"):
        for word, text in (("offline", "Offline"), ("online", "Available")):
            asked = time.time()
            desk_phone.presence(word)
            took.append(within(f"baresip {word}, in the page", asked, page.shows(other, text)))


def in_a_call(judge, page, lin, desk_phone, took):
    his, other = lin.account.user, desk_phone.account.user
    with judge.case("states: linphone and baresip are in a call, and the page shows both so within two seconds; then free"):
        lin.dial(other)
        desk_phone.incoming()
        asked = time.time()
        desk_phone.answer()
        took += [within(f"{user} in a call, in the page", asked, page.shows(user, "In a call")) for user in (his, other)]
        lin.established()
        asked = time.time()
        lin.hangup()
        desk_phone.ended()
        took += [within(f"{user} free, in the page", asked, page.shows(user, "Available")) for user in (his, other)]


def messages(judge, page, lin):
    """Each is followed by another: when that is there, the first can no longer come again unseen."""
    me, his = page.account.user, lin.account.user
    page.choose("Available")
    with judge.case("messages: what the page writes is in linphone, once"):
        for text in ("from-the-page", "and-on"):
            page.write(his, text)
            lin.reads(me, text)
        for text in ("from-the-page", "and-on"):
            if lin.times(text) != 1:
                raise Failed(f"linphone printed {text} {lin.times(text)} times")
    with judge.case("messages: what linphone writes is in the open conversation, once"):
        for text in ("from-the-phone", "after-it"):
            lin.write(me, text)
            page.reads(his, text)
        for text in ("from-the-phone", "after-it"):
            if page.reads(his, text) != 1:
                raise Failed(f"{text} stands there {page.reads(his, text)} times")
    judge.scenario("found_later", found_later, page, lin)


def found_later(judge, page, lin):
    """It came while the page showed something else: it has it from the phone and from the history, and a phone's message
    has no Message-ID."""
    me, his = page.account.user, lin.account.user
    page.anew()
    with judge.case("messages: what linphone wrote while the page showed something else is in the conversation once"):
        lin.write(me, "found-later")
        page.knocked()
        page.reads(his, "found-later")
        # The history is read by then.
        page.reads(his, "from-the-phone")
        often = {text: page.reads(his, text) for text in ("from-the-phone", "after-it", "found-later")}
        if set(often.values()) != {1}:
            raise Failed(f"stand there so often: {often}")


def at_the_page(judge, folder, server):
    """Our page and phones that nobody here wrote: states and messages."""
    os.makedirs(folder, exist_ok=True)
    page, took = page_of(folder, server, "d-page", "alice"), []
    for user in ("d-lin", "d-desk"):
        page.add(user)
    page.watch()
    speech = sound.speech(os.path.dirname(folder), "bob")[0]
    desk_phone = Baresip(folder, server.account("d-desk"), server, "udp", speech, watches=["d-page"], publishes=True)
    lin = Linphone(folder, server.account("d-lin"), server, "udp", speech, ["d-page"], publishes=True, only_pcmu=True)
    desk_phone.registered()
    judge.scenario("states", states, page, lin, desk_phone, took)
    judge.scenario("in_a_call", in_a_call, page, lin, desk_phone, took)
    judge.scenario("messages", messages, page, lin)
    page.watch()
    with judge.case("states: linphone quits, and the page shows it offline within two seconds"):
        page.shows("d-lin", "Available")
        lin.close()
        took.append(within("linphone offline, in the page", lin.published_at("Cleared"), page.shows("d-lin", "Offline")))
    print(f"note {len(took)} changes between our page and phones, seen after {', '.join(f'{one:.2f}' for one in took)} s", flush=True)
    page.close()
    desk_phone.close()


def run(judge, out, binary, _depth):
    folder = os.path.join(out, "desk")
    os.makedirs(folder)
    with judge.case("desk: the server starts"):
        server = Lyceum(binary, out, PEOPLE).start()
    page, ear = page_of(folder, server, "d-page", "alice"), Ear()
    for name, transport, encrypts in KINDS:
        phone = desk(folder, server, "d-desk", "bob", transport, encrypts=encrypts)
        ears = ear if transport == "udp" else None
        judge.scenario("page_calls", call, f"page to {name}", folder, page, phone, True, ears)
        page.quiet()
        judge.scenario("phone_calls", call, f"{name} to page", folder, page, phone, False, ears)
        page.quiet()
        judge.scenario("refused", refused, f"{name} to page", folder, page, phone)
        third = desk(folder, server, "d-third", "carol", transport, encrypts=encrypts)
        judge.scenario("blind", blind, name, folder, page, phone, third)
        page.quiet()
        third.close()
        phone.close()
        phone = desk(folder, server, "d-desk", "bob", transport, encrypts=encrypts, video=True)
        judge.scenario("pictures", pictures, f"page to {name}", page, phone, True)
        page.quiet()
        judge.scenario("pictures", pictures, f"{name} to page", page, phone, False)
        page.quiet()
        phone.close()
    first, third = linphone(folder, server, "d-lin", "bob"), linphone(folder, server, "d-lone", "carol")
    judge.scenario("attended", attended, folder, page, first, third, ear)
    for one in (first, third, page, ear):
        one.close()
    judge.scenario("qualities", qualities, folder, server)
    judge.scenario("at_the_page", at_the_page, os.path.join(folder, "states"), server)
    with judge.case("desk: the server drains and exits with 0"):
        code = server.stop()
        if code != 0:
            raise Failed(f"exit code {code}; log {server.child.log_path}")
