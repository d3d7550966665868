/** A page without devices and without a speaker. */
import type { Studio } from "../src/calls/studio";

const none = () => Promise.reject(Object.assign(new Error("no device"), { name: "NotFoundError" }));

export const silentStudio: Studio = { tones: { play: () => undefined, digit: () => undefined }, microphone: none, camera: none, screen: none, play: () => undefined };
