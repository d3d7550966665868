/** XML as the browser reads it: namespaces count, prefixes do not. What is no XML is nothing. */

import { document } from "./trusted";

/** Longest body that is looked at; the server sends less. */
const LONGEST = 1_000_000;

export function parse(text: string): Element | undefined {
  if (text.length > LONGEST) return undefined;
  const read = document(text, "application/xml");
  const root = read.documentElement;
  return root && read.getElementsByTagName("parsererror").length === 0 ? root : undefined;
}

export const children = (of: Element, local: string): Element[] => [...of.children].filter((child) => child.localName === local);
export const child = (of: Element, local: string): Element | undefined => children(of, local)[0];
export const within = (of: Element, namespace: string, local: string): Element | undefined => of.getElementsByTagNameNS(namespace, local)[0];
export const textOf = (element: Element | undefined): string | undefined => element?.textContent?.trim() || undefined;
export const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
