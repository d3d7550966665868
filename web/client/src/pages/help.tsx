/** Help in the product: topics, keys, and the page of every error code. Fetched when wanted. */
import { useEffect, useState } from "react";
import { Icon } from "@shared/icon";
import { Loading } from "@shared/states";
import { useWords } from "@shared/text";
import { href } from "../core/route";
import { language } from "../core/settings";
import type { HelpTopic } from "../texts/help.en";

export function Help({ of }: { of: string | undefined }) {
  const { t } = useWords();
  const code = of?.startsWith("error/") ? of.slice("error/".length) : undefined;
  return (
    <div className="pane page scroll" tabIndex={0} role="region" aria-label={t("help.title")}>
      <div className="page-text">{code === undefined ? <Topics /> : <ErrorPage code={code} />}</div>
    </div>
  );
}

function Topics() {
  const { t, locale } = useWords();
  const [pages, setPages] = useState<{ help: HelpTopic[]; keys: [string[], string][] }>();
  useEffect(() => {
    void (language() === "de" ? import("../texts/help.de") : import("../texts/help.en")).then(setPages);
  }, [locale]);
  if (!pages) return <Loading what={t("app.loading")} />;
  return (
    <>
      <h1>{t("help.title")}</h1>
      {pages.help.map((topic) => (
        <section key={topic.id} className="stack">
          <h2>{topic.title}</h2>
          {topic.text.map((paragraph) => (
            <p key={paragraph}>{paragraph}</p>
          ))}
        </section>
      ))}
      <section className="stack">
        <h2>{t("help.keys")}</h2>
        <dl className="keys">
          {pages.keys.map(([keys, does]) => (
            <div key={does}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
      </section>
    </>
  );
}

function ErrorPage({ code }: { code: string }) {
  const { t } = useWords();
  const [text, setText] = useState<string | null>();
  useEffect(() => {
    void import("../texts/errors").then(({ errors }) => setText(errors[code] ?? null));
  }, [code]);
  return (
    <>
      <p>
        <a className="row" href={href("help")}>
          <Icon name="back" /> {t("help.back")}
        </a>
      </p>
      <h1>{t("help.error", { code })}</h1>
      {text === undefined ? <Loading what={t("app.loading")} /> : text === null ? <p>{t("help.error.none")}</p> : <Markdown text={text} />}
    </>
  );
}

/** The little that the error pages use: headings, lists, paragraphs. */
function Markdown({ text }: { text: string }) {
  return text
    .split(/\n{2,}/)
    .filter((block) => !block.startsWith("# "))
    .map((block, index) => {
      const plain = block.replace(/[`*]/g, "").replace(/\[([^\]]+)\]\([^)]+\)/g, "$1");
      if (plain.startsWith("#")) return <h2 key={index}>{plain.replace(/^#+\s*/, "")}</h2>;
      if (/^(-|\d+\.)\s/.test(plain)) {
        return (
          <ul key={index} className="plain-list">
            {plain.split(/\n(?=-|\d+\.)/).map((item) => (
              <li key={item}>{item.replace(/^(-|\d+\.)\s+/, "")}</li>
            ))}
          </ul>
        );
      }
      return <p key={index}>{plain}</p>;
    });
}
