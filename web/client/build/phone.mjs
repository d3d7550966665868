// `node client/build/phone.mjs --base https://HOST:PORT --address USER@DOMAIN --password TEXT --speaks FILE.wav`: a phone in a
// real browser, of JsSIP and nothing of ours. It takes one JSON object a line on its standard input and tells what happens,
// one line each. `cargo xtask test interop` calls desk phones with it.
import { createReadStream, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const at = (name) => process.argv.indexOf(`--${name}`);
const given = (name) => (at(name) < 0 ? undefined : process.argv[at(name) + 1]);
const base = given("base");
const [user, domain] = given("address").split("@");
const bundled = await build({
  stdin: { contents: 'import JsSIP from "jssip"; globalThis.JsSIP = JsSIP;', resolveDir: import.meta.dirname ?? "client" },
  bundle: true, write: false, format: "iife", platform: "browser", define: { global: "globalThis" }, logLevel: "silent",
});
const source = bundled.outputFiles[0].text;
const tell = (what) => process.stdout.write(`${what}\n`);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox", "--disable-dev-shm-usage", "--ignore-certificate-errors", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required",
    ...(given("speaks") ? [`--use-file-for-fake-audio-capture=${given("speaks")}`] : []),
  ],
});
const context = await browser.newContext({ ignoreHTTPSErrors: true, bypassCSP: true, permissions: ["microphone", "camera"] });
const page = await context.newPage();
page.on("pageerror", (error) => tell(`FAULT ${error.message}`));
await page.exposeFunction("tell", tell);
// Of the server's origin, so that its WebSocket takes us; what is there does not matter.
await page.goto(`${base}/no-such-page`);
await page.addScriptTag({ content: source });

await page.evaluate(([given]) => {
  const { user, domain, password, base, codecs, video } = given;
  const ua = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(`${base.replace(/^http/, "ws")}/ws`)],
    uri: `sip:${user}@${domain}`, authorization_user: user, password, register: true, register_expires: 600, session_timers: false,
  });
  const sound = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const options = {
    mediaConstraints: { audio: sound, video },
    // Each medium has its own transport and port.
    pcConfig: { iceServers: [], bundlePolicy: "max-compat", rtcpMuxPolicy: "require" },
  };
  globalThis.phone = { ua, options, session: null, heard: [], rate: 48_000, tapped: new WeakSet(), recording: false };

  const only = (sdp) => {
    const kept = new Set([...sdp.matchAll(/^a=rtpmap:(\d+) ([^/\r]+)/gm)].filter(([, , name]) => codecs.includes(name) || name === "telephone-event").map(([, number]) => number));
    return sdp.split("\r\n").filter((line) => {
      const named = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+)/.exec(line);
      return !named || kept.has(named[1]);
    }).map((line) => (line.startsWith("m=audio") ? line.split(" ").filter((word, place) => place < 3 || kept.has(word)).join(" ") : line)).join("\r\n");
  };

  ua.on("registered", () => tell("registered"));
  ua.on("registrationFailed", (event) => tell(`unregistered ${event.cause}`));
  ua.on("newRTCSession", ({ session, originator }) => {
    phone.session = session;
    tell(originator === "remote" ? `incoming ${session.remote_identity.uri}` : "outgoing");
    session.on("sdp", (event) => {
      if (event.originator !== "local") return;
      event.sdp = event.sdp.replace(/^a=group:BUNDLE.*\r\n/m, "");
      if (codecs.length > 0) event.sdp = only(event.sdp);
    });
    // The frames as the jitter buffer gives them, with room for two seconds: a busy page loses none.
    const keep = async (track) => {
      phone.tapped.add(track);
      const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 200 }).readable.getReader();
      for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
        if (phone.recording) {
          const piece = new Float32Array(value.numberOfFrames);
          value.copyTo(piece, { planeIndex: 0, format: "f32-planar" });
          phone.rate = value.sampleRate;
          phone.heard.push(piece);
        }
        value.close();
      }
    };
    const watch = (connection) => connection.addEventListener("track", (event) => {
      if (event.track.kind !== "audio") return;
      const stream = new MediaStream([event.track]);
      const element = new Audio();
      element.srcObject = stream;
      element.play();
      if (!phone.tapped.has(event.track)) keep(event.track);
    });
    if (session.connection) watch(session.connection);
    session.on("peerconnection", ({ peerconnection }) => watch(peerconnection));
    session.on("progress", ({ response }) => tell(`progress ${response ? response.status_code : ""}`));
    session.on("accepted", () => tell("accepted"));
    session.on("confirmed", () => tell("confirmed"));
    session.on("ended", ({ cause }) => tell(`ended ${cause}`));
    session.on("failed", ({ cause, message }) => tell(`failed ${cause} ${message?.status_code ?? ""}`));
    session.on("hold", ({ originator }) => tell(`hold ${originator}`));
    session.on("unhold", ({ originator }) => tell(`unhold ${originator}`));
    session.on("newDTMF", ({ originator, dtmf }) => tell(`dtmf ${originator} ${dtmf.tone}`));
  });
  ua.start();
}, [{ user, domain, password: given("password"), base, codecs: (given("codecs") ?? "").split(",").filter(Boolean), video: at("video") >= 0 }]);

const doing = {
  dial: ({ to }) => page.evaluate((to) => { phone.ua.call(to, phone.options); }, to),
  answer: () => page.evaluate(() => phone.session.answer(phone.options)),
  decline: () => page.evaluate(() => phone.session.terminate({ status_code: 603 })),
  hold: () => page.evaluate(() => new Promise((done) => phone.session.hold({}, done))),
  unhold: () => page.evaluate(() => new Promise((done) => phone.session.unhold({}, done))),
  keys: ({ keys }) => page.evaluate((keys) => { phone.session.sendDTMF(keys, { transportType: "RFC2833", duration: 120, interToneGap: 120 }); }, keys),
  restart: () => page.evaluate(() => new Promise((done) => phone.session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, done))),
  refer: ({ to }) => page.evaluate((to) => { phone.session.refer(to); }, to),
  hangup: () => page.evaluate(() => phone.session.terminate()),
  record: () => page.evaluate(() => { phone.heard = []; phone.recording = true; }),
  async save({ path }) {
    const { rate, text } = await page.evaluate(() => {
      phone.recording = false;
      const samples = Int16Array.from(phone.heard.flatMap((piece) => Array.from(piece, (value) => Math.round(Math.max(-1, Math.min(1, value)) * 32767))));
      const bytes = new Uint8Array(samples.buffer);
      let text = "";
      for (let from = 0; from < bytes.length; from += 8192) text += String.fromCharCode(...bytes.subarray(from, from + 8192));
      return { rate: phone.rate, text: btoa(text) };
    });
    const samples = Buffer.from(text, "base64");
    const head = Buffer.alloc(44);
    head.write("RIFF", 0); head.writeUInt32LE(36 + samples.byteLength, 4); head.write("WAVEfmt ", 8);
    head.writeUInt32LE(16, 16); head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22); head.writeUInt32LE(rate, 24);
    head.writeUInt32LE(rate * 2, 28); head.writeUInt16LE(2, 32); head.writeUInt16LE(16, 34);
    head.write("data", 36); head.writeUInt32LE(samples.byteLength, 40);
    writeFileSync(path, Buffer.concat([head, samples]));
    return "saved";
  },
  async stats() {
    const stats = await page.evaluate(async () => {
      const all = [...(await phone.session.connection.getStats()).values()];
      const by = new Map(all.map((one) => [one.id, one]));
      const kinds = ["inbound-rtp", "outbound-rtp"];
      const streams = all.filter((one) => kinds.includes(one.type)).map((one) => ({
        type: one.type, kind: one.kind, packets: one.packetsReceived ?? one.packetsSent, lost: one.packetsLost, frames: one.framesDecoded,
        codec: by.get(one.codecId)?.mimeType, transport: one.transportId,
      }));
      const pairs = all.filter((one) => one.type === "transport").map((one) => {
        const pair = by.get(one.selectedCandidatePairId);
        const [local, remote] = [by.get(pair?.localCandidateId), by.get(pair?.remoteCandidateId)];
        return { transport: one.id, dtls: one.dtlsState, local: local && `${local.candidateType} ${local.address}:${local.port}`, remote: remote && `${remote.candidateType} ${remote.address}:${remote.port}` };
      });
      return { streams, pairs };
    });
    return `stats ${JSON.stringify(stats)}`;
  },
};

for await (const line of createInterface({ input: createReadStream("/dev/stdin") })) {
  const order = JSON.parse(line);
  if (order.do === "quit") break;
  try {
    const said = await doing[order.do](order);
    tell(said ? said : `done ${order.do}`);
  } catch (error) {
    tell(`FAULT ${order.do}: ${error.message.split("\n")[0]}`);
  }
}
await browser.close();
