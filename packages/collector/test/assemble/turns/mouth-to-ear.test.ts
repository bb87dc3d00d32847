// A browser traced by our package, a server by Pipecat alone: one session, one ledger from mouth
// to ear. The browser decides turns; what happened between its mouth and its ear is Pipecat's word,
// on a clock that nobody compared with the browser's.

import { expect, test } from 'vitest';
import { SessionEngine } from '../../../src/assemble/engine.ts';
import type { StoredSpan } from '../../../src/store/store.ts';
import { batch, BOOK, flush, KEY, NOON, turn, voiced } from '../call.ts';

const SECOND_NS = 1_000_000_000n;
/** The server's wall clock is so far ahead of the browser's. */
const SKEWS_MS = [0, 45, -60];

interface Made {
  readonly name: string;
  readonly id: number;
  readonly parent?: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly attributes: StoredSpan['attributes'];
}

const idOf = (id: number): StoredSpan['spanId'] =>
  String(id).padStart(16, '0') as StoredSpan['spanId'];

const span =
  (skewMs: number) =>
  ({ name, id, parent, fromMs, toMs, attributes }: Made): StoredSpan => ({
    traceId: 'ab'.repeat(16) as StoredSpan['traceId'],
    spanId: idOf(id),
    ...(parent !== undefined && { parentSpanId: idOf(parent) }),
    name,
    kind: 1,
    startUnixNs: NOON + BigInt(fromMs + skewMs) * 1_000_000n,
    endUnixNs: NOON + BigInt(toMs + skewMs) * 1_000_000n,
    statusCode: 0,
    statusMessage: '',
    attributes,
    events: [],
    links: [],
    scope: name === 'turn' ? 'pipecat.turn' : 'pipecat',
    resource: { attributes: { 'service.name': 'bot' } },
    sessionId: 'call',
    sessionKey: KEY,
    commit: 1,
    arrivalUnixNs: NOON,
  });

/** The user stops at 1,000 ms; 30 ms later the server has it, and sends at 1,900 what is heard at 1,990. */
const spansOf = (skewMs: number): StoredSpan[] =>
  [
    {
      name: 'turn',
      id: 1,
      fromMs: 200,
      toMs: 4_000,
      attributes: { 'turn.number': 1, 'turn.user_bot_latency_seconds': 0.87 },
    },
    {
      name: 'stt',
      id: 2,
      parent: 1,
      fromMs: 100,
      toMs: 1_330,
      attributes: { 'metrics.ttfb': 0.3, is_final: true, transcript: 'hello' },
    },
    {
      name: 'llm',
      id: 3,
      parent: 1,
      fromMs: 1_340,
      toMs: 2_000,
      attributes: { 'metrics.ttfb': 0.3, output: 'Hi.' },
    },
    {
      name: 'tts',
      id: 4,
      parent: 1,
      fromMs: 1_700,
      toMs: 2_400,
      attributes: { 'metrics.ttfb': 0.19, text: 'Hi.' },
    },
  ].map(span(skewMs));

test.each(SKEWS_MS)(
  'a server %i ms ahead: the parts sum to what the caller waited, and each is its owner’s',
  skewMs => {
    const engine = new SessionEngine({ clockBook: BOOK, startedUnixNs: NOON, budgets: {} });
    const flushes = [
      flush({
        producer: 'client',
        seq: 0,
        fromS: 0,
        toS: 4,
        speaksAtMs: 1_900,
        session: { authority: true },
        turns: [
          turn({ endsAtMs: 1_000, closes: voiced(0), endedAtMs: 3_500, outcome: 'completed' }),
        ],
      }),
    ];
    engine.ingest(batch(flushes, spansOf(skewMs)));
    const { derived } = engine.tick(NOON + 5n * SECOND_NS);
    const turns = derived[0]?.turns ?? [];
    expect(turns.length).toBe(1);
    const [wait] = turns[0]!.waits;
    expect(wait?.definition).toBe('client');
    expect(wait?.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(wait?.waitNs);
    expect(Math.round(wait!.waitNs / 1e6)).toBe(990);
    const parts = Object.fromEntries(wait!.parts.map(part => [part.name, part]));
    for (const [name, ms] of Object.entries({
      transcription: 300,
      inference: 300,
      aggregation: 60,
      synthesis: 190,
    }))
      expect(parts[name]?.exposedNs, name).toBe(ms * 1e6);
    // How the way is shared between up and down nobody can tell without comparing the clocks.
    if (skewMs === 0) {
      expect(wait?.parts[0]?.name).toBe('uplink');
      expect(wait?.parts.map(part => part.name)).toContain('leading_silence+downlink');
    }
    // Up and down together are what the server did not take, whatever its clock says.
    const around = wait!.parts.filter(part => /uplink|downlink|jitter|playout/.test(part.name));
    const aroundMs = around.reduce((sum, part) => sum + part.exposedNs, 0) / 1e6;
    expect(Math.round(aroundMs)).toBe(120);
    // Pipecat's own figure stands beside ours, and the difference is all before and after it.
    const [figure] = wait!.reported ?? [];
    expect(figure).toMatchObject({ source: 'pipecat', valueNs: 870e6, differenceNs: 120e6 });
    expect(Math.round((figure?.outsideNs ?? 0) / 1e6)).toBe(120);
  },
);
