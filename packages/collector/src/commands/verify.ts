// framescope verify: the silences of a two-channel recording, by energy, against the ledgers of
// a session. The two know nothing of each other but their order in time, so that a ledger which
// is wrong has no way to be right here.

import { readFileSync } from 'node:fs';
import type { Page, Turn, Wait } from '@framescope/protocol';
import { gapsOf, type Gap } from '../files/recording-gaps.ts';
import { readWav, WavProblem } from '../files/wav.ts';
import type { Api } from './api.ts';
import type { Done } from './commands.ts';
import { keyOf } from './export.ts';

export interface VerifyOptions {
  readonly file: string;
  readonly session: string;
  /** By how much a gap and its ledger may differ beyond the ledger's own ±, ms. */
  readonly toleranceMs: number;
}

/** An energy window and the ramp of a voice: how well a gap is seen in a recording. */
const ENERGY_ERROR_MS = 20;
/** A gap belongs to a wait when both ends lie this near, once the two are laid over each other. */
const NEAR_S = 0.4;

export async function verify(api: Api, options: VerifyOptions): Promise<Done> {
  const { file, session, toleranceMs } = options;
  const recording = read(file);
  if (typeof recording === 'string')
    return { lines: [], errors: [`${file} ${recording}`], code: 2 };
  const gaps = gapsOf(recording);
  const waits = await waitsOf(api, await keyOf(api, session));
  if (gaps.length === 0 || waits.length === 0) {
    const why =
      gaps.length === 0
        ? 'no silence between the two in the recording'
        : 'no answered wait in the session';
    return { lines: [], errors: [`nothing to compare: ${why}`], code: 3 };
  }
  const pairs = pairUp(gaps, waits);
  const isWithin = ({ gap, wait }: Pair): boolean =>
    Math.abs(offMs(gap, wait)) <= toleranceMs + wait.errorNs / 1e6 + ENERGY_ERROR_MS;
  const lines = [
    '  recording     ledger       ±      off  taken',
    ...pairs.map(pair => lineOf(pair, isWithin(pair))),
    `${pairs.length} of ${gaps.length} silences of the recording and ${waits.length} answered waits belong together; ` +
      `${pairs.filter(isWithin).length} within ${toleranceMs} ms beyond the error of both`,
  ];
  const code = pairs.length === 0 ? 3 : pairs.every(isWithin) ? 0 : 1;
  return { lines, errors: [], code };
}

function read(file: string): ReturnType<typeof readWav> | string {
  try {
    return readWav(readFileSync(file));
  } catch (problem) {
    if (problem instanceof WavProblem) return problem.message;
    return problem instanceof Error ? `cannot be read: ${problem.message}` : String(problem);
  }
}

const ANSWERED = new Set(['answered', 'filler_only', 'interrupted_after']);

async function waitsOf(api: Api, key: string): Promise<Wait[]> {
  const waits: Wait[] = [];
  let cursor = '';
  do {
    const page = (await api.get(`/api/v1/sessions/${key}/turns?limit=500${cursor}`)) as Page<Turn>;
    for (const turn of page.items)
      waits.push(...turn.waits.filter(one => one.kind === 'response' && ANSWERED.has(one.outcome)));
    cursor = page.nextCursor === null ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`;
  } while (cursor !== '');
  return waits.toSorted((a, b) => a.startNs - b.startNs);
}

export interface Pair {
  readonly gap: Gap;
  readonly wait: Wait;
}

/**
 * A recording starts when somebody pressed a button: it is laid over the session where most of its
 * gaps meet waits, and of those places where they meet best.
 */
export function pairUp(gaps: readonly Gap[], waits: readonly Wait[]): Pair[] {
  let best: { pairs: Pair[]; offS: number } = { pairs: [], offS: Infinity };
  for (const gap of gaps)
    for (const wait of waits) {
      const pairs = pairsAt(wait.startNs / 1e9 - gap.fromS, gaps, waits);
      const offS = pairs.reduce((sum, pair) => sum + Math.abs(offMs(pair.gap, pair.wait)), 0);
      const isBetter =
        pairs.length > best.pairs.length ||
        (pairs.length === best.pairs.length && offS < best.offS);
      if (isBetter) best = { pairs, offS };
    }
  return best.pairs;
}

function pairsAt(shiftS: number, gaps: readonly Gap[], waits: readonly Wait[]): Pair[] {
  return gaps.flatMap(gap => {
    const wait = waits.find(
      one =>
        Math.abs(one.startNs / 1e9 - gap.fromS - shiftS) < NEAR_S &&
        Math.abs((one.startNs + one.waitNs) / 1e9 - gap.toS - shiftS) < 2 * NEAR_S,
    );
    return wait === undefined ? [] : [{ gap, wait }];
  });
}

/** The ledger's wait minus the recording's. */
const offMs = (gap: Gap, wait: Wait): number => wait.waitNs / 1e6 - (gap.toS - gap.fromS) * 1_000;

function lineOf({ gap, wait }: Pair, isWithin: boolean): string {
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  const recorded = ms((gap.toS - gap.fromS) * 1_000).padStart(9);
  const ledger = ms(wait.waitNs / 1e6).padStart(9);
  const error = ms(wait.errorNs / 1e6).padStart(6);
  const off = offMs(gap, wait);
  const signed = `${off < 0 ? '' : '+'}${off.toFixed(0)} ms`.padStart(8);
  const place = `at ${gap.fromS.toFixed(1)} s, ${wait.definition}`;
  return `  ${recorded}  ${ledger}  ${error} ${signed}  ${place}${isWithin ? '' : '  DIFFERS'}`;
}
