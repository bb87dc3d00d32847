// Units. A framework promises seconds; a fork, a proxy or a version to come may write
// milliseconds. Whatever subset of its values is a thousand times too large: what is still
// plotted is what was true, and the rest is not plotted.

import type { Wait } from '@framescope/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DerivedRows, StoredSpan } from '../../src/store/store.ts';
import { assembled, fixtureNames, readFixture, spansOf } from '../support/captured.ts';
import { responsesOf } from '../support/pipecat-truth.ts';

const NAMES = fixtureNames().filter(name => name.startsWith('pipecat-'));
const SECONDS = /ttfb$|latency_seconds$|duration_seconds$/;

const inMs = (spans: readonly StoredSpan[], isScaled: (key: string) => boolean): StoredSpan[] =>
  spans.map(span => ({
    ...span,
    attributes: Object.fromEntries(
      Object.entries(span.attributes).map(([key, value]) =>
        typeof value === 'number' && SECONDS.test(key) && isScaled(`${span.name} ${key}`)
          ? [key, value * 1_000]
          : [key, value],
      ),
    ),
  }));

function voiceToVoice({ values }: DerivedRows): Map<string, number> {
  const rows = values.filter(row => row.measure === 'voice_to_voice.framework' && !row.isCensored);
  return new Map(rows.map(row => [`${row.tick} ${row.waitIndex}`, row.valueNs]));
}

interface PartOf {
  readonly id: string;
  readonly ns: number;
  readonly errorNs: number;
}

const isAtLeast = ({ notSeen }: Wait): boolean => notSeen.some(line => line.includes('at least'));

/** Parts with one owner, with turn and name; a part may come twice. */
const partsOf = ({ turns }: DerivedRows): PartOf[] =>
  turns.flatMap(turn =>
    responsesOf([turn]).flatMap((wait, i) =>
      wait.parts
        // A wait whose end nobody saw is "at least so long": none of it is charted.
        .filter(({ name }) => !name.includes('+') && !isAtLeast(wait))
        .map(({ name, exposedNs, errorNs }) => ({
          id: `${turn.tick} ${i} ${name}`,
          ns: exposedNs,
          errorNs,
        })),
    ),
  );

const KEYS = [
  'turn turn.user_bot_latency_seconds',
  'turn turn.duration_seconds',
  'stt metrics.ttfb',
  'llm metrics.ttfb',
  'tts metrics.ttfb',
];

test('a call written in seconds or in milliseconds has one ledger, or is not plotted', () => {
  const property = fc.property(
    fc.constantFrom(...NAMES),
    fc.subarray(KEYS, { minLength: 1 }),
    (name, scaled) => {
      const spans = spansOf(readFixture(name));
      const truth = assembled(spans);
      const told = assembled(inMs(spans, key => scaled.includes(key)));
      const values = voiceToVoice(truth);
      for (const [id, ns] of voiceToVoice(told)) expect(ns).toBe(values.get(id));
      // Merged parts name what they hold; a part of its own is as long as it was, within its error.
      const known = partsOf(truth);
      for (const { id, ns, errorNs } of partsOf(told)) {
        const same = known.filter(one => one.id === id);
        const offNs = same.map(one => Math.abs(one.ns - ns) - one.errorNs - errorNs);
        if (same.length > 0) expect(Math.min(...offNs), id).toBeLessThanOrEqual(0);
      }
      for (const wait of responsesOf(told.turns))
        expect(wait.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(wait.waitNs);
    },
  );
  fc.assert(property, { numRuns: 60 });
});

test('all of it in milliseconds: nothing is charted', () => {
  for (const name of NAMES) {
    const told = assembled(inMs(spansOf(readFixture(name)), () => true));
    expect(voiceToVoice(told).size).toBe(0);
  }
});
