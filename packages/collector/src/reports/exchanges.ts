// A transcript as turns: a user's words, one piece or several, and the answer to them. What
// an agent says first, or again without being spoken to, is a turn of its own.

import type { ReportedSpeech } from './report.types.ts';

/** One entry of a transcript. */
export interface Said {
  readonly who: 'user' | 'agent';
  readonly speech: ReportedSpeech;
}

export interface Exchange<T extends Said> {
  readonly user: readonly T[];
  readonly agent: readonly T[];
}

/** In the order of the transcript. */
export function exchangesOf<T extends Said>(said: readonly T[]): Exchange<T>[] {
  const exchanges: { user: T[]; agent: T[] }[] = [];
  let before: T['who'] | undefined;
  for (const one of said) {
    const isNew = before === undefined || (one.who === 'user' && before === 'agent');
    if (isNew) exchanges.push({ user: [], agent: [] });
    exchanges.at(-1)![one.who].push(one);
    before = one.who;
  }
  return exchanges;
}

/** Several pieces of one side as one: from the first start to the last end. */
export function joinedSpeech(pieces: readonly Said[]): ReportedSpeech | undefined {
  if (pieces.length === 0) return undefined;
  const text = pieces.flatMap(({ speech }) => speech.text ?? []).join(' ');
  const starts = pieces.flatMap(({ speech }) => speech.startMs ?? []);
  const ends = pieces.flatMap(({ speech }) => speech.endMs ?? []);
  return {
    ...(text !== '' && { text }),
    ...(starts.length > 0 && { startMs: Math.min(...starts) }),
    ...(ends.length > 0 && { endMs: Math.max(...ends) }),
  };
}

/** Exchanges in which the agent answered a user: those that have a latency. */
export const answeredOf = <T extends Said>(all: readonly Exchange<T>[]): Exchange<T>[] =>
  all.filter(({ user, agent }) => user.length > 0 && agent.length > 0);
