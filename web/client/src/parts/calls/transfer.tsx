/** Whom to hand a call over to: a person or a number, at once or after asking them. */
import { useState } from "react";
import { Button } from "@shared/button";
import { Dialog } from "@shared/dialog";
import { useWords } from "@shared/text";
import { isNumber, dialled } from "../../calls/calls";
import type { Call } from "../../calls/state";
import { useClient } from "../../core/context";
import { useFind } from "../../core/find";
import { Face } from "../face";
import { SearchBox } from "../search-box";
import { StatusLine, useStatus } from "../status-line";
import { usePartner } from "./words";

const MOST_SHOWN = 6;

export function TransferDialog({ call, onClose }: { call: Call; onClose(): void }) {
  const { t } = useWords();
  const { calls } = useClient();
  const [q, setQ] = useState("");
  const [chosen, setChosen] = useState<string>();
  const found = useFind(q);
  const name = usePartner(call.with, call.name);
  const target = chosen ?? (isNumber(q) ? dialled(q) : undefined);
  const act = (does: (id: string, to: string) => unknown) => {
    if (target !== undefined) void does(call.id, target);
    onClose();
  };
  return (
    <Dialog title={t("call.transfer.title", { name })} onClose={onClose}>
      <SearchBox value={chosen ?? q} onChange={(text) => (setChosen(undefined), setQ(text))} label={t("call.transfer.to")} autoFocus />
      {chosen === undefined && (
        <ul className="offered">
          {found.people.filter((person) => person.address !== call.with).slice(0, MOST_SHOWN).map((person) => (
            <li key={person.address}>
              <button type="button" className="list-row" onClick={() => setChosen(person.address)}>
                <Someone address={person.address} />
              </button>
            </li>
          ))}
        </ul>
      )}
      <p className="small soft">{t("call.transfer.hint")}</p>
      <footer>
        <Button onClick={onClose}>{t("shared.cancel")}</Button>
        <Button icon="phone" disabled={target === undefined} onClick={() => act((id, to) => calls.consult(id, to))}>
          {t("call.transfer.ask")}
        </Button>
        <Button kind="primary" icon="transfer" disabled={target === undefined} onClick={() => act((id, to) => calls.transfer(id, to))}>
          {t("call.transfer.now")}
        </Button>
      </footer>
    </Dialog>
  );
}

function Someone({ address }: { address: string }) {
  const client = useClient();
  const { kind } = useStatus(address);
  return (
    <>
      <Face address={address} kind={kind} size="small" />
      <span className="grow">
        <span className="ellipsis block">{client.nameOf(address)}</span>
        <StatusLine address={address} />
      </span>
    </>
  );
}
