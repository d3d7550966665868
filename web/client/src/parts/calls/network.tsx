/** The network of a call: three states with their words, and the figures for who wants them. */
import { useWords } from "@shared/text";
import { useQuality } from "../../calls/hooks";
import type { Quality } from "../../calls/quality";
import type { Call } from "../../calls/state";
import { Popover } from "./popover";

const BARS = { unknown: 0, poor: 1, fair: 2, good: 3 } as const;

export function Network({ call, side = "below", words = false }: { call: Call; side?: "above" | "below"; words?: boolean }) {
  const { t } = useWords();
  const quality = useQuality(call);
  const word = t(`network.${quality.verdict}`);
  return (
    <Popover className={`network ${quality.verdict}`} label={t("network.label", { word })} face={
        <>
          <Bars bars={BARS[quality.verdict]} />
          {(words || quality.verdict === "fair" || quality.verdict === "poor") && <span className="small">{word}</span>}
        </>
      } side={side}>
      <Figures quality={quality} />
    </Popover>
  );
}

function Bars({ bars }: { bars: number }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {[0, 1, 2].map((n) => (
        <rect key={n} x={3 + n * 5} y={12 - n * 4} width="4" height={5 + n * 4} rx="1" fill={n < bars ? "currentColor" : "none"} stroke="currentColor" strokeWidth="1" />
      ))}
    </svg>
  );
}

function Figures({ quality }: { quality: Quality }) {
  const { t, locale } = useWords();
  const percent = (share: number | undefined) => (share === undefined ? undefined : new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(share));
  const millis = (ms: number | undefined) => (ms === undefined ? undefined : new Intl.NumberFormat(locale, { style: "unit", unit: "millisecond" }).format(ms));
  const rows: [string, string | undefined][] = [
    ["network.loss", percent(quality.loss)],
    ["network.loss-there", percent(quality.lostThere)],
    ["network.jitter", millis(quality.jitterMs)],
    ["network.round-trip", millis(quality.roundTripMs)],
    ["network.codec", quality.codec],
    ["network.way", quality.way && t(`network.way.${quality.way}`)],
  ];
  return (
    <div className="stack">
      <p>
        <strong>{t(`network.${quality.verdict}`)}</strong>
        {quality.because && <span className="block">{t(`network.because.${quality.because}`)}</span>}
      </p>
      <dl className="details figures">
        {rows.map(([label, value]) => (
          <div className="details-row" key={label}>
            <dt>{t(label)}</dt>
            <dd>{value ?? t("network.not-known")}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
