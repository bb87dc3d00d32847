// How busy a process was: a few figures a second, told once for all of its
// calls. Text of the attribute `framescope.load` on a span `process.load`, whose
// start and end are the interval: one of figures as they are, or several seconds
// side by side, where a figure that stays the same is told once.
//
//   {"toMs":[1001,2002],"calls":3,"lagMaxUs":[210,1240],"busy":[0.02,0.031],"rssMb":91,"waiting":{"llm":[0,2]}}

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

/** Figures of a piece of the span: up to so many ms after its start. */
export interface LoadPiece {
  /** Absent: up to the end of the span. */
  readonly toMs?: number;
  readonly figures: LoadFigures;
}

/** Told in these units where seconds stand side by side, rounded: a figure has few digits. */
const PACKED = {
  calls: ['calls', 1],
  lagMaxNs: ['lagMaxUs', 1e3],
  lagMeanNs: ['lagMeanUs', 1e3],
  busy: ['busy', 0],
  cpu: ['cpu', 0],
  rssBytes: ['rssMb', 2 ** 20],
} as const satisfies Record<(typeof NUMBERS)[number], readonly [string, number]>;
/** Seconds of one text. */
export const LOAD_PIECES_MAX = 60;

type Told = number | null;

/** The text of several pieces, in their order; at most LOAD_PIECES_MAX. */
export function encodeLoad(pieces: readonly Required<LoadPiece>[]): string {
  const text: Record<string, unknown> = { toMs: pieces.map(({ toMs }) => Math.round(toMs)) };
  const put = (into: Record<string, unknown>, name: string, values: readonly Told[]): void => {
    if (values.some(value => value !== null))
      into[name] = values.every(value => value === values[0]) ? values[0] : values;
  };
  for (const name of NUMBERS) {
    const [key, unit] = PACKED[name];
    put(
      text,
      key,
      pieces.map(({ figures }) => packed(figures[name], unit)),
    );
  }
  const queues = new Set(pieces.flatMap(({ figures }) => Object.keys(figures.waiting ?? {})));
  const waiting: Record<string, unknown> = {};
  for (const queue of queues)
    put(
      waiting,
      queue,
      pieces.map(({ figures }) => figures.waiting?.[queue] ?? null),
    );
  return JSON.stringify(queues.size === 0 ? text : { ...text, waiting });
}

const packed = (value: number | undefined, unit: number): Told =>
  value === undefined ? null : unit === 0 ? value : Math.round(value / unit);

/** Reads `framescope.load`; what is not known is of a newer sender, and left out. Never throws. */
export function decodeLoad(text: unknown, path: string): Decoded<readonly LoadPiece[]> {
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
  const from = raw as Readonly<Record<string, unknown>>;
  if (from['toMs'] !== undefined) return piecesOf(from, path);
  const figures = figuresOf(from, path);
  return figures.ok ? decoded([{ figures: figures.value }]) : figures;
}

function piecesOf(
  from: Readonly<Record<string, unknown>>,
  path: string,
): Decoded<readonly LoadPiece[]> {
  const ends = from['toMs'];
  const isAscending =
    Array.isArray(ends) &&
    ends.length > 0 &&
    ends.length <= LOAD_PIECES_MAX &&
    ends.every((end, i) => isFigure(end) && end > (i === 0 ? 0 : ends[i - 1]));
  if (!isAscending)
    return rejected(`${path}.toMs`, `expected 1 to ${LOAD_PIECES_MAX} ascending times in ms`);
  const waiting = from['waiting'] ?? {};
  if (typeof waiting !== 'object') return rejected(`${path}.waiting`, 'expected an object');
  const pieces: LoadPiece[] = [];
  for (const [i, toMs] of (ends as readonly number[]).entries()) {
    const one: Record<string, unknown> = {
      waiting: pick(waiting as Record<string, unknown>, i, key => [key, 1]),
      ...pick(from, i, key => UNPACKED.get(key)),
    };
    const figures = figuresOf(one, path);
    if (!figures.ok) return figures;
    pieces.push({ toMs, figures: figures.value });
  }
  return decoded(pieces);
}

const UNPACKED: ReadonlyMap<string, readonly [string, number]> = new Map(
  NUMBERS.map(name => [PACKED[name][0], [name, PACKED[name][1]]]),
);

/** What holds for the `at`-th piece, by the names and in the units of `nameOf`. */
function pick(
  from: Readonly<Record<string, unknown>>,
  at: number,
  nameOf: (key: string) => readonly [string, number] | undefined,
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const [key, told] of Object.entries(from)) {
    const [name, unit] = nameOf(key) ?? [];
    const value: unknown = Array.isArray(told) ? told[at] : told;
    if (name === undefined || value === null) continue;
    picked[name] = typeof value === 'number' ? value * (unit || 1) : value;
  }
  return picked;
}

function figuresOf(from: Readonly<Record<string, unknown>>, path: string): Decoded<LoadFigures> {
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
