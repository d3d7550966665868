/** Where the planning page begins: theme and words, then an administrator signs in. */
import "@shared/tokens.css";
import "@shared/base.css";
import "@shared/components.css";
import "../client.css";
import "./plan.css";
import { createRoot } from "react-dom/client";
import { WordsContext, words, type Text } from "@shared/text";
import { applyTheme, language, locale } from "../core/settings";
import { PlanApi } from "./api";
import { Page } from "./page";
import { en } from "./texts.en";

async function load() {
  const lang = language();
  const texts: Record<string, Text> = lang === "de" ? (await import("./texts.de")).de : en;
  document.documentElement.lang = lang;
  return words(texts, locale());
}

applyTheme();
const page = document.getElementById("page");
if (page) {
  void load().then((found) => {
    document.title = `Lyceum: ${found.t("plan.title")}`;
    createRoot(page).render(
      <WordsContext value={found}>
        <Page api={new PlanApi()} />
      </WordsContext>,
    );
  });
}
