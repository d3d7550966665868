/** As much of a test runner as these tests need; it runs in Node and in a page. */

interface Case {
  name: string;
  body: () => void | Promise<void>;
}
export interface Result {
  name: string;
  /** Nothing when it held. */
  fault?: string;
}

const cases: Case[] = [];
const LONGEST_MS = 10_000;

export function test(name: string, body: Case["body"]): void {
  cases.push({ name, body });
}

/** Compares whole values. */
export function equal<V>(found: V, expected: V, about = ""): void {
  const [a, b] = [show(found), show(expected)];
  if (a !== b) throw new Error(`${about ? `${about}: ` : ""}found ${a}, expected ${b}`);
}

export function holds(condition: unknown, about: string): asserts condition {
  if (!condition) throw new Error(about);
}

function show(value: unknown): string {
  const plain = (_: string, v: unknown): unknown => (v instanceof Map ? [...v] : v instanceof Set ? [...v] : v && typeof v === "object" && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).filter(([, x]) => x !== undefined).sort()) : v);
  return JSON.stringify(value, plain) ?? String(value);
}

export async function run(): Promise<Result[]> {
  const results: Result[] = [];
  for (const { name, body } of cases) {
    const late = new Promise<never>((_, stop) => setTimeout(() => stop(new Error(`not done after ${LONGEST_MS} ms`)), LONGEST_MS));
    const result = await Promise.race([Promise.resolve().then(body), late]).then(
      (): Result => ({ name }),
      (error: unknown): Result => ({ name, fault: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
    results.push(result);
  }
  return results;
}

/** One line for each case, the count as the last; whether all held. */
export function report(results: Result[], print: (line: string) => void): boolean {
  for (const { name, fault } of results) print(fault ? `FAIL ${name} ${fault}` : `ok ${name}`);
  const failed = results.filter((r) => r.fault).length;
  print(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 && results.length > 0;
}
