import { readComposing, readNotices, writeComposing, writeNotice } from "../../src/sip/notices";
import { readCard, readPidf } from "../../src/sip/pidf";
import { readNotice } from "../../src/sip/rlmi";
import { document as read } from "../../src/sip/trusted";
import { equal, test } from "../kit";

const pidf = (inside: string, entity = "sip:anna@example.org") =>
  `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rp="urn:ietf:params:xml:ns:pidf:rpid" xmlns:p="urn:lyceum:presence" entity="${entity}">${inside}</presence>`;
const tuple = (basic: string, note = "") => `<tuple id="t"><status><basic>${basic}</basic></status>${note}</tuple>`;

test("our own state in a presence document", () => {
  const view = readPidf(pidf(`${tuple("open")}<dm:person id="p"><p:state availability="6500" activity="on-the-phone" since="2026-01-05T09:00:00Z" label="In the lab" choice="busy" note="back at &lt;3&gt;" out-of-office="away"><p:device kind="web" active="true"/></p:state></dm:person>`));
  equal(view, { address: "anna@example.org", availability: 6500, activity: "on-the-phone", label: "In the lab", choice: "busy", note: "back at <3>", out_of_office: "away", since: "2026-01-05T09:00:00Z", last_active: null });
});

test("a foreign client's document, by RPID and by basic status", () => {
  const person = (activity: string) => `<dm:person id="p"><rp:activities><rp:${activity}/></rp:activities></dm:person>`;
  const table: [string, number, string][] = [
    [tuple("open"), 3500, "available"],
    [tuple("closed") + person("busy"), 18500, "offline"],
    [tuple("open") + person("on-the-phone"), 6500, "on-the-phone"],
    [tuple("open") + person("meeting"), 6500, "in-a-meeting"],
    [tuple("open") + person("away"), 15500, "away"],
    [`<tuple id="t"><status/></tuple>`, 0, "unknown"],
  ];
  for (const [inside, availability, activity] of table) {
    const view = readPidf(pidf(inside));
    equal([view?.availability, view?.activity], [availability, activity], inside);
  }
  equal(readPidf(pidf(tuple("open", "<note>hello</note>")))?.note, "hello");
});

test("what is no presence document is nothing", () => {
  for (const text of ["", "no xml", "<presence>", "<html/>", `<!DOCTYPE x [<!ENTITY a "b">]><presence>&a;`]) equal(readPidf(text), undefined, text);
});

test("the card beside the state", () => {
  const text = pidf(`<dm:person id="p"><p:card name="Anna &amp; Co" mail="a@b" title="Head" photo="true"><p:number kind="work" number="+49301"/></p:card></dm:person>`);
  equal(readCard(text, "anna@example.org"), { address: "anna@example.org", display_name: "Anna & Co", mail: "a@b", title: "Head", numbers: ["+49301"], photo: true });
});

test("a list's notice: who is in, and whose state came with it", () => {
  const rlmi = `<list xmlns="urn:ietf:params:xml:ns:rlmi" uri="sip:a@b;list=contacts" version="7" fullState="false"><resource uri="sip:Ben@example.org"><name>Ben</name><instance id="1" state="active" cid="0.x@l"/></resource><resource uri="sip:eva@example.org"><instance id="1" state="pending"/></resource></list>`;
  const body = `--x\r\nContent-ID: <list.x@l>\r\nContent-Type: application/rlmi+xml\r\n\r\n${rlmi}\r\n--x\r\nContent-ID: <0.x@l>\r\nContent-Type: application/pidf+xml\r\n\r\n${pidf(tuple("open"))}\r\n--x--\r\n`;
  const notice = readNotice('multipart/related;type="application/rlmi+xml";boundary="x"', body);
  equal([notice?.version, notice?.full], [7, false]);
  equal(notice?.people.map((p) => [p.address, p.view?.availability, p.state]), [["ben@example.org", 3500, "active"], ["eva@example.org", undefined, "pending"]]);
  equal(readNotice("multipart/related;boundary=x", "nonsense"), undefined);
});

test("typing and notices read back as written", () => {
  equal(readComposing(writeComposing(true, 60)), { active: true, refreshSeconds: 60 });
  equal(readComposing(writeComposing(false, 0))?.active, false);
  equal(readComposing("<isComposing/>"), { active: false, refreshSeconds: 120 });
  for (const kind of ["delivered", "read"] as const) equal(readNotices(writeNotice(kind, "a<b>&\"c", new Date(0))), { messageId: "a<b>&\"c", kind });
  for (const text of ["", "<imdn/>", "<imdn xmlns='x'><message-id>1</message-id></imdn>"]) equal(readNotices(text), undefined, text);
});

test("markup in a message is text, and nothing of it runs", () => {
  const found = read(`<p>Hello <b>you</b><script>globalThis.ran = true</script><img src=x onerror="globalThis.ran = true"></p>`, "text/html");
  equal(found.body.textContent?.startsWith("Hello you"), true);
  equal("ran" in globalThis, false);
});
