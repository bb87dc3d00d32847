// The key by which a hop is known in a session.
//
//   mic.agent/receive          stream . role / name
//   mic.agent/receive#2        the second of that name in its process
//   mic.agent/receive@pod-7    which instance ran it

import type { HopName } from './frame-block.types.ts';

/** What a hop key says. */
export interface HopPlace {
  readonly stream: string;
  readonly role: string;
  readonly name: string;
  /** 0 for the first of that name in its process. */
  readonly nth: number;
  readonly instance?: string;
}

/** `agent/receive`, `agent/receive#2`: a hop within its stream, as `after` names it. */
export function hopPath(hop: Pick<HopName, 'role' | 'name' | 'nth'>): string {
  const suffix = hop.nth > 0 ? `#${hop.nth + 1}` : '';
  return `${escaped(hop.role, './@#')}/${escaped(hop.name, '@#')}${suffix}`;
}

/** Unique in a session. Characters that would be read as separators are percent-encoded. */
export function hopKey(place: HopPlace): string {
  const at = place.instance === undefined ? '' : `@${place.instance}`;
  return `${escaped(place.stream, '/@')}.${hopPath(place)}${at}`;
}

/** The inverse of `hopKey`; `undefined` for text that is no key. */
export function parseHopKey(key: string): HopPlace | undefined {
  const at = key.indexOf('@');
  const path = at < 0 ? key : key.slice(0, at);
  const slash = path.indexOf('/');
  const dot = path.lastIndexOf('.', slash);
  if (slash < 0 || dot < 0) return undefined;
  const [name = '', count] = path.slice(slash + 1).split('#', 2);
  const nth = count === undefined ? 0 : Number(count) - 1;
  if (!Number.isSafeInteger(nth) || nth < 0) return undefined;
  const place = {
    stream: unescaped(path.slice(0, dot)),
    role: unescaped(path.slice(dot + 1, slash)),
    name: unescaped(name),
    nth,
  };
  return at < 0 ? place : { ...place, instance: key.slice(at + 1) };
}

function escaped(text: string, separators: string): string {
  let out = '';
  for (const char of text)
    out +=
      char === '%' || separators.includes(char)
        ? `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
        : char;
  return out;
}

const unescaped = (text: string): string =>
  text.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
