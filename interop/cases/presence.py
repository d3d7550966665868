"""baresip and linphone publish and watch each other; SIPp asks for what no phone asks; the power is cut in the middle."""

import os
import re
import time

from harness import sound
from harness.baresip import Baresip
from harness.linphone import Linphone
from harness.process import Failed
from harness.sipp import EMPTY, Sipp, in_dialog, out_of_dialog, pause, receive, send
from harness.wire import Udp, ask, status

PASSWORD = "pw-presence"
SILENT = 40
# A change is to be seen everywhere within two seconds; what else runs on the machine is not the server's fault, so judged
# is that it comes at all within this time, and the time itself is printed.
SOON = 10
OPEN = """Content-Type: application/pidf+xml
Content-Length: [len]

<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:[field0]@[domain]">
<tuple id="t1"><status><basic>open</basic></status><note>NOTE</note></tuple>
</presence>
"""


def users():
    names = ["ann", "ben", "cleo", "dora", "eve", "fritz", "gus", "hal", "ina", *(f"mute{number}" for number in range(SILENT))]
    return {f"pres-{name}": PASSWORD for name in names}


def row(user, other="-"):
    return (f"pres-{user}", PASSWORD, f"pres-{other}")


# ---- what SIPp says

OK_TO_NOTIFY = ("SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n" + EMPTY)


def matching(expression):
    """A NOTIFY must have this in it."""
    return (f'<action><ereg regexp="{expression}" search_in="msg" check_it="true" assign_to="found"/>'
            '<log message="[$found]"/></action>')


def notified(expression):
    return receive("NOTIFY", action=matching(expression)) + send(OK_TO_NOTIFY, False)


def asked(method, extra, code, body=EMPTY, to="[field2]", number=1, **attributes):
    """A request outside a dialog, challenged once, and its final answer."""
    return (send(out_of_dialog(method, number, extra, body, to)) + receive("407", auth="true")
            + send(out_of_dialog(method, number + 1, extra + "[field1]\n", body, to)) + receive(code, **attributes))


def subscribe(code="200", expires=1200, event="presence", extra=""):
    lines = f"Event: {event}\nExpires: {expires}\nAccept: application/pidf+xml\n{extra}"
    return asked("SUBSCRIBE", lines, code, **({"rrs": "true"} if code == "200" else {}))


def subscribe_again(number, expires):
    """Within the dialog."""
    lines = f"Event: presence\nExpires: {expires}\nContact: <sip:[field0]@[local_ip]:[local_port]>\n"
    again = lambda at, more: in_dialog("SUBSCRIBE", at).replace("Content-Length", lines + more + "Content-Length")
    return (send(again(number, "")) + receive("407", auth="true")
            + send(again(number + 1, "[field1]\n")) + receive("200"))


def publish(code, body, extra=""):
    return asked("PUBLISH", f"Event: presence\nExpires: 1200\n{extra}", code, body, to="[field0]")


def body_of(folder, name, text, content_type="application/pidf+xml"):
    """A body that SIPp takes from a file, so that it may hold anything."""
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return f"Content-Type: {content_type}\nContent-Length: [len]\n\n[file name={path}]"


def pidf(inside, before=""):
    return (f'<?xml version="1.0"?>{before}<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:a@b">'
            f'<tuple id="t"><status><basic>open</basic></status>{inside}</tuple></presence>')


# ---- cases

def phones_see_each_other(judge, out, server):
    """baresip and linphone, with their own defaults, and one that only watches."""
    voice = lambda name: sound.speech(out, name)[0]
    with judge.case("baresip sees nobody at linphone's address, and then linphone"):
        ann = Baresip(out, server.account("pres-ann"), server, "udp", voice("alice"), ["pres-ben"], publishes=True)
        ann.registered()
        ann.sees("pres-ben", "Offline")
        ben = Linphone(out, server.account("pres-ben"), server, "tcp", voice("bob"), ["pres-ann"], publishes=True)
        ben.registered()
        ben.published()
        ann.sees("pres-ben", "Online", SOON)
    with judge.case("linphone sees baresip"):
        ben.sees("pres-ann", "Online", SOON)
    with judge.case("a third phone sees both"):
        cleo = Baresip(out, server.account("pres-cleo"), server, "tcp", voice("alice"), ["pres-ann", "pres-ben"])
        cleo.registered()
        for user in ("pres-ann", "pres-ben"):
            cleo.sees(user, "Online", SOON)
    with judge.case("linphone sees that baresip goes offline by its own word, and comes back"):
        ann.presence("offline")
        ben.sees("pres-ann", "Offline", SOON)
        ann.presence("online")
        ben.sees("pres-ann", "Online", SOON)
    with judge.case("in a call both are seen on the phone, by each other and by the third"):
        ann.dial("pres-ben")
        ben.incoming()
        ben.answer()
        ben.established()
        ann.established()
        began = time.monotonic()
        cleo.sees("pres-ann", "Busy", SOON)
        cleo.sees("pres-ben", "Busy", SOON)
        took = time.monotonic() - began
        ann.sees("pres-ben", "Busy", SOON)
        ben.sees("pres-ann", "(On ?the ?phone|Busy)", SOON)
    with judge.case(f"after the call both are seen free (on the phone was seen after {took:.1f} s)"):
        ann.hangup()
        ben.ended()
        ben.sees("pres-ann", "Online", SOON)
        for user in ("pres-ann", "pres-ben"):
            cleo.sees(user, "Online", SOON)
    with judge.case("who signs out is offline for the others"):
        ben.close()
        ann.sees("pres-ben", "Offline", SOON)
    cleo.close()
    ann.close()


def a_whole_subscription(judge, out, server):
    with judge.case("sipp subscribes, is notified, refreshes, ends: each with its NOTIFY"):
        Sipp(out, server, "whole", subscribe() + notified("Subscription-State: active")
             + subscribe_again(3, 1200) + notified("Subscription-State: active")
             + subscribe_again(5, 0) + notified("Subscription-State: terminated;reason=timeout"), [row("dora", "eve")]).done()
    with judge.case("sipp fetches a state once"):
        Sipp(out, server, "once", subscribe(expires=0) + notified("Subscription-State: terminated"), [row("dora", "eve")]).done()
    with judge.case("a wish of ten minutes is granted as it is, one of ten seconds is refused with what would do"):
        Sipp(out, server, "short", subscribe(expires=600) + notified("active;expires=(600|599|598)"), [row("dora", "eve")]).done()
        Sipp(out, server, "brief", subscribe("423", 10), [row("dora", "eve")]).done()
    with judge.case("an unknown package is 489"):
        Sipp(out, server, "unknown", subscribe("489", event="dialog.unheard"), [row("dora", "eve")]).done()
    with judge.case("somebody unknown is 404 for who has a password"):
        Sipp(out, server, "nobody", subscribe("404"), [("pres-dora", PASSWORD, "pres-nobody")]).done()


def bad_publications(judge, out, server):
    laughs = "".join(f'<!ENTITY a{at} "{f"&a{at - 1};" * 10}">' for at in range(1, 10))
    bombs = {
        "entities": pidf("<note>&a9;</note>", f'<!DOCTYPE presence [<!ENTITY a0 "ha">{laughs}]>'),
        "external": pidf("<note>&x;</note>", '<!DOCTYPE presence [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        "malformed": pidf("<note>")[:-12], "empty": "", "deep": pidf("<a>" * 2000 + "</a>" * 2000),
    }
    for name, text in bombs.items():
        with judge.case(f"a presence document with a fault is 400: {name}"):
            Sipp(out, server, f"bad-{name}", publish("400", body_of(out, f"{name}.xml", text)), [row("fritz")]).done()
    with judge.case("an oversize document is 413"):
        body = body_of(out, "large.xml", pidf(f"<note>{'x' * 26_000}</note>"))
        Sipp(out, server, "bad-large", publish("413", body), [row("fritz")], "tcp").done()
    with judge.case("a document of another kind is 415"):
        Sipp(out, server, "bad-kind", publish("415", body_of(out, "kind", "hello", "text/plain")), [row("fritz")]).done()
    for tag in ("0000000000000000", "no-such-tag"):
        with judge.case(f"a wrong entity tag is 412: {tag}"):
            Sipp(out, server, "bad-tag", publish("412", OPEN, f"SIP-If-Match: {tag}\n"), [row("fritz")]).done()
    with judge.case("somebody else's presence is 403"):
        Sipp(out, server, "bad-own", asked("PUBLISH", "Event: presence\n", "403", OPEN), [row("fritz", "dora")]).done()
    with judge.case("after all that a good one is 200, and seen"):
        Sipp(out, server, "good", publish("200", OPEN.replace("NOTE", "whole")), [row("fritz")]).done()
        Sipp(out, server, "good-seen", subscribe(expires=0) + notified("whole"), [row("dora", "fritz")]).done()


def who_never_answers(judge, out, server):
    """Forty watchers hear and say nothing; the one beside them is told as if they were not there."""
    mute = []
    with judge.case("forty watchers who never answer do not delay the one who does"):
        for number in range(SILENT):
            link = Udp(server.address("udp"))
            mute.append(link)
            contact = f"Contact: <sip:mute@{link.host}:{link.port}>\r\nEvent: presence\r\nExpires: 1200\r\n"
            answer = ask(link, "SUBSCRIBE", f"sip:pres-gus@{server.domain}", server.account(f"pres-mute{number}"),
                         f"mute{number}", contact, f"<sip:pres-gus@{server.domain}>")
            if status(answer) != 200:
                raise Failed(f"subscription answered {status(answer)}")
        wakes = subscribe() + notified("active") + "".join(notified(f"state {number}") for number in range(3))
        watcher = Sipp(out, server, "awake", wakes, [row("dora", "gus")])
        time.sleep(1)
        for number in range(3):
            Sipp(out, server, f"tells-{number}", publish("200", OPEN.replace("NOTE", f"state {number}")), [row("gus")]).done()
        watcher.done()
    for link in mute:
        link.close()


def power_cut(judge, out, server):
    """kill -9 between two notifications: the subscription stands, and the numbers go on upwards."""
    with judge.case("after kill -9 and restart the subscription stands and its NOTIFYs count on upwards"):
        wakes = subscribe() + notified("active") + notified("before the cut") + notified("active")
        watcher = Sipp(out, server, "outlives", wakes + notified("after the cut"), [row("hal", "ina")], seconds=60)
        time.sleep(1)
        Sipp(out, server, "before", publish("200", OPEN.replace("NOTE", "before the cut")), [row("ina")]).done()
        time.sleep(0.5)
        server.kill()
        server.start()
        time.sleep(1)
        Sipp(out, server, "after", publish("200", OPEN.replace("NOTE", "after the cut")), [row("ina")]).done()
        watcher.done()
        with open(os.path.join(watcher.home, "messages"), errors="replace") as file:
            numbers = [int(number) for number in re.findall(r"NOTIFY sip:[^\n]*\n(?:[^\n]+\n)*?CSeq: (\d+) NOTIFY", file.read())]
        if len(numbers) < 4 or any(later <= earlier for earlier, later in zip(numbers, numbers[1:])):
            raise Failed(f"the numbers were {numbers}")
    with judge.case("what was published before the cut is still there"):
        Sipp(out, server, "still", subscribe(expires=0) + notified("after the cut"), [row("hal", "ina")]).done()


def run(judge, out, server):
    for voice in ("alice", "bob"):
        sound.speech(out, voice)
    judge.together([(scenario.__name__, scenario, out, server)
                    for scenario in (phones_see_each_other, a_whole_subscription, bad_publications, who_never_answers)])
    judge.scenario("power_cut", power_cut, out, server)
