// Names of hops: the standard roles and hop names with their wire codes, and
// the key by which a hop is known in a session.
//
//   mic.agent/receive          stream . role / name
//   mic.agent/receive#2        the second of that name in its process
//   mic.agent/receive@pod-7    which instance ran it
//
// Tables are append-only: a code once sent keeps its meaning for ever.

import type { HopName } from './frame-block.types.ts';

/** Wire codes of roles. 0 on the wire means: the name follows as a string. */
export const ROLE = { client: 1, edge: 2, agent: 3 } as const;

/** Wire codes of hop names. 0 on the wire means: the name follows as a string. */
export const HOP = {
  capture: 1,
  encode: 2,
  send: 3,
  receive: 4,
  jitter_buffer: 5,
  decode: 6,
  vad: 7,
  stt: 8,
  tts: 9,
  playout: 10,
  regroup: 11,
} as const;

export type StandardRole = keyof typeof ROLE;
export type StandardHop = keyof typeof HOP;

const invert = (table: Readonly<Record<string, number>>): readonly (string | undefined)[] => {
  const names: string[] = [];
  for (const [name, code] of Object.entries(table)) names[code] = name;
  return names;
};
const ROLE_NAMES = invert(ROLE);
const HOP_NAMES = invert(HOP);

/** 0 for a name of the user's own. */
export const roleCode = (role: string): number => codeIn(ROLE, role);
export const hopCode = (name: string): number => codeIn(HOP, name);
export const roleOfCode = (code: number): string | undefined => ROLE_NAMES[code];
export const hopOfCode = (code: number): string | undefined => HOP_NAMES[code];

const codeIn = (table: Readonly<Record<string, number>>, name: string): number =>
  Object.hasOwn(table, name) ? table[name]! : 0;

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
