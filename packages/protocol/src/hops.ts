// Names of hops: the standard roles and hop names with their wire codes.
// Tables are append-only: a code once sent keeps its meaning for ever.

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
