// A wait with its parts in columns, as the engine adds them up.

import { isFeature } from '../../rollup/turn-features.ts';
import type { ValueRow } from '../store.ts';

/**
 * Parts that have a column of their own (`p_<name>`); others stand in a map. A list apart from the ledger's: columns
 * stay as the table was made when the ledger gains a name.
 */
export const PART_COLUMNS = [
  'signalling',
  'ice',
  'dtls',
  'dispatch',
  'cold_start',
  'uplink',
  'endpointing',
  'transcription',
  'preparation',
  'inference',
  'tool',
  'failed_attempt',
  'aggregation',
  'synthesis',
  'floor',
  'delivery',
  'leading_silence',
  'downlink',
  'jitter_buffer',
  'playout',
  'unattributed',
] as const;

const COLUMNS: ReadonlySet<string> = new Set(PART_COLUMNS);
const PART = 'part.';
const HOUR_NS = 3_600_000_000_000n;

/** What a row is known by. */
export interface WaitName {
  readonly measure: string;
  readonly hour: number;
  readonly session_key: string;
  readonly tick: string;
  readonly wait_index: number;
}

export const waitNameText = (one: WaitName): string =>
  `${one.measure}\n${one.hour}\n${one.session_key}\n${one.tick}\n${one.wait_index}`;

export const hourOf = (atUnixNs: bigint): number => Number(atUnixNs / HOUR_NS);

/** True for the length of a wait by a definition; not for its parts or what its turn was made with. */
export const isWaitMeasure = (measure: string): boolean =>
  !measure.startsWith(PART) && !isFeature(measure);

/** A row for each wait and definition of one turn. */
export function waitRows(
  values: readonly ValueRow[],
  of: { readonly row: string; readonly version: number },
): (WaitName & object)[] {
  const parts = new Map<number, Record<string, number>>();
  for (const one of values) {
    if (!one.measure.startsWith(PART)) continue;
    let own = parts.get(one.waitIndex);
    if (own === undefined) parts.set(one.waitIndex, (own = {}));
    own[one.measure.slice(PART.length)] = one.valueNs;
  }
  return values
    .filter(one => isWaitMeasure(one.measure))
    .map(one => ({
      measure: one.measure,
      hour: hourOf(one.atUnixNs),
      session_key: one.sessionKey,
      session_row: of.row,
      tick: String(one.tick),
      wait_index: one.waitIndex,
      at: String(one.atUnixNs),
      value: one.valueNs,
      known: parts.has(one.waitIndex) ? 1 : 0,
      ...partColumns(parts.get(one.waitIndex) ?? {}),
      version: of.version,
    }));
}

function partColumns(parts: Readonly<Record<string, number>>): object {
  const others: Record<string, number> = {};
  const columns: Record<string, number | object> = {};
  for (const [name, ns] of Object.entries(parts))
    if (COLUMNS.has(name)) columns[`p_${name}`] = ns;
    else others[name] = ns;
  return Object.keys(others).length === 0 ? columns : { ...columns, others };
}
