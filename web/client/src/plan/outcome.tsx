/** What follows from the plan: totals, the picture, servers, links, what to look at. */
import { useEffect, useId, useState } from "react";
import { useWords } from "@shared/text";
import type { Figures } from "./api";

export function Outcome({ figures, choose }: { figures: Figures; choose(picture: string): void }) {
  const { t, locale } = useWords();
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const servers = figures.servers.reduce((sum, row) => sum + row.servers, 0);
  const sites = new Set(figures.servers.map((row) => row.site)).size;
  return (
    <>
      <dl className="plan-totals">
        {([["users", figures.users], ["servers", servers], ["sites", sites]] as const).map(([what, count]) => (
          <div key={what}>
            <dt>{t(`total.${what}`)}</dt>
            <dd className="figures">{whole.format(count)}</dd>
          </div>
        ))}
      </dl>
      <Picture figures={figures} choose={choose} />
      <Links figures={figures} />
      <Servers figures={figures} />
      {figures.notes.length > 0 && (
        <section>
          <h2>{t("notes")}</h2>
          <ul className="plan-notes">
            {figures.notes.map((note, n) => (
              <li key={n}>{note}</li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** A picture is an image of its own: nothing in it can run, and it follows light and dark by its own style sheet. */
function Picture({ figures, choose }: { figures: Figures; choose(picture: string): void }) {
  const { t } = useWords();
  const id = useId();
  const { picture, pictures } = figures;
  const [address, setAddress] = useState<string>();
  const svg = picture?.svg;
  useEffect(() => {
    if (!svg) return setAddress(undefined);
    const made = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [svg]);
  return (
    <section>
      <div className="row plan-picture-head">
        <h2 className="grow">{t("picture")}</h2>
        <label className="unseen" htmlFor={id}>
          {t("picture.choose")}
        </label>
        <select id={id} className="input" value={picture?.id ?? ""} onChange={(e) => choose(e.target.value)}>
          {pictures.map((each) => (
            <option key={each.id} value={each.id}>
              {each.title}
            </option>
          ))}
        </select>
      </div>
      {picture && address && (
        <div className="plan-picture" tabIndex={0} role="region" aria-label={picture.title}>
          <img src={address} alt={picture.title} />
        </div>
      )}
    </section>
  );
}

function Links({ figures }: { figures: Figures }) {
  const { t, locale } = useWords();
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const mbps = (value: number) => t("bandwidth.mbps", { value: number.format(value) });
  return (
    <section>
      <h2 id="plan-links">{t("bandwidth")}</h2>
      <div className="plan-scroll" tabIndex={0} role="region" aria-labelledby="plan-links">
        <table>
          <thead>
            <tr>
              {["link", "speed", "there", "back", "needed", "verdict"].map((column) => (
                <th scope="col" key={column}>
                  {t(`bandwidth.${column}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {figures.links.map((link) => (
              <tr key={`${link.from} ${link.to}`}>
                <th scope="row">
                  {link.from} – {link.to === "internet" ? t("links.internet") : link.to}
                </th>
                <td className="figures">{link.mbps === null ? t("bandwidth.unknown") : mbps(link.mbps)}</td>
                <td className="figures">{mbps(link.there_mbps)}</td>
                <td className="figures">{mbps(link.back_mbps)}</td>
                <td className="figures">{mbps(link.needed_mbps)}</td>
                <td>
                  <span className={`plan-verdict ${link.verdict}`}>{t(`verdict.${link.verdict}`)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Servers({ figures }: { figures: Figures }) {
  const { t, locale } = useWords();
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const sites = [...new Set(figures.servers.map((row) => row.site))];
  return (
    <section>
      <h2 id="plan-servers">{t("servers")}</h2>
      <div className="plan-scroll" tabIndex={0} role="region" aria-labelledby="plan-servers">
        <table>
          <thead>
            <tr>
              <th scope="col">{t("sites.name")}</th>
              <th scope="col">{t("servers.role")}</th>
              <th scope="col">{t("servers.count")}</th>
            </tr>
          </thead>
          <tbody>
            {sites.flatMap((site) =>
              figures.servers
                .filter((row) => row.site === site)
                .map((row, n) => (
                  <tr key={`${site} ${row.role}`} title={row.working}>
                    {n === 0 && (
                      <th scope="rowgroup" rowSpan={figures.servers.filter((other) => other.site === site).length}>
                        {site}
                      </th>
                    )}
                    <td>{row.role}</td>
                    <td className="figures">{whole.format(row.servers)}</td>
                  </tr>
                )),
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}
