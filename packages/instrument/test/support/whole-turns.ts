// Live state with its turns made whole again, as the collector makes them of what
// one process tells: whole at first, then by what changed.

import { changed, type StateMessage, type TurnState } from '@framescope/protocol';

/** The same messages; `turns` holds each turn that a message tells of, as it then is. */
export function wholeTurns(messages: readonly StateMessage[]): StateMessage[] {
  const last = new Map<string, TurnState>();
  return messages.map(message => {
    const { turns = [], changes = [], ...rest } = message;
    const after = changes.map(({ stream, tick, base, rev, set }) => {
      const before = last.get(`${stream} ${tick}`);
      if (before?.rev !== base) throw new Error(`a change of rev ${base}, told was ${before?.rev}`);
      return { ...(changed(before, set) as TurnState), rev };
    });
    const told = [...turns, ...after];
    for (const turn of told) last.set(`${turn.stream} ${turn.tick}`, turn);
    return { ...rest, ...(told.length > 0 ? { turns: told } : {}) };
  });
}
