/** The help that stands in the product. */
export interface HelpTopic {
  id: string;
  title: string;
  text: string[];
}

export const help: HelpTopic[] = [
  { id: "first", title: "First steps", text: ["Press Ctrl K (⌘ K on a Mac) and type three letters of a name. Enter opens the conversation: write, Enter sends.", "Add the people you work with to your contacts: open a person and choose “Add to contacts”. The star makes a favourite; favourites stand on top."] },
  { id: "status", title: "What the status shapes mean", text: ["Green disc: available. Half a green ring: nobody touched the device for a while. Red disc: busy, in a call or in a meeting; the word beside it says which. Dark red disc with a bar: does not want to be disturbed. Amber clock: away or right back. Grey ring: offline. Dashed ring: the server does not know, or you may not see it.", "Your own status follows your devices, calls and calendar while it is set to “Automatic”. What you choose yourself stays until you choose “Automatic” again. In “Do not disturb” only people of your workgroup reach you at once."] },
  { id: "marks", title: "What the marks at a message mean", text: ["Clock: it waits for the connection or is on its way. One tick: the server has it and keeps it. Two ticks: it reached a device. “Read”: it was on the screen. In a conversation of several, a mark counts when it is true for everybody.", "A message to somebody who is offline is kept and delivered, in order, to each of their devices."] },
  { id: "privacy", title: "What others see of you", text: ["Each person has a relationship with you, and each relationship sees a different amount: open a person and look at the list below their details. Blocked people see you as offline and cannot reach you; nobody tells them.", "In the settings you can show your status to your contacts alone."] },
  { id: "offline", title: "When the connection is lost", text: ["A line on top says so. You can go on reading and writing: what you write leaves by itself as soon as the connection is back, once and in order. The line then says how long it took. States are marked with the time they are from.", "If it stays: check your network first. If colleagues have the same, the server may be restarting."] },
  { id: "calls", title: "Calls", text: ["The telephone beside a name calls; the camera beside it calls with a picture. Under “Calls” you dial a number or a name, and find what was: missed calls are marked until you have seen the list.", "A call stands on top wherever you are. There you mute, show your camera or screen, hold, press keys and hand over: at once, or after asking. Answering a second call holds the first.", "The bars say how the network does: nothing until it is known, then good, not so good or bad. Press them for the figures. When the network changes in the middle of a call, a new path is looked for by itself.", "Microphone, speaker and camera are chosen and tested in the settings, where you can also send everything through the server’s relay."] },
  { id: "notifications", title: "Notifications on the desktop", text: ["They come for messages you are not looking at, never in “Do not disturb”. Allow them in the settings; the browser asks once. You can leave the text of messages out of them."] },
];

export const keys: [keys: string[], does: string][] = [
  [["Ctrl", "K"], "Find a person, a conversation or a command"],
  [["↑", "↓"], "Move in a list"],
  [["Enter"], "Open; in the writing field: send"],
  [["Shift", "Enter"], "New line in a message"],
  [["Esc"], "Close, or empty a search"],
  [["Tab"], "To the next part of the page"],
  [["M"], "In a call: mute"],
  [["V"], "In a call: camera on or off"],
  [["H"], "In a call: hold or resume"],
  [["S"], "In a call: share the screen"],
  [["F6"], "To the call"],
];
