/** One's own state and note in the corner, two clicks away from any place. */
import { useState } from "react";
import { announce } from "@shared/announce";
import { Button } from "@shared/button";
import { Dialog } from "@shared/dialog";
import { Field, Switch } from "@shared/field";
import { Icon } from "@shared/icon";
import { Menu, MenuItem } from "@shared/menu";
import { Presence, type PresenceKind } from "@shared/presence";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { CHOICES, type Choice } from "../api/types";
import { useAttempt, useClient, useFault, useName, useView } from "../core/context";
import { kindOf, wordOf } from "../core/presence";
import { go } from "../core/route";
import { useStore } from "../core/store";
import { Face } from "./face";
import { toggleTheme } from "./theme-button";

const KIND: Record<Choice, PresenceKind> = {
  automatic: "available",
  available: "available",
  busy: "busy",
  "do-not-disturb": "dnd",
  "be-right-back": "away",
  away: "away",
  "off-work": "away",
  "appear-offline": "offline",
};

/** The word of a choice; the two that are no states have words of their own. */
export const choiceWord = (choice: Choice): string => (choice === "automatic" || choice === "appear-offline" ? `own.${choice}` : `presence.${choice}`);

export function OwnStateMenu() {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const view = useView(client.address);
  const own = useStore(client.own, (s) => s);
  const offline = useStore(client.link, (s) => s.phase !== "online");
  const [noting, setNoting] = useState(false);
  const { attempt, problem, dismiss } = useAttempt();
  const name = useName(client.address);
  // What others see now cannot be known without the server.
  const word = t(offline ? "own.not-connected" : own.choice === "appear-offline" ? "own.appear-offline" : wordOf(view));
  const choose = async (choice: Choice) => {
    if (await attempt(() => client.choose(choice))) announce(t("own.changed", { word: t(choiceWord(choice)) }));
  };
  const face = (
    <>
      <Face address={client.address} kind={offline ? "unknown" : kindOf(view)} size="small" />
      <span className="unseen">{`${name}. `}</span>
      <span className="own-word">
        <span className="unseen">{t("own.label", { word: "" })}</span>
        {word}
      </span>
    </>
  );
  return (
    <div className="own">
      <Menu className="own-button" kind="quiet" menuLabel={t("own.choose")} face={face} side="right">
        <p className="menu-head">
          <strong>{name}</strong>
          <span className="small soft">{view?.note || own.note || word}</span>
        </p>
        <hr />
        {CHOICES.map((choice) => (
          <MenuItem key={choice} chosen={own.known && own.choice === choice} onChoose={() => void choose(choice)}>
            <Presence kind={KIND[choice]} />
            {t(choiceWord(choice))}
          </MenuItem>
        ))}
        <hr />
        <MenuItem onChoose={() => setNoting(true)}>
          <Icon name="note" />
          {t("own.note")}
        </MenuItem>
        <MenuItem onChoose={() => go("settings")}>
          <Icon name="settings" />
          {t("rail.settings")}
        </MenuItem>
        <MenuItem onChoose={() => go("help")}>
          <Icon name="help" />
          {t("rail.help")}
        </MenuItem>
        <MenuItem onChoose={toggleTheme}>
          <Icon name="theme" />
          {t("own.theme")}
        </MenuItem>
        <MenuItem onChoose={() => void client.session.signOut()}>
          <Icon name="lock" />
          {t("own.sign-out")}
        </MenuItem>
      </Menu>
      {problem && (
        <Dialog title={t("own.choose")} onClose={dismiss}>
          <ProblemBox fault={fault(problem)} />
        </Dialog>
      )}
      {noting && <NoteDialog onClose={() => setNoting(false)} />}
    </div>
  );
}

const NOTE_MOST = 500;

function NoteDialog({ onClose }: { onClose(): void }) {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const own = client.own.get();
  const [note, setNote] = useState(own.note ?? "");
  const [away, setAway] = useState(Boolean(own.out_of_office));
  const [awayNote, setAwayNote] = useState(own.out_of_office?.note ?? "");
  const { attempt, problem, busy } = useAttempt();
  const save = async () => {
    const oof = away ? { ...own.out_of_office, note: awayNote.trim() } : null;
    if (await attempt(() => client.setNote(note.trim() || null, oof))) onClose();
  };
  return (
    <Dialog title={t("own.note.title")} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {problem && <ProblemBox fault={fault(problem)} />}
        <Field label={t("own.note.label")} hint={t("own.note.hint")} value={note} maxLength={NOTE_MOST} autoFocus onChange={(e) => setNote(e.target.value)} />
        <Switch label={t("own.oof")} hint={t("own.oof.hint")} on={away} onChange={setAway} />
        {away && <Field label={t("own.oof.label")} value={awayNote} maxLength={NOTE_MOST} onChange={(e) => setAwayNote(e.target.value)} />}
        <footer>
          <Button onClick={onClose}>{t("shared.cancel")}</Button>
          <Button kind="primary" type="submit" disabled={busy}>
            {t("shared.save")}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
