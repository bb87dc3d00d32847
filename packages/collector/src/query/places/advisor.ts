// GET /api/v1/advisor: what other buffers, frames and pieces would have done to
// calls that are stored. Nothing is assumed of the line: its arrivals are replayed.

import type { Advice, AdviceKind, Filter } from '@framescope/protocol';
import { chooseRange } from '../measure-range.ts';
import type { MeasureRange, QueryContext } from '../queries.types.ts';
import { sessionFrames } from '../session-frames.ts';
import { adviseBuffer, bufferCase, type BufferCase } from './advise-buffer.ts';
import { adviseCut, cutCase, type CutCase } from './advise-cut.ts';
import { adviseSentence, sentenceCases } from './advise-sentence.ts';
import { placedSessions } from './placed-sessions.ts';

/** Calls whose frames are read: a tenth of a second each. */
const CALLS_MAX = 24;

export interface AdvisorAsked extends MeasureRange {
  readonly what: AdviceKind;
  readonly session?: string;
  readonly filter?: Filter;
}

export async function advisor(
  context: QueryContext,
  asked: AdvisorAsked,
): Promise<Advice | undefined> {
  const { reader } = context;
  const keys = await keysOf(context, asked);
  if (keys === undefined) return undefined;
  if (asked.what === 'sentence') {
    const cases = [];
    for (const key of keys) {
      const { items } = await reader.turns(key, { limit: 500 });
      cases.push(...sentenceCases(key, items));
    }
    return adviseSentence(cases);
  }
  const buffers: BufferCase[] = [];
  const cuts: CutCase[] = [];
  for (const key of keys) {
    const frames = await sessionFrames(context, key);
    if (frames === undefined) continue;
    if (asked.what === 'jitter_buffer') buffers.push(...bufferCase(key, frames.streams));
    else cuts.push(...cutCase(key, frames.streams, asked.what));
  }
  return asked.what === 'jitter_buffer' ? adviseBuffer(buffers) : adviseCut(cuts, asked.what);
}

async function keysOf(
  context: QueryContext,
  { session, filter, ...range }: AdvisorAsked,
): Promise<string[] | undefined> {
  if (session !== undefined)
    return (await context.reader.session(session)) === undefined ? undefined : [session];
  const chosen = await chooseRange(context, range);
  const { items } = await placedSessions(context.reader, chosen, filter, CALLS_MAX);
  return items.map(one => one.detail.key);
}
