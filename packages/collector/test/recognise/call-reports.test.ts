// Reports of voice platforms: units, order and what cannot be told. The reports are those that
// test/interop/vendors.interop.ts holds against the vendors' own types.

import type { DecodedSpan } from '../../src/decode/types.ts';
import { spansOfReport } from '../../src/reports/report-spans.ts';
import { reportsOf } from '../../src/reports/reports.ts';
import type { DerivedRows } from '../../src/store/store.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembled } from '../support/captured.ts';
import {
  deepgramEvents,
  elevenLabsReport,
  REPORT_START_MS,
  retellReport,
  vapiReport,
} from '../support/call-reports.ts';

const NOON = 1_800_000_000_000_000_000n;

function spansOf(json: unknown): DecodedSpan[] {
  const read = reportsOf(json);
  if (read === undefined) throw new Error('no report');
  if (!read.ok) throw new Error(`${read.path}: ${read.problem}`);
  return read.value.flatMap(spansOfReport);
}

const rowsOf = (json: unknown): DerivedRows =>
  assembled(
    spansOf(json).map(span => ({
      ...span,
      sessionKey: '0000000000000',
      commit: 1,
      arrivalUnixNs: NOON,
    })),
  );

/** Turn by turn: `words: outcome total = part ms + part ms`. */
const picture = ({ turns }: DerivedRows): string[] =>
  turns.map(({ words, waits, outcome }) => {
    const parts = (waits[0]?.parts ?? []).map(part => `${part.name} ${part.exposedNs / 1e6}`);
    const total =
      waits[0] === undefined ? 'no wait' : `${waits[0].waitNs / 1e6} = ${parts.join(' + ')}`;
    return `${words.map(one => one.text.slice(0, 12)).join(' / ')}: ${outcome} ${total}`;
  });

const notesOf = ({ session }: DerivedRows): string =>
  (session.sources ?? []).flatMap(source => source.notes).join('\n');

test('Vapi: milliseconds, laid one behind the other; parts longer than the whole become one', () => {
  const rows = rowsOf(vapiReport);
  expect(picture(rows)).toEqual([
    'Hello, how c: completed no wait',
    'Is there a t / Yes, at eigh: completed 1450 = transcription 300 + endpointing 250 + inference 600 + synthesis 250 + unattributed 50',
    'Thank you, a / Goodbye!: completed 900 = endpointing+transcription+inference+synthesis+unattributed 900',
  ]);
  expect(rows.turns[1]?.features).toEqual({
    'llm.model': 'gpt-4o',
    'llm.provider': 'openai',
    'tts.voice': 'sarah',
    'tts.provider': '11labs',
    'stt.model': 'nova-3',
    'stt.provider': 'deepgram',
    'tool.name': 'tables',
    'tool.calls': 1,
  });
  expect(rows.turns[1]?.stages.map(one => [one.name, (one.endNs! - one.startNs) / 1e6])).toEqual([
    ['tool', 400],
  ]);
  expect(notesOf(rows)).toContain('no call of Vapi was seen live');
  expect(notesOf(rows)).toContain('In 1 answer the parts are longer than the whole');
});

test('a wait of a report ends where the transcript has the answer begin', () => {
  const [, turn] = rowsOf(vapiReport).turns;
  const zero = turn!.waits[0]!.endNs! - (turn!.agent!.startNs ?? 0);
  expect(zero).toBe(0);
});

test('Vapi: as many latencies as answers, or nobody knows whose they are', () => {
  const { message } = vapiReport;
  const rows = rowsOf({
    message: {
      ...message,
      artifact: {
        ...message.artifact,
        performanceMetrics: {
          turnLatencies: message.artifact.performanceMetrics.turnLatencies.slice(1),
        },
      },
    },
  });
  expect(rows.values).toEqual([]);
  expect(notesOf(rows)).toContain('1 turnLatencies for 2 answers');
});

test('Retell: milliseconds, by order where there are as many as answers', () => {
  const rows = rowsOf(retellReport);
  expect(picture(rows)).toEqual([
    'Hello, how c: completed no wait',
    'Is there a t / Yes, at eigh: completed 1300 = inference 640 + synthesis 210 + unattributed 450',
    'Thank you. / Goodbye!: completed 1700 = inference 900 + synthesis 240 + unattributed 560',
  ]);
  expect(notesOf(rows)).toContain('3 values of asr for 2 answers');
});

test('ElevenLabs: seconds; what the first sentence took beyond the first byte is aggregation', () => {
  const rows = rowsOf(elevenLabsReport);
  expect(picture(rows)).toEqual([
    'Hello, how c: completed no wait',
    'Is there a t / Yes, at eigh: completed 1400 = transcription 150 + inference 600 + aggregation 100 + synthesis 250 + unattributed 300',
    'And for / For how: interrupted 1100 = endpointing+transcription+inference+aggregation+synthesis+unattributed 1100',
  ]);
  expect(rows.turns[1]?.features).toMatchObject({
    'llm.output_tokens': 17,
    'tts.voice': 'voice-1',
  });
});

test('ElevenLabs: older payloads have the metrics without a level of their own', () => {
  const entry = (role: string, at: number, metrics: object) => ({
    role,
    message: role,
    time_in_call_secs: at,
    conversation_turn_metrics: metrics,
  });
  const rows = rowsOf({
    conversation_id: 'c',
    metadata: { start_time_unix_secs: REPORT_START_MS / 1_000, call_duration_secs: 9 },
    transcript: [
      entry('user', 1, {}),
      entry('agent', 3, { convai_ttf_audio_since_silence: { elapsed_time: 0.8 } }),
    ],
  });
  expect(picture(rows)[0]).toContain('completed 800 =');
});

test('Deepgram: events of a socket with the time of their arrival, seconds', () => {
  const rows = rowsOf(deepgramEvents);
  expect(picture(rows)).toEqual([
    'Is there a t / Yes, at eigh: interrupted 1200 = transcription 200 + inference 500 + synthesis 300 + unattributed 200',
    'Wait, for th / For three, t: completed 1000 = transcription 200 + inference 400 + unattributed 400',
  ]);
  expect(rows.turns[0]?.features).toMatchObject({ 'tts.model': 'aura-2-thalia-en' });
});

test('Deepgram: events without a time are refused, and it is said what to do', () => {
  const [{ event }, ...others] = deepgramEvents;
  expect(reportsOf([event, ...others])).toMatchObject({
    ok: false,
    path: 'line 1.received_at',
    problem: expect.stringContaining('write down when each was received'),
  });
});

test('what a report cannot do without is named with its place', () => {
  const problemOf = (json: unknown): string => {
    const read = reportsOf(json);
    return read === undefined || read.ok ? 'taken' : `${read.path}: ${read.problem}`;
  };
  expect([
    problemOf({ message: { type: 'end-of-call-report' } }),
    problemOf({ event: 'call_ended', call: { call_id: 'c' } }),
    problemOf({ type: 'post_call_transcription', data: { conversation_id: 'c', metadata: {} } }),
    problemOf([retellReport, { event: 'call_ended', call: {} }]),
  ]).toEqual([
    'message.id: no ID of the call',
    'call.start_timestamp: no time at which the call began, in Unix ms',
    'data.metadata.start_time_unix_secs: no time at which the call began, in Unix seconds',
    '[1].call.call_id: no ID of the call',
  ]);
  expect(reportsOf({ hello: 1 })).toBeUndefined();
});

test('a report that comes twice has the same spans', () => {
  const ids = (json: unknown): string[] => spansOf(json).map(span => span.spanId);
  expect(ids(vapiReport)).toEqual(ids(structuredClone(vapiReport)));
  expect(new Set(ids(vapiReport)).size).toBe(ids(vapiReport).length);
});

/** Numbers under the names of latencies, times `factor`. */
function scaled(json: unknown, factor: number, isLatency = false): unknown {
  if (typeof json === 'number') return isLatency ? json * factor : json;
  if (Array.isArray(json)) return json.map(one => scaled(one, factor, isLatency));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      key,
      scaled(value, factor, isLatency || /Latenc|^latency$|_latency$|_metrics$/.test(key)),
    ]),
  );
}

test('a report in the other unit, ms for s or s for ms, is not plotted, and that is said', () => {
  const reports = [
    { json: vapiReport, factor: 1e-3 },
    { json: retellReport, factor: 1e-3 },
    { json: elevenLabsReport, factor: 1e3 },
    { json: deepgramEvents, factor: 1e3 },
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...reports),
      fc.double({ min: 0.2, max: 4, noNaN: true }),
      (report, slower) => {
        const right = rowsOf(scaled(report.json, slower));
        expect(right.values.length).toBeGreaterThan(0);
        const wrong = rowsOf(scaled(report.json, slower * report.factor));
        expect(wrong.values).toEqual([]);
        expect(notesOf(wrong)).toContain('their unit cannot be told, and they are not plotted');
      },
    ),
    { numRuns: 60 },
  );
});

test('whatever stands in a report, reading it does not throw', () => {
  const names = [
    'message',
    'type',
    'call',
    'call_id',
    'transcript',
    'event',
    'data',
    'artifact',
    'messages',
    'latency',
    'metadata',
    'role',
    'received_at',
    'call_status',
    'conversation_id',
    'orgId',
    'id',
    'startedAt',
    'words',
  ];
  const json = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(
        null,
        true,
        0,
        -1,
        1e300,
        REPORT_START_MS,
        '',
        'user',
        'agent',
        'end-of-call-report',
        'call_ended',
        'post_call_transcription',
        'LatencyReport',
        '2026-11-30T12:00:00Z',
      ),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 8 }),
    ),
  })).value;
  fc.assert(
    fc.property(json, value => {
      const read = reportsOf(value);
      if (read?.ok) for (const call of read.value) spansOfReport(call);
    }),
    { numRuns: 2_000 },
  );
});
