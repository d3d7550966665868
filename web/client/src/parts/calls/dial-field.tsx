/** A number or a name to call, with keys for who has no keyboard. */
import { useState } from "react";
import { Button } from "@shared/button";
import { useWords } from "@shared/text";
import { dialled, isNumber } from "../../calls/calls";
import { usePlace } from "../../calls/hooks";
import { useClient } from "../../core/context";
import { useFind } from "../../core/find";
import { useStore } from "../../core/store";
import { Face } from "../face";
import { StatusLine, useStatus } from "../status-line";
import { CallButtons } from "./call-buttons";
import { Keypad } from "./keypad";

const MOST_SHOWN = 5;

export function DialField() {
  const { t } = useWords();
  const client = useClient();
  const place = usePlace();
  const [text, setText] = useState("");
  const [keys, setKeys] = useState(false);
  const found = useFind(text);
  const online = useStore(client.link, (link) => link.phase === "online");
  const address = /^[^\s@]+@[^\s@]+$/.test(text.trim()) ? text.trim().toLowerCase() : undefined;
  const target = isNumber(text) ? dialled(text) : (address ?? (found.people.length === 1 ? found.people[0]?.address : undefined));
  const call = () => {
    if (target === undefined || !online) return;
    place(target);
    setText("");
  };
  return (
    <div className="dial">
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          call();
        }}
      >
        <input className="input grow figures" type="text" inputMode="tel" aria-label={t("calls.dial")} placeholder={t("calls.dial")} autoComplete="off" spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
        <Button kind="quiet" icon="keypad" label={t("call.keypad")} aria-expanded={keys} onClick={() => setKeys(!keys)} />
        <Button className="answer" type="submit" icon="phone" label={t("call.call")} disabled={target === undefined || !online} />
      </form>
      {isNumber(text) && <p className="small soft figures">{t("calls.dial.as", { number: dialled(text) })}</p>}
      {keys && <Keypad shows={false} onKey={(key) => (setText((before) => before + key), client.calls.tones("", key))} />}
      {text.trim() !== "" && (
        <ul className="offered">
          {found.people.slice(0, MOST_SHOWN).map((person) => (
            <Offered key={person.address} address={person.address} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Offered({ address }: { address: string }) {
  const name = useClient().nameOf(address);
  const { kind } = useStatus(address);
  return (
    <li className="row found-row list-row">
      <Face address={address} kind={kind} size="small" />
      <span className="grow">
        <span className="ellipsis block">{name}</span>
        <StatusLine address={address} />
      </span>
      <CallButtons target={address} name={name} />
    </li>
  );
}
