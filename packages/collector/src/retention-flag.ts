// `--retention frames=7d,spans=30d,turns=400d,recordings=1d` → ages in nanoseconds.

import type { Retention } from './store/store.ts';

const SECOND_NS = 1_000_000_000n;
const UNITS: Readonly<Record<string, bigint>> = {
  s: SECOND_NS,
  m: 60n * SECOND_NS,
  h: 3_600n * SECOND_NS,
  d: 86_400n * SECOND_NS,
};

const FIELDS: Readonly<Record<string, keyof Retention>> = {
  frames: 'framesNs',
  spans: 'spansNs',
  turns: 'turnsNs',
  recordings: 'recordingsNs',
};

/** Reads the flag's value; a text says what is wrong with it. */
export function readRetention(text: string): Retention | string {
  const ages: Partial<Record<keyof Retention, bigint>> = {};
  for (const part of text.split(',')) {
    const match = /^\s*([a-z]+)\s*=\s*(\d{1,6})\s*([smhd])\s*$/.exec(part);
    const field = match ? FIELDS[match[1]!] : undefined;
    if (!match || field === undefined)
      return `"${part.trim()}" is not KIND=AGE, e.g. frames=7d; kinds are ${Object.keys(FIELDS).join(', ')}, ages like 90m, 12h, 30d`;
    if (ages[field] !== undefined) return `${match[1]} is given twice`;
    const ageNs = BigInt(match[2]!) * UNITS[match[3]!]!;
    if (ageNs === 0n) return `${match[1]}=0 would delete what just came`;
    ages[field] = ageNs;
  }
  return ages;
}
