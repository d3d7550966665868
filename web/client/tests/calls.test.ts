import { Calls, dialled, isNumber, uriOf, type Surroundings } from "../src/calls/calls";
import type { Leg, LegEvent, LegMedia } from "../src/calls/leg";
import { current, incoming, next, outgoing, type Call, type CallEvent } from "../src/calls/state";
import { equal, holds, test } from "./kit";

const BEN = "ben@example.org";
const begun = { id: "1", with: BEN, at: 1000, video: false };

const after = (call: Call, ...events: CallEvent[]): Call => events.reduce(next, call);
const answered: CallEvent = { kind: "answered", at: 2000 };
const ended = (by: "here" | "there", status?: number): CallEvent => ({ kind: "ended", at: 9000, by, status });

test("a call: each phase follows from what happened, and nothing follows an end", () => {
  const out = outgoing(begun);
  const come = incoming(begun);
  const table: [Call, CallEvent[], string][] = [
    [out, [], "calling"],
    [out, [{ kind: "ringing" }], "ringing"],
    [out, [{ kind: "ringing" }, answered], "talking"],
    [out, [answered, { kind: "ringing" }], "talking"],
    [come, [], "incoming"],
    [come, [{ kind: "taken" }], "connecting"],
    [come, [{ kind: "taken" }, answered], "talking"],
    [come, [{ kind: "ringing" }], "incoming"],
    [come, [ended("there"), answered, { kind: "taken" }], "ended"],
  ];
  for (const [call, events, phase] of table) equal(after(call, ...events).phase, phase, events.map((e) => e.kind).join());
});

test("a call: how it ended is told by who ended it, when and with which status", () => {
  const out = outgoing(begun);
  const come = incoming(begun);
  const handed: CallEvent = { kind: "transfer", transfer: { to: BEN, state: "done" } };
  const table: [Call, CallEvent[], string][] = [
    [out, [ended("here")], "cancelled"],
    [out, [ended("there", 486)], "busy"],
    [out, [ended("there", 603)], "declined"],
    [out, [ended("there", 480)], "no-answer"],
    [out, [ended("there", 404)], "not-found"],
    [out, [ended("there", 403)], "not-allowed"],
    [out, [ended("there", 503)], "failed"],
    [out, [answered, ended("there")], "hung-up"],
    [out, [answered, handed, ended("here")], "transferred"],
    [out, [answered, { kind: "ended", at: 1, by: "here", how: "media-lost" }], "media-lost"],
    [come, [ended("there")], "missed"],
    [come, [ended("there", 200)], "elsewhere"],
    [come, [ended("here", 603)], "declined"],
  ];
  for (const [call, events, how] of table) equal(after(call, ...events).ending?.how, how);
});

test("a call: who holds, what is sent and what comes stand side by side", () => {
  const call = after(outgoing(begun), answered, { kind: "held", by: "here", on: true }, { kind: "held", by: "there", on: true }, { kind: "held", by: "here", on: false }, { kind: "muted", on: true }, { kind: "screen", on: true }, { kind: "theirs", camera: true, screen: false }, { kind: "media", state: "lost" });
  equal([call.heldHere, call.heldThere, call.muted, call.screen, call.theirCamera, call.theirScreen, call.media], [false, true, true, true, true, false, "lost"]);
  equal(after(call, ended("there")).screen, false, "what was shared is no longer");
});

test("of several calls the one that is not held is spoken in; a call that rings here is none", () => {
  const talk = (id: string, held: boolean) => after({ ...outgoing(begun), id }, answered, { kind: "held", by: "here", on: held });
  equal(current([talk("a", true), talk("b", false), incoming({ ...begun, id: "c" })])?.id, "b");
  equal(current([talk("a", true), talk("b", true)])?.id, "b");
  equal(current([incoming(begun)]), undefined);
});

test("what is typed is a number or a name, and numbers are called in our own domain", () => {
  for (const number of ["+49 30 1234-5", "tel:+4930", "(030) 12.34/5", "*21#"]) holds(isNumber(number), number);
  for (const other of ["anna", "anna@example.org", "4 rooms", "+", ""]) holds(!isNumber(other), other);
  equal(dialled("+49 (30) 12-34"), "+49301234");
  equal([uriOf(BEN, "x.org"), uriOf("030 12", "x.org")], ["sip:ben@example.org", "sip:03012@x.org;user=phone"]);
});

// The calls of a person, with legs from a script.

class ScriptedLeg implements Leg {
  readonly did: string[] = [];
  readonly from: { address: string; name: string | undefined };
  readonly connection = undefined;
  #heard: (event: LegEvent) => void = () => undefined;
  constructor(readonly id: string, address: string) {
    this.from = { address, name: undefined };
  }
  hear(heard: (event: LegEvent) => void): void {
    this.#heard = heard;
  }
  say = (event: LegEvent): void => this.#heard(event);
  answer = (media: LegMedia): void => void this.did.push(`answer ${media.configuration.bundlePolicy ?? ""}`);
  end = (status?: number): void => {
    this.did.push(`end ${status ?? ""}`.trim());
    this.say({ kind: "ended", by: "here", status });
  };
  hold = (on: boolean): void => {
    this.did.push(`hold ${on}`);
    this.say({ kind: "held", by: "here", on });
  };
  mute = (on: boolean): void => void this.did.push(`mute ${on}`);
  tones = (digits: string): void => void this.did.push(`tones ${digits}`);
  setCamera = (): void => void this.did.push("camera");
  setScreen = (): void => void this.did.push("screen");
  setMicrophone = (): void => void this.did.push("microphone");
  refer = (target: string): void => void this.did.push(`refer ${target}`);
  referTo = (other: Leg): void => void this.did.push(`refer to ${other.id}`);
  restart = (): void => void this.did.push("restart");
  back = (): void => void this.did.push("back");
}

function stage(microphone: () => Promise<MediaStream> = async () => silence()) {
  const placed: { target: string; leg: ScriptedLeg }[] = [];
  const sounds: (string | undefined)[] = [];
  const told: string[] = [];
  const call = (target: string) => {
    const leg = new ScriptedLeg(`leg-${placed.length}`, target);
    placed.push({ target, leg });
    return leg;
  };
  const studio = { tones: { play: (tone: string | undefined) => void (sounds[sounds.length - 1] !== tone && sounds.push(tone)), digit: () => undefined }, microphone, camera: microphone, screen: microphone, play: () => undefined };
  const calls = new Calls({
    link: () => ({ call }) as unknown as ReturnType<Surroundings["link"]>,
    studio,
    configuration: async () => ({ bundlePolicy: "max-compat" }),
    domain: "example.org",
    now: () => 5,
    onRing: (ringing) => told.push(`rings ${ringing.with}`),
    onOver: (over) => told.push(`over ${over.ending?.how ?? ""}`),
    quiet: () => false,
  });
  const arrive = (id: string, address: string, more: { replaces?: string; placed?: boolean } = {}) => {
    const leg = new ScriptedLeg(id, address);
    calls.arrive({ leg, video: false, ...more });
    return leg;
  };
  return { calls, placed, sounds, told, arrive };
}

const silence = (): MediaStream => ({ getTracks: () => [], getAudioTracks: () => [], getVideoTracks: () => [], addTrack: () => undefined }) as unknown as MediaStream;
const settled = () => new Promise<void>((done) => setTimeout(done, 5));

test("calls: one that comes in rings, is answered without a bundle, and the tone ends", async () => {
  const { calls, sounds, told, arrive } = stage();
  const leg = arrive("a", BEN);
  equal([told, sounds], [[`rings ${BEN}`], ["ring"]]);
  await calls.answer("a", false);
  equal(leg.did, ["answer max-compat"]);
  leg.say({ kind: "answered" });
  equal([calls.get("a")?.phase, sounds[sounds.length - 1]], ["talking", undefined]);
  calls.stop();
});

test("calls: who answers a second call holds the first, and who resumes one holds the other", async () => {
  const { calls, arrive, sounds } = stage();
  const first = arrive("a", BEN);
  await calls.answer("a", false);
  first.say({ kind: "answered" });
  const second = arrive("b", "clara@example.org");
  equal(sounds[sounds.length - 1], "knock", "not loud beside a voice");
  await calls.answer("b", false);
  second.say({ kind: "answered" });
  calls.hold("a", false);
  equal([first.did, second.did], [["answer max-compat", "hold true", "hold false"], ["answer max-compat", "hold true"]]);
  calls.stop();
});

test("calls: more than six at once are busy", () => {
  const { calls, arrive } = stage();
  for (let n = 0; n < 6; n++) arrive(`c${n}`, BEN);
  equal(arrive("seventh", BEN).did, ["end 486"]);
  equal(calls.state.get().calls.length, 6);
  calls.stop();
});

test("calls: without a microphone none is begun, and why is told", async () => {
  const { calls, placed, told } = stage(async () => Promise.reject(Object.assign(new Error(""), { name: "NotAllowedError" })));
  await calls.place(BEN);
  const [call] = calls.state.get().calls;
  equal([placed.length, call?.phase, call?.ending?.how, call?.trouble], [0, "ended", "no-device", "microphone.blocked"]);
  equal(told, ["over no-device"]);
});

test("calls: handed over at once, the call ends when the other has it, and stays when not", async () => {
  const { calls, arrive } = stage();
  const leg = arrive("a", BEN);
  await calls.answer("a", false);
  leg.say({ kind: "answered" });
  calls.transfer("a", "030 99");
  equal(leg.did.slice(1), ["hold true", "refer sip:03099@example.org;user=phone"]);
  leg.say({ kind: "transfer", transfer: { to: "03099", state: "failed", status: 486 } });
  equal(calls.get("a")?.phase, "talking");
  leg.say({ kind: "transfer", transfer: { to: "03099", state: "done" } });
  equal([leg.did[leg.did.length - 1], calls.get("a")?.ending?.how], ["end", "transferred"]);
});

test("calls: asked first, the first waits, and is handed to the second's other end", async () => {
  const { calls, placed, arrive } = stage();
  const first = arrive("a", BEN);
  await calls.answer("a", false);
  first.say({ kind: "answered" });
  const second = await calls.consult("a", "clara@example.org");
  placed[0]?.leg.say({ kind: "answered" });
  calls.complete(second ?? "");
  equal(first.did.slice(1), ["hold true", "refer to leg-0"]);
  calls.stop();
});

test("calls: one that takes another's place is answered without ringing", async () => {
  const { calls, arrive, told } = stage();
  const first = arrive("a", BEN);
  await calls.answer("a", false);
  first.say({ kind: "answered" });
  const second = arrive("b", "clara@example.org", { replaces: "a" });
  await settled();
  equal([second.did, told], [["answer max-compat"], [`rings ${BEN}`]]);
  calls.stop();
});

test("calls: a changed network and a connection that is back reach the calls under way", async () => {
  const { calls, arrive } = stage();
  const leg = arrive("a", BEN);
  const ringing = arrive("b", "clara@example.org");
  await calls.answer("a", false);
  leg.say({ kind: "answered" });
  calls.networkChanged();
  calls.back();
  equal([leg.did.slice(1), ringing.did], [["restart", "back"], []]);
  calls.stop();
});

test("calls: given up while the microphone is asked for, nobody is called", async () => {
  let give: (stream: MediaStream) => void = () => undefined;
  const { calls, placed } = stage(() => new Promise((done) => (give = done)));
  void calls.place(BEN);
  await settled();
  const id = calls.state.get().calls[0]?.id ?? "";
  calls.hangUp(id);
  give(silence());
  await settled();
  equal([placed.length, calls.get(id)?.ending?.how], [0, "cancelled"]);
});
