// LiveKit Agents: what is made of spans that it really sent.

import type { Attributes, Turn, Wait } from '@framescope/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { liveKit } from '../../src/recognise/livekit.ts';
import type { Recognition } from '../../src/recognise/source.types.ts';
import type { StoredSpan } from '../../src/store/store.ts';
import { assembled, fixture, fixtureFolders, fixtureNames, spansOf } from './fixtures.ts';

const PYTHON = 'livekit/livekit-agents-1.8.9';
const BEFORE_PII = 'livekit/livekit-agents-1.6.10';
const NODE = 'livekit/livekit-agents-js-1.9.0';

const turnsOf = (folder: string, name: string): readonly Turn[] =>
  assembled(spansOf(fixture(folder, name).body)).turns;

/** Parts of 8 ms and more; what follows one another under one name is one. */
function partsOf(wait: Wait): [name: string, ms: number][] {
  const parts: [string, number][] = [];
  for (const { name, exposedNs } of wait.parts) {
    const last = parts.at(-1);
    if (last?.[0] === name) last[1] += exposedNs / 1e6;
    else parts.push([name, exposedNs / 1e6]);
  }
  return parts.filter(([, ms]) => ms > 8);
}

const outcomes = (turns: readonly Turn[]): string[] =>
  turns.flatMap(turn => turn.waits.map(wait => `${wait.kind} ${wait.outcome}`));

describe.each(fixtureFolders('livekit'))('%s', folder => {
  test.each(fixtureNames(folder))('%s: parts sum to the wait, and have owners', name => {
    const turns = turnsOf(folder, name);
    expect(turns.length).toBeGreaterThan(0);
    for (const { waits } of turns)
      for (const wait of waits) {
        expect(wait.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(wait.waitNs);
        if (wait.outcome === 'answered') expect(wait.resolved).toBeGreaterThan(0.85);
        expect(wait.definition).toBe('framework');
      }
  });

  test.each(fixtureNames(folder))(
    '%s: half of the call is half of its turns, none invented',
    name => {
      const spans = spansOf(fixture(folder, name).body);
      const whole = new Set(recognised(spans).turns.map(turn => turn.tick));
      for (let count = 1; count < spans.length; count++)
        for (const { tick } of recognised(spans.slice(0, count), false).turns)
          expect(whole, `tick ${tick} of the first ${count} spans`).toContain(tick);
    },
  );
});

const recognised = (spans: readonly StoredSpan[], isOver = true): Recognition =>
  liveKit.recognise(spans, { zeroUnixNs: spans[0]!.startUnixNs - 60_000_000_000n, isOver });

test('preemptive generation, the default: the model is asked before the decision, the window costs nothing', () => {
  for (const folder of [PYTHON, NODE]) {
    const response = turnsOf(folder, 'preemptive').find(turn => turn.user !== null)!.waits[0]!;
    expect(partsOf(response).map(([name]) => name)).not.toContain('endpointing');
    expect(response.parts.map(part => part.name)).toEqual(
      expect.arrayContaining(['transcription', 'inference', 'aggregation', 'synthesis']),
    );
  }
});

test('without it the window is to blame, and shortening it gains as far as the transcript allows', () => {
  for (const folder of [PYTHON, NODE]) {
    const [wait] = turnsOf(folder, 'in-order')[0]!.waits;
    const window = wait!.parts.find(part => part.name === 'endpointing')!;
    expect(window.owner).toBe('setting');
    expect(window.exposedNs / 1e6).toBeGreaterThan(490);
    // The transcript came 380 ms after the end of speech, the detector's answer 45 ms later.
    expect(window.savesNs! / 1e6).toBeGreaterThan(20);
    expect(window.savesNs! / 1e6).toBeLessThan(100);
  }
});

test('a slow speech-to-text is to blame, not the window that was over before it', () => {
  for (const folder of [PYTHON, NODE]) {
    const [wait] = turnsOf(folder, 'slow-stt')[0]!.waits;
    const [first] = partsOf(wait!);
    expect(first![0]).toBe('transcription');
    expect(first![1]).toBeGreaterThan(850);
  }
});

test('the detector is to blame for the longest delay when it thought that the user would go on', () => {
  const [wait] = turnsOf(PYTHON, 'unsure')[0]!.waits;
  expect(wait!.parts.find(part => part.name === 'endpointing')).toMatchObject({
    owner: 'detector',
  });
});

test.each([
  ['tool', ['response filler_only', 'resume answered']],
  ['tool-filler', ['response filler_only', 'resume answered']],
  ['interruption', ['response interrupted_after', 'response answered']],
  ['hand-over', ['response answered', 'response answered']],
  ['hang-up', ['response answered', 'response abandoned']],
  ['resumes', ['response answered']],
  ['retry', ['response answered']],
])('%s: %j', (name, expected) => {
  for (const folder of name === 'retry' ? [PYTHON] : [PYTHON, NODE])
    expect(outcomes(turnsOf(folder, name))).toEqual(expected);
});

test('a generation that was thrown away stands in its own lane and not in the ledger', () => {
  const [turn] = turnsOf(PYTHON, 'resumes');
  expect(turn!.stages.filter(stage => stage.discarded).map(stage => stage.name)).toEqual(['llm']);
  expect(turn!.features).toMatchObject({ discarded_generations: 1 });
  expect(turn!.waits[0]!.waitNs / 1e6).toBeLessThan(1_400);
});

test('a barge-in is measured from the onset of speech to where the agent fell silent', () => {
  const [turn] = turnsOf(PYTHON, 'interruption');
  expect(turn!.bargeIn!.stopNs! / 1e6).toBeGreaterThan(50);
  expect(turn!.bargeIn!.stopNs! / 1e6).toBeLessThan(600);
});

test("LiveKit's own figure stands beside ours, with what it is of", () => {
  const [wait] = turnsOf(PYTHON, 'in-order')[0]!.waits;
  expect(wait!.reported).toMatchObject([
    { source: 'livekit-agents', name: 'lk.e2e_latency', meaning: expect.stringMatching(/VAD/) },
  ]);
  expect(Math.abs(wait!.reported![0]!.differenceNs!) / 1e6).toBeLessThan(5);
});

test('what spans say of the version, before and after content keys moved', () => {
  expect(recognised(spansOf(fixture(PYTHON, 'in-order').body)).attributes).toMatchObject({
    framework: 'livekit-agents',
    'framework.version': '1.8.0 or later',
  });
  const before = fixture(BEFORE_PII, 'in-order').body;
  expect(recognised(spansOf(before)).attributes['framework.version']).toBe('1.5.0 to 1.6');
  expect(assembled(spansOf(before)).turns[0]!.words.map(word => word.who)).toEqual([
    'user',
    'agent',
  ]);
});

test('without any content (redaction) every number is the same', () => {
  for (const folder of [PYTHON, NODE]) {
    const spans = spansOf(fixture(folder, 'hand-over').body);
    const bare = spans.map(span => ({
      ...span,
      attributes: Object.fromEntries(
        Object.entries(span.attributes).filter(([key]) => !/pii|messages|content/.test(key)),
      ),
    }));
    const numbers = (of: readonly StoredSpan[]): unknown =>
      assembled(of).turns.map(turn => turn.waits.map(({ parts, outcome }) => ({ parts, outcome })));
    expect(numbers(bare)).toEqual(numbers(spans));
  }
});

// ---- units ------------------------------------------------------------------------------------

const DELAYS = ['lk.transcription_delay', 'lk.end_of_turn_delay', 'lk.eou.endpointing_delay'];

const change = (
  spans: readonly StoredSpan[],
  attributes: (span: StoredSpan) => Attributes,
): StoredSpan[] => spans.map(span => ({ ...span, attributes: attributes(span) }));

const scaled = (spans: readonly StoredSpan[], factor: number): StoredSpan[] =>
  change(spans, ({ attributes }) =>
    Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [
        key,
        DELAYS.includes(key) && typeof value === 'number' ? value * factor : value,
      ]),
    ),
  );

const ofLanguage = (spans: readonly StoredSpan[], language: string | undefined): StoredSpan[] =>
  spans.map(span => {
    const { 'telemetry.sdk.language': _, ...rest } = span.resource.attributes;
    const attributes =
      language === undefined ? rest : { ...rest, 'telemetry.sdk.language': language };
    return { ...span, resource: { ...span.resource, attributes } };
  });

const ledgers = (spans: readonly StoredSpan[]): unknown =>
  assembled(spans).turns.map(turn =>
    turn.waits.map(wait => wait.parts.map(part => [part.name, Math.round(part.exposedNs / 1e4)])),
  );

test('one call written in seconds and in milliseconds, by whatever language, has one ledger', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(PYTHON, NODE),
      fc.constantFrom('preemptive', 'in-order', 'slow-stt', 'tool', 'hand-over'),
      fc.constantFrom('python', 'nodejs', 'go', undefined),
      fc.boolean(),
      (folder, name, language, isOther) => {
        const spans = spansOf(fixture(folder, name).body);
        const factor = !isOther ? 1 : folder === NODE ? 1e-3 : 1e3;
        expect(ledgers(ofLanguage(scaled(spans, factor), language))).toEqual(ledgers(spans));
      },
    ),
    { numRuns: 40 },
  );
});

test('where nothing tells the unit, delays are not used and it is said', () => {
  const spans = spansOf(fixture(NODE, 'in-order').body).filter(
    span => span.name !== 'user_speaking',
  );
  const { turns, notes } = recognised(ofLanguage(spans, undefined));
  expect(notes.join()).toMatch(/cannot be told/);
  for (const { waits } of turns)
    expect(waits[0]!.moments.map(one => one.name)).not.toContain('transcript_final');
});

test.each([0, -1, 200, Number.NaN, 'soon'])('a delay of %s is not used, and counted', value => {
  const spans = change(spansOf(fixture(PYTHON, 'in-order').body), ({ attributes }) => ({
    ...attributes,
    ...('lk.e2e_latency' in attributes && { 'lk.e2e_latency': value }),
  }));
  const { turns, notes } = recognised(spans);
  expect(turns.flatMap(turn => turn.waits.flatMap(wait => wait.reported ?? []))).toEqual([]);
  if (typeof value === 'number' && !Number.isNaN(value)) expect(notes.join()).toMatch(/2 figures/);
});

// ---- what nobody has seen -----------------------------------------------------------------------

test('a span of a name that nobody has seen is said to be not understood', () => {
  const spans = spansOf(fixture(PYTHON, 'in-order').body);
  const strange = {
    ...spans[0]!,
    spanId: 'feedfacefeedface',
    name: 'telepathy_node',
  } as StoredSpan;
  expect(recognised([...spans, strange]).notes.join()).toMatch(/telepathy_node/);
});

test('two sessions in one trace keep their turns apart', () => {
  const one = spansOf(fixture(PYTHON, 'in-order').body);
  const other = spansOf(fixture(PYTHON, 'slow-stt').body);
  const shift = one[0]!.startUnixNs - other[0]!.startUnixNs;
  const moved = other.map(span => ({
    ...span,
    traceId: one[0]!.traceId,
    startUnixNs: span.startUnixNs + shift,
    endUnixNs: span.endUnixNs + shift,
  }));
  const { turns, notes } = recognised([...one, ...moved]);
  expect(turns).toHaveLength(3);
  expect(notes.join()).toMatch(/2 agent sessions/);
  expect(turns.flatMap(turn => turn.waits.map(wait => wait.closes !== undefined))).toEqual([
    true,
    true,
    true,
  ]);
});

test('spans with anything in them, in any order, make nothing throw', () => {
  const spans = spansOf(fixture(PYTHON, 'tool').body);
  const anything = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant('{"durationMs":'));
  fc.assert(
    fc.property(
      fc.shuffledSubarray(spans),
      fc.array(fc.tuple(fc.nat(spans.length - 1), anything), { maxLength: 30 }),
      fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
      (some, changes, byNs) => {
        const changed = some.map((span, i) => {
          const hit = changes.find(([at]) => at === i);
          if (hit === undefined) return span;
          const keys = Object.keys(span.attributes);
          const attributes = Object.fromEntries(
            keys.map(key => [key, key.length % 2 === i % 2 ? hit[1] : span.attributes[key]]),
          );
          return {
            ...span,
            startUnixNs: span.startUnixNs + BigInt(byNs),
            parentSpanId: i % 3 === 0 ? span.spanId : span.parentSpanId,
            attributes,
          } as StoredSpan;
        });
        if (changed.length > 0) recognised(changed);
      },
    ),
    { numRuns: 200 },
  );
});
