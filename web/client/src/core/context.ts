/** The signed-in client, and the catalogue, for the parts of the page. */
import { createContext, useContext, useEffect, useState } from "react";
import { useWords } from "@shared/text";
import { problemOf } from "../api/api";
import type { Problem } from "../api/types";
import type { Fault } from "@shared/states";
import type { Client } from "./client";
import { useStore } from "./store";

export const ClientContext = createContext<Client | undefined>(undefined);

export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error("used outside of the workspace");
  return client;
}

/** A problem in the reader's words, where the catalogue has some for its code; else in the server's. */
export function useFault(): (problem: Problem) => Fault {
  const { t } = useWords();
  return (problem) => {
    const word = (part: "what" | "fix") => {
      const key = `error.${problem.code}.${part}`;
      const text = t(key);
      return text === key ? undefined : text;
    };
    const sip = problem.code.startsWith("sip-") || problem.code.startsWith("http-");
    return {
      code: problem.code,
      status: problem.status,
      where: problem.where,
      what: word("what") ?? (sip || problem.what === "" ? t("error.unknown.what", { status: problem.status, reason: problem.what }) : problem.what),
      fix: word("fix") ?? (problem.fix || t("error.unknown.fix")),
    };
  };
}

/** Calls what may be refused, and holds the refusal for the page to show. */
export function useAttempt() {
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const attempt = async (act: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await act();
      return true;
    } catch (error) {
      setProblem(problemOf(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { attempt, problem, busy, dismiss: () => setProblem(undefined) };
}

/** The present minute: what says "5 minutes ago" must not stand still. */
export function useMinute(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function useView(address: string) {
  return useStore(useClient().presence.state, (state) => state.of.get(address));
}

/** What somebody is called; changes when contacts or the directory say more. */
export function useName(address: string): string {
  const client = useClient();
  useStore(client.contacts.state, (state) => state.list);
  useStore(client.people, (people) => people.get(address));
  return client.nameOf(address);
}
