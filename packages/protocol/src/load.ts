// How busy a process was: a few figures a second, told once for all of its
// calls. Text of the attribute `framescope.load` on a span `process.load`, whose
// start and end are the interval.

import { decoded, rejected, type Decoded } from './result.ts';

/** Name of the spans. */
export const LOAD_SPAN = 'process.load';

/** Of one interval, a second as a rule. What a platform cannot tell is absent. */
export interface LoadFigures {
  /** Sessions that are open in the process. */
  readonly calls?: number;
  /** How much later than asked the event loop came to its timers, ns. */
  readonly lagMaxNs?: number;
  readonly lagMeanNs?: number;
  /** Share 0–1 of the time in which the event loop was not waiting for work. */
  readonly busy?: number;
  /** CPU of the process, in cores. */
  readonly cpu?: number;
  readonly rssBytes?: number;
  /** What waits, by the queue's name: the most that did in the interval. */
  readonly waiting?: Readonly<Record<string, number>>;
}

/** A text longer than this is not ours. */
const TEXT_MAX = 8_192;
const NAME_MAX = 100;
/** Queues told of by one process. */
export const QUEUES_MAX = 32;

const NUMBERS = ['calls', 'lagMaxNs', 'lagMeanNs', 'busy', 'cpu', 'rssBytes'] as const;

/** Reads `framescope.load`; what is not known is of a newer sender, and left out. Never throws. */
export function decodeLoad(text: unknown, path: string): Decoded<LoadFigures> {
  if (typeof text !== 'string') return rejected(path, `expected JSON text, got ${typeof text}`);
  if (text.length > TEXT_MAX)
    return rejected(path, `${text.length} characters: at most ${TEXT_MAX}`);
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return rejected(path, 'is not JSON');
  }
  if (typeof raw !== 'object' || raw === null) return rejected(path, 'expected an object');
  const from = raw as Record<string, unknown>;
  const figures: Record<string, number | Record<string, number>> = {};
  for (const name of NUMBERS) {
    const value = from[name];
    if (value === undefined) continue;
    if (!isFigure(value)) return rejected(`${path}.${name}`, 'expected a number of 0 or more');
    figures[name] = value;
  }
  const waiting = waitingOf(from['waiting']);
  if (waiting === undefined) return rejected(`${path}.waiting`, 'expected numbers of 0 or more');
  if (Object.keys(waiting).length > 0) figures['waiting'] = waiting;
  return decoded(figures as unknown as LoadFigures);
}

const isFigure = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

function waitingOf(raw: unknown): Record<string, number> | undefined {
  if (raw === undefined) return {};
  if (typeof raw !== 'object' || raw === null) return undefined;
  const entries = Object.entries(raw).slice(0, QUEUES_MAX);
  if (!entries.every((entry): entry is [string, number] => isFigure(entry[1]))) return undefined;
  return Object.fromEntries(entries.map(([name, depth]) => [name.slice(0, NAME_MAX), depth]));
}
