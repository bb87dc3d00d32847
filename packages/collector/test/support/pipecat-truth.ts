// What a scripted Pipecat call really did, by the log of its local services
// (examples/pipecat), and how far a ledger is from it.

import type { Turn, Wait } from '@framescope/protocol';

/** One line of the log; seconds of the Unix clock. */
export interface Deed {
  readonly what: string;
  readonly at: number;
  readonly [key: string]: unknown;
}

/** One exchange as it was: the wait's parts in ms, and what became of it. */
export interface Truth {
  /** Only those that the log tells; `tool` and `inference` are sums. */
  readonly parts: Readonly<Record<string, number>>;
  /** By part, and for the `wait`: the moments between which it lies and at which they were told, s of the Unix clock. */
  readonly edges: Readonly<Record<string, readonly number[]>>;
  /** End of speech by the VAD → first frame written. Undefined: never answered. */
  readonly waitMs: number | undefined;
  /** ± of the VAD: between the caller's silence and the VAD's end of speech. */
  readonly vadErrorMs: number;
  readonly hasFiller: boolean;
}

export function truthOf(log: readonly Deed[]): Truth[] {
  const starts = log.flatMap((deed, i) => (deed.what === 'exchange' ? [i] : []));
  return starts.map((from, n) => exchangeTruth(log.slice(from, starts[n + 1] ?? log.length)));
}

function exchangeTruth(deeds: readonly Deed[]): Truth {
  const all = (what: string): Deed[] => deeds.filter(deed => deed.what === what);
  const first = (what: string): Deed | undefined => all(what)[0];
  const ms = (from: number | undefined, to: number | undefined): number | undefined =>
    from === undefined || to === undefined ? undefined : (to - from) * 1_000;
  const vad = first('vad_stopped');
  const speechEnd = vad?.['speech_end'] as number | undefined;
  // An exchange that interrupts hears the rest of the one before.
  const spoken = first('tts_asked');
  const sent = deeds.find(deed => deed.what === 'first_frame' && deed.at > (vad?.at ?? Infinity));
  const hasFiller = first('filler') !== undefined;
  const asked = all('llm_asked');
  const isBefore = (deed: Deed): boolean => spoken === undefined || deed.at <= spoken.at;
  const generations = asked.filter(isBefore).map(deed => {
    const end = deeds.find(
      one => one.at > deed.at && one.what === (deed['tool'] === true ? 'tool_called' : 'llm_first'),
    );
    return [deed.at, end?.at] as const;
  });
  const speakable = asked.findLast(deed => isBefore(deed) && deed['tool'] !== true);
  // With the hand-over to the tool and back: Pipecat's spans tell neither end of the tool itself.
  const tool =
    hasFiller || first('tool_ended') === undefined
      ? undefined
      : ms(first('tool_called')?.at, speakable?.at);
  const firstToken = deeds.find(
    deed => deed.what === 'llm_first' && deed.at > (speakable?.at ?? Infinity),
  );
  const parts = {
    transcription: ms(speechEnd, first('transcript')?.at),
    inference: sum(generations.map(([from, to]) => ms(from, to))),
    tool,
    aggregation: hasFiller ? undefined : ms(firstToken?.at, spoken?.at),
    synthesis: ms(spoken?.at, first('tts_first')?.at),
    delivery: ms(first('tts_first')?.at, sent?.at),
  };
  // The end of speech is told where the VAD is sure of it.
  const told = [speechEnd, vad?.at];
  const edges = {
    transcription: [...told, first('transcript')?.at],
    inference: generations.flat(),
    tool: [first('tool_called')?.at, speakable?.at],
    aggregation: [firstToken?.at, spoken?.at],
    synthesis: [spoken?.at, first('tts_first')?.at],
    delivery: [first('tts_first')?.at, sent?.at],
    wait: [...told, sent?.at],
  };
  return {
    edges: Object.fromEntries(
      Object.entries(edges).map(([name, at]) => [name, at.filter(one => one !== undefined)]),
    ),
    parts: Object.fromEntries(
      Object.entries(parts).filter((entry): entry is [string, number] => entry[1] !== undefined),
    ),
    waitMs: ms(speechEnd, sent?.at),
    vadErrorMs: ms(first('caller_silent')?.at, speechEnd) ?? 0,
    hasFiller,
  };
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  let total = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    total += value;
  }
  return values.length === 0 ? undefined : total;
}

/** Sum of each part, ms. */
export function partsOf(wait: Wait): Record<string, number> {
  const parts: Record<string, number> = {};
  for (const { name, exposedNs } of wait.parts) parts[name] = (parts[name] ?? 0) + exposedNs / 1e6;
  return parts;
}

/** The part that cost most, with its owner. */
export const worstOf = (wait: Wait): string => {
  const worst = wait.parts.reduce((a, b) => (b.exposedNs > a.exposedNs ? b : a));
  return `${worst.name} [${worst.owner}]`;
};

/** Each difference from the truth, ms, by name; parts that the ledger merged are left out. */
export function errorsOf(wait: Wait, truth: Truth): Record<string, number> {
  const parts = partsOf(wait);
  const errors: Record<string, number> = {};
  for (const [name, trueMs] of Object.entries(truth.parts))
    if (parts[name] !== undefined) errors[name] = parts[name] - trueMs;
  if (truth.waitMs !== undefined && wait.definition === 'framework')
    errors['wait'] = wait.waitNs / 1e6 - truth.waitMs;
  return errors;
}

/**
 * From the first token to the first frame out. In fixtures captured before the local voice waited between two pieces
 * of sound, Pipecat saw the first of them only when the whole answer was queued: there the three are right together.
 */
export const SPEAKING: readonly string[] = [
  'aggregation',
  'synthesis',
  'delivery',
  'synthesis+delivery',
];

/** `errorsOf`, with those three in one: `speaking`. */
export function sureErrorsOf(wait: Wait, truth: Truth): Record<string, number> {
  const parts = partsOf(wait);
  const sum = (of: Readonly<Record<string, number>>): number =>
    SPEAKING.reduce((all, name) => all + (of[name] ?? 0), 0);
  const errors = Object.entries(errorsOf(wait, truth)).filter(([name]) => !SPEAKING.includes(name));
  const isSpoken = truth.waitMs !== undefined && !truth.hasFiller;
  return {
    ...Object.fromEntries(errors),
    ...(isSpoken && { speaking: sum(parts) - sum(truth.parts) }),
  };
}

/** Response waits of all turns, in order. */
export const responsesOf = (turns: readonly Turn[]): Wait[] =>
  turns.flatMap(turn => turn.waits.filter(wait => wait.kind === 'response'));

/** Share of all waits that has one owner. */
export function resolvedOf(waits: readonly Wait[]): number {
  const total = waits.reduce((all, wait) => all + wait.waitNs, 0);
  return waits.reduce((all, wait) => all + wait.waitNs * wait.resolved, 0) / total;
}
