/** Where the page begins: theme and words, then who is signed in. */
import "@shared/tokens.css";
import "@shared/base.css";
import "@shared/components.css";
import "./client.css";
import "./calls.css";
import { createRoot } from "react-dom/client";
import { applyTheme } from "./core/settings";
import { Session } from "./core/session";
import { claim } from "./core/tab";
import { Root } from "./root";
import { load } from "./texts/load";

applyTheme();
claim();
const session = new Session(localStorage);
void session.restore();
const page = document.getElementById("page");
if (page) void load().then((words) => createRoot(page).render(<Root session={session} first={words} />));
