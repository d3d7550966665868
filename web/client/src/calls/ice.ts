/** How media finds its way: the relay's addresses and credentials as the server hands them out, and our policy. */
import type { Api } from "../api/api";
import type { RelayCredentials } from "../api/types";

/** Credentials that end sooner than this are not begun a call with. */
const SPARE_MS = 20 * 60_000;

export class Ice {
  #relay: RelayCredentials | undefined;
  #until = 0;
  #asking: Promise<void> | undefined;

  constructor(
    private readonly api: Api,
    private readonly relayOnly: () => boolean,
  ) {}

  /** A connection's settings; without an answer of the server those of last time, or none. */
  async configuration(now = Date.now()): Promise<RTCConfiguration> {
    if (now > this.#until - SPARE_MS) {
      this.#asking ??= this.#ask(now).finally(() => (this.#asking = undefined));
      await this.#asking;
    }
    return configurationOf(this.#until > now ? this.#relay : undefined, this.relayOnly());
  }

  async #ask(now: number): Promise<void> {
    try {
      const { turn } = await this.api.provisioning();
      this.#relay = turn ?? undefined;
      // A server without a relay is asked again in a while, not before every call.
      this.#until = now + (turn ? turn.ttl * 1000 : 2 * SPARE_MS);
    } catch {
      // The call goes without a relay; where both ends see each other it needs none.
    }
  }
}

/** Audio, camera and screen each on a transport of their own: see `sdp.ts` for the other half of it. */
export function configurationOf(relay: RelayCredentials | undefined, relayOnly: boolean): RTCConfiguration {
  return {
    iceServers: relay ? [{ urls: relay.uris, username: relay.username, credential: relay.password }] : [],
    iceTransportPolicy: relayOnly ? "relay" : "all",
    bundlePolicy: "max-compat",
    rtcpMuxPolicy: "require",
  };
}
