import { levelOf } from "../src/calls/devices";
import { configurationOf, Ice } from "../src/calls/ice";
import { clock } from "../src/calls/hooks";
import { CallLog, unseen } from "../src/calls/log";
import { judge, sampleOf, type Sample } from "../src/calls/quality";
import { isGathered, leaving, offersVideo, screens, unbundled } from "../src/calls/sdp";
import { Silence } from "../src/calls/silence";
import type { Api } from "../src/api/api";
import type { CallItem } from "../src/api/types";
import { equal, holds, test } from "./kit";

const HEAD = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1 2", "a=msid-semantic: WMS"];
const section = (kind: string, mid: string, ...more: string[]) => [`m=${kind} 9 UDP/TLS/RTP/SAVPF 96`, "c=IN IP4 0.0.0.0", `a=mid:${mid}`, ...more];
const sdp = (...lines: string[]) => [...lines, ""].join("\r\n");
const CANDIDATE = "a=candidate:1 1 udp 1 192.0.2.1 4000 typ host";

test("descriptions: what leaves says nothing of a bundle, and all else stays as it is", () => {
  const made = sdp(...HEAD, ...section("audio", "0"), ...section("video", "1"));
  const sent = leaving(made, undefined);
  equal(sent, made.replace("a=group:BUNDLE 0 1 2\r\n", ""));
  equal(leaving(sent, undefined), sent, "twice is once");
  const other = sdp(...HEAD, ...section("audio", "0"), ...section("video", "1", "a=bundle-only"));
  equal(unbundled(other), other, "a section without an address of its own must stay bundled");
});

test("descriptions: the screen's section says what it is, and is known by it", () => {
  const sent = leaving(sdp(...HEAD, ...section("audio", "0"), ...section("video", "1"), ...section("video", "2", "a=sendonly")), "2");
  equal([...screens(sent)], ["2"]);
  equal(sent.split("a=content:slides").length, 2);
  equal([...screens(leaving(sent, "2"))], ["2"]);
});

test("descriptions: who calls with a picture is told from who calls with a screen, or without", () => {
  const offer = (...more: string[]) => offersVideo(sdp(...HEAD, ...section("audio", "0"), ...section("video", "1", ...more)));
  equal([offer(), offer("a=recvonly"), offer("a=inactive"), offer("a=content:slides"), offersVideo(sdp(...HEAD, ...section("audio", "0")))], [true, false, false, false, false]);
  equal(offersVideo(sdp(...HEAD, "m=video 0 UDP/TLS/RTP/SAVPF 96", "a=mid:1")), false, "a refused section");
});

test("descriptions: whole when each open section has an address", () => {
  const audio = section("audio", "0", CANDIDATE);
  equal([isGathered(sdp(...HEAD, ...audio)), isGathered(sdp(...HEAD, ...audio, ...section("video", "1"))), isGathered(sdp(...HEAD, ...audio, ...section("video", "1", CANDIDATE))), isGathered(sdp(...HEAD, ...audio, "m=video 0 X 96", "a=mid:1"))], [true, false, true, true]);
});

test("media's way: a transport for each, and the relay's credentials where there are some", () => {
  equal(configurationOf(undefined, false), { bundlePolicy: "max-compat", iceServers: [], iceTransportPolicy: "all", rtcpMuxPolicy: "require" } as RTCConfiguration);
  const relay = { uris: ["turn:t:3478"], username: "1:u", password: "p", ttl: 60 };
  equal(configurationOf(relay, true), { bundlePolicy: "max-compat", iceServers: [{ urls: ["turn:t:3478"], username: "1:u", credential: "p" }], iceTransportPolicy: "relay", rtcpMuxPolicy: "require" } as RTCConfiguration);
});

test("media's way: credentials are asked for once, and anew before they end; a server away does not hold up a call", async () => {
  let asked = 0;
  let away = false;
  const api = { provisioning: async () => (away ? Promise.reject(new Error("away")) : { turn: { uris: ["turn:t"], username: `u${++asked}`, password: "p", ttl: 28_800 } }) } as unknown as Api;
  const ice = new Ice(api, () => false);
  const user = async (now: number) => (await ice.configuration(now)).iceServers?.[0]?.username;
  const hour = 3_600_000;
  equal([await user(0), await user(hour), await user(7 * hour), await user(7.8 * hour)], ["u1", "u1", "u1", "u2"]);
  away = true;
  equal(await user(15.5 * hour), "u2", "the old ones are still good");
  equal(await user(16 * hour), undefined, "ended ones are not used");
});

const samples = (...of: Partial<Sample>[]): Sample[] => of.map((sample, n) => ({ at: n * 2000, received: n * 100, lost: 0, jitter: 0.005, roundTrip: 0.02, codec: "opus", way: "direct", ...sample }));

test("the network: nothing is said before it is known; then three states, with what is worst", () => {
  const table: [Sample[], string, string | undefined][] = [
    [[], "unknown", undefined],
    [samples({}), "unknown", undefined],
    [samples({ received: 0 }, { received: 20 }), "unknown", undefined],
    [samples({}, {}), "good", undefined],
    [samples({}, { lost: 4 }), "fair", "loss"],
    [samples({}, { lost: 10 }), "poor", "loss"],
    [samples({}, { lostThere: 0.2 }), "poor", "loss"],
    [samples({}, { jitter: 0.06 }), "fair", "jitter"],
    [samples({}, { roundTrip: 0.7 }), "poor", "delay"],
    [samples({ received: 500 }, { received: 500 }, { received: 500 }), "poor", "silence"],
  ];
  for (const [seen, verdict, because] of table) {
    const found = judge(seen);
    equal([found.verdict, found.because], [verdict, because], JSON.stringify(seen));
  }
  const far = judge(samples({ lost: 50 }, {}, {}, {}, {}, {}));
  equal(far.verdict, "good", "what was lost long ago is over");
});

test("the network: figures come from the report of the sound's own path", () => {
  const rows = [
    { id: "v", type: "inbound-rtp", kind: "video", packetsReceived: 9, transportId: "t2" },
    { id: "a", type: "inbound-rtp", kind: "audio", packetsReceived: 70, packetsLost: 3, jitter: 0.01, transportId: "t1", codecId: "c" },
    { id: "r", type: "remote-inbound-rtp", kind: "audio", roundTripTime: 0.04, fractionLost: 0.01 },
    { id: "t1", type: "transport", selectedCandidatePairId: "p" },
    { id: "p", type: "candidate-pair", localCandidateId: "l", remoteCandidateId: "m" },
    { id: "l", type: "local-candidate", candidateType: "host" },
    { id: "m", type: "remote-candidate", candidateType: "relay" },
    { id: "c", type: "codec", mimeType: "audio/opus" },
  ];
  equal(sampleOf(rows, 1), { at: 1, received: 70, lost: 3, jitter: 0.01, roundTrip: 0.04, lostThere: 0.01, codec: "opus", way: "relayed" });
  equal(sampleOf([], 1).way, undefined);
});

test("a level is none for silence and all for full scale", () => {
  equal([levelOf(new Float32Array(8)), levelOf(new Float32Array(8).fill(1))], [0, 1]);
  const soft = levelOf(new Float32Array(8).fill(0.03));
  holds(soft > 0.4 && soft < 0.6, String(soft));
});

test("the time of a call runs in minutes, and in hours when it is long", () => {
  equal([clock(0), clock(65), clock(3723)], ["0:00", "1:05", "1:02:03"]);
});

test("the history: pages are joined, and missed calls count until they were looked at", async () => {
  const item = (n: number, outcome: string): CallItem => ({ id: `c${n}`, direction: "incoming", with: "ben@example.org", started: new Date(n * 1000).toISOString(), outcome });
  const pages: Record<string, { items: CallItem[]; next?: string }> = { "": { items: [item(9, "missed"), item(8, "answered")], next: "x" }, x: { items: [item(8, "answered"), item(7, "missed")] } };
  const log = new CallLog({ calls: async (before = "") => pages[before] } as unknown as Api, "anna@example.org");
  await log.load();
  equal(unseen(log.state.get()), 1);
  await log.older();
  equal([log.state.get().items.map((i) => i.id), log.unseen()], [["c9", "c8", "c7"], 2]);
  log.look();
  equal(log.unseen(), 0);
});

test("silence: sound that came all the time and stops for a second is lost, and the server is asked before", () => {
  const silence = new Silence();
  for (let packets = 1; packets <= 8; packets++) equal(silence.look(packets * 10), "sound");
  equal([1, 2, 3, 4, 5, 6].map(() => silence.look(80)), [undefined, "quiet", undefined, undefined, "lost", undefined]);
  equal(silence.look(90), "sound");
});

test("silence: who pauses is not lost, and the second time twice as much patience is had", () => {
  const silence = new Silence();
  for (let packets = 1; packets <= 7; packets++) silence.look(packets);
  equal([1, 2, 3, 4, 5, 6].map(() => silence.look(7)), Array(6).fill(undefined), "it had hardly begun");
  const verdicts = (from: number) => {
    for (let packets = from; packets < from + 8; packets++) silence.look(packets);
    return Array.from({ length: 10 }, () => silence.look(from + 7)).indexOf("lost");
  };
  equal([verdicts(20), verdicts(40)], [4, 9]);
  for (let packets = 60; packets < 68; packets++) silence.look(packets);
  silence.forget();
  equal(Array.from({ length: 50 }, () => silence.look(67)).filter(Boolean), [], "held calls are silent");
});
