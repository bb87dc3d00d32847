// Pipecat's own spans, as several of its versions sent them, against the log of what was really
// done (examples/pipecat); and what becomes of them when they come broken.

import { expect, test } from 'vitest';
import type { StoredSpan } from '../../src/store/store.ts';
import { assembled, fixtureNames, readFixture, spansOf } from '../support/captured.ts';
import { responsesOf, sureErrorsOf, truthOf, worstOf } from '../support/pipecat-truth.ts';

const NAMES = fixtureNames().filter(name => name.startsWith('pipecat-'));
const TOLD = NAMES.filter(name => !name.includes('0.0.101'));
const NEWEST = NAMES.filter(name => name.includes('1.14.0'));
/** The framework reads its clock beside the event. */
const PART_ERROR_MS = 5;
const ONE_CALL = 'pipecat-1.14.0-slow-stt.json';

test.each(TOLD)(
  '%s: each turn once, and parts that sum to the wait, each as long as it was',
  name => {
    const fixture = readFixture(name);
    const rows = assembled(spansOf(fixture));
    const truths = truthOf(fixture.log);
    const waits = responsesOf(rows.turns);
    expect(rows.turns.length).toBe(truths.length);
    expect(waits.length).toBe(truths.length);
    for (const [i, wait] of waits.entries()) {
      const truth = truths[i]!;
      expect(wait.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(wait.waitNs);
      for (const [part, ms] of Object.entries(sureErrorsOf(wait, truth)))
        expect(Math.abs(ms), `${part} of wait ${i}`).toBeLessThan(PART_ERROR_MS);
    }
  },
);

test.each(TOLD.filter(name => name.includes('slow-stt')))('%s: the owner is the STT', name => {
  for (const wait of responsesOf(assembled(spansOf(readFixture(name))).turns)) {
    expect(worstOf(wait)).toBe('transcription [STT service]');
    expect(wait.definition).toBe('framework');
    expect(wait.reported).toMatchObject([{ source: 'pipecat', differenceNs: 0, outsideNs: 0 }]);
  }
});

test.each(NAMES.filter(name => name.includes('1.1.0') || name.includes('0.0.106')))(
  '%s: spans without a length are not drawn with one',
  name => {
    const rows = assembled(spansOf(readFixture(name)));
    expect(rows.session.sources?.[0]?.notes.join(' ')).toContain('before 1.2.0');
    const stt = rows.turns.flatMap(turn => turn.stages.filter(stage => stage.name === 'stt'));
    // From the end of speech to the transcript, by metrics.ttfb: not the span's own half a millisecond.
    for (const { startNs, endNs } of stt) expect(endNs! - startNs).toBeGreaterThan(500e6);
  },
);

test('Pipecat 0.0.101 does not say when an answer began: no wait of it is charted', () => {
  const rows = assembled(spansOf(readFixture('pipecat-0.0.101-slow-stt.json')));
  expect(rows.turns.length).toBe(2);
  expect(rows.values).toEqual([]);
  expect(rows.session.sources?.[0]?.notes.join(' ')).toContain('user_bot_latency');
});

test('what all turns of a call were made with is an attribute of the session, to filter and group by', () => {
  const { session } = assembled(spansOf(readFixture(ONE_CALL)));
  expect(session.attributes).toMatchObject({
    framework: 'pipecat',
    'framework.version': '1.2.0 or later',
    'llm.model': 'local-llm',
    'tts.voice': 'tone-220',
    'call.kind': 'slow-stt',
  });
});

test('models, voices, tokens and characters of a turn are its features', () => {
  const [turn] = assembled(spansOf(readFixture(ONE_CALL))).turns;
  expect(turn?.features).toMatchObject({
    'stt.model': 'local-stt',
    'llm.model': 'local-llm',
    'llm.calls': 1,
    'tts.voice': 'tone-220',
    'turn.number': 1,
  });
  expect(turn?.features?.['llm.output_tokens']).toBeGreaterThan(0);
  expect(turn?.features?.['tts.characters']).toBeGreaterThan(0);
});

const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item, i) => ({ item, at: (i * 7919) % 13 }))
    .toSorted((a, b) => a.at - b.at)
    .map(one => one.item);

test.each(NEWEST)('%s: the order in which spans arrive changes nothing', name => {
  const spans = spansOf(readFixture(name));
  expect(assembled(shuffled(spans)).turns).toEqual(assembled(spans).turns);
});

test.each(NEWEST)(
  '%s: without the spans of its turns a call that died is told by what lay in them',
  name => {
    const spans = spansOf(readFixture(name));
    const orphans = spans.filter(span => span.scope !== 'pipecat.turn');
    const whole = assembled(spans);
    const rows = assembled(orphans);
    expect(rows.turns.length).toBe(whole.turns.length);
    expect(rows.session.sources?.[0]?.notes.join(' ')).toContain('never arrived');
    // Nobody says when an answer began: what is charted is "at least so long".
    expect(rows.values.filter(row => !row.isCensored)).toEqual([]);
  },
);

test('a span that this version does not know is named, and changes no number', () => {
  const spans = spansOf(readFixture(ONE_CALL));
  const [known] = spans.filter(span => span.name === 'llm');
  const unknown: StoredSpan = {
    ...known!,
    name: 'llm_telepathy',
    spanId: 'f'.repeat(16) as StoredSpan['spanId'],
  };
  const rows = assembled([...spans, unknown]);
  expect(rows.turns).toEqual(assembled(spans).turns);
  expect(rows.session.sources?.[0]?.notes).toEqual([
    'Not understood, shown as plain spans: llm_telepathy.',
  ]);
});

test.each([0, -1, Number.NaN, 1e6, 'soon', null])(
  'a latency of %s is none: nothing is plotted and nothing breaks',
  value => {
    const spans = spansOf(readFixture(ONE_CALL)).map(span => ({
      ...span,
      attributes: Object.fromEntries(
        Object.entries(span.attributes).map(([key, old]) => [
          key,
          /ttfb|latency/.test(key) ? value : old,
        ]),
      ),
    }));
    const rows = assembled(spans);
    expect(rows.turns.length).toBe(2);
    expect(rows.values.filter(row => row.measure.startsWith('voice_to_voice'))).toEqual([]);
  },
);
