// A framework's spans and frames of our own instrument, of one call: one session, one ledger.

import { expect, test } from 'vitest';
import { joinTurns } from '../../../src/assemble/turns/join-turns.ts';
import { SessionClocks } from '../../../src/assemble/clock/session-clocks.ts';
import type { TurnFacts } from '../../../src/assemble/session-data.ts';
import type { SourceName } from '../../../src/recognise/source.types.ts';

const clocks = new SessionClocks();
const key = clocks.note({ domain: 'a'.repeat(16), epoch: 0, zeroUnixNs: 0n });

/** `3..5`: in seconds, of a turn that was answered in it. */
const turn = (source: SourceName, name: number, fromS: number, toS: number): TurnFacts =>
  ({
    source,
    clock: key,
    producer: undefined,
    state: {
      tick: name,
      stream: source,
      startedAt: fromS * 1e9,
      endedAt: toS * 1e9,
      user: { startsAt: fromS * 1e9, endsAt: fromS * 1e9 },
      waits: [
        {
          kind: 'response',
          opens: { at: fromS * 1e9, source: 'test', errorNs: 0 },
          closes: { at: toS * 1e9, source: 'test', errorNs: 0 },
          moments: [],
        },
      ],
      stages: [],
      words: [],
    },
  }) as unknown as TurnFacts;

const told = (...lists: readonly TurnFacts[][]): string[] =>
  joinTurns(lists, () => clocks.map(key)).map(
    ({ source, state, joined = [] }) =>
      `${source} ${state.tick}${joined.map(one => ` + ${one.source} ${one.state.tick}`).join('')}`,
  );

test('each turn is told once: by our own instrument, with what the framework tells of it', () => {
  const ours = [turn('framescope', 1, 0, 2), turn('framescope', 2, 5, 7)];
  const theirs = [turn('pipecat', 1, 0.1, 1.8), turn('pipecat', 2, 5.1, 6.9)];
  expect(told(ours, theirs)).toEqual(['framescope 1 + pipecat 1', 'framescope 2 + pipecat 2']);
});

test('a turn that the authority did not see is not lost', () => {
  const ours = [turn('framescope', 1, 5, 7)];
  const theirs = [turn('pipecat', 1, 0, 2), turn('pipecat', 2, 5, 7)];
  expect(told(ours, theirs)).toEqual(['framescope 1 + pipecat 2', 'pipecat 1']);
});

test('of two frameworks the first is the authority, and the other goes with it', () => {
  expect(told([], [turn('pipecat', 1, 0, 2)], [turn('openinference', 1, 0, 2)])).toEqual([
    'pipecat 1 + openinference 1',
  ]);
});

test('two of theirs in one of ours: the one that shares more is told with it, and none is invented', () => {
  const theirs = [turn('pipecat', 1, 0, 1), turn('pipecat', 2, 1, 4)];
  expect(told([turn('framescope', 1, 0, 4)], theirs)).toEqual(['framescope 1 + pipecat 2']);
});
