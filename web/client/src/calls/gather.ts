/** Waits until a description can travel: our descriptions go whole, with every address in them. */
import { isGathered } from "./sdp";

/** A relay that does not answer must not hold up a call that finds its way without it. */
const LONGEST_MS = 3000;
/** In a call that looks for another path the rest of the addresses must not hold up those that are there. */
const REST_MS = 500;
/** How long the browser may take to say that it gathers anew. */
const SETTLE_MS = 40;

export async function gathered(connection: RTCPeerConnection): Promise<void> {
  let end = Date.now() + LONGEST_MS;
  const again = connection.currentRemoteDescription !== null;
  await new Promise((wake) => setTimeout(wake, SETTLE_MS));
  while (Date.now() < end && connection.signalingState !== "closed") {
    const whole = isGathered(connection.localDescription?.sdp ?? "");
    if (whole && connection.iceGatheringState === "complete") return;
    if (whole && again) end = Math.min(end, Date.now() + REST_MS);
    await change(connection, end - Date.now());
  }
}

function change(connection: RTCPeerConnection, ms: number): Promise<void> {
  return new Promise((done) => {
    const events = ["icecandidate", "icegatheringstatechange", "signalingstatechange"] as const;
    const finish = () => {
      clearTimeout(timer);
      for (const event of events) connection.removeEventListener(event, finish);
      done();
    };
    const timer = setTimeout(finish, Math.max(ms, 0));
    for (const event of events) connection.addEventListener(event, finish);
  });
}

/** Makes every description of this connection wait until it is whole, whoever sets it. */
export function gatherFirst(connection: RTCPeerConnection, ready: () => void): void {
  const set = connection.setLocalDescription.bind(connection);
  connection.setLocalDescription = async (description?: RTCLocalSessionDescriptionInit) => {
    await set(description);
    if (description?.type === "rollback") return;
    await gathered(connection);
    ready();
  };
}
