import { domainNs } from '@framescope/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SessionClocks, type ClockMap } from '../../../src/assemble/clock/session-clocks.ts';
import type { RawMoment } from '../../../src/assemble/ledger/place.ts';
import { ledgerOf, type WaitFacts, type WaitLedger } from '../../../src/assemble/ledger/wait.ts';

const MS = 1_000_000;

// The collector's own host runs the agent; the client is 3.7 s ahead, 40 ppm fast, and
// was asked once a second over a path of 30 ms up and 18 ms down.
const COLLECTOR = { domain: 'c'.repeat(16), epoch: 0, zeroUnixNs: 0n };
const CLIENT = { domain: 'a'.repeat(16), epoch: 0, zeroUnixNs: 0n };
const clientReads = (trueMs: number): number => Math.round(trueMs * MS * 1.00004 + 3_700 * MS);

const clocks = new SessionClocks(COLLECTOR);
clocks.setZero(0n);
const agentKey = clocks.note(COLLECTOR);
const clientKey = clocks.note(CLIENT);
for (let second = 0; second < 20; second++) {
  const ms = second * 1_000;
  clocks.addSample(clientKey, {
    peer: COLLECTOR.domain,
    peerEpoch: 0,
    t1: domainNs(clientReads(ms)),
    t2: domainNs((ms + 30) * MS),
    t3: domainNs((ms + 30) * MS),
    t4: domainNs(clientReads(ms + 48)),
  });
}
const AGENT = clocks.map(agentKey);
const EAR = clocks.map(clientKey);

type Said = Partial<Pick<RawMoment, 'source' | 'errorNs' | 'generation' | 'after' | 'of'>>;
const at = (clock: ClockMap, name: string, rawNs: number, said: Said = {}): RawMoment => ({
  name,
  rawNs,
  clock,
  source: 'test',
  errorNs: 0,
  ...said,
});
const agent = (name: string, trueMs: number, said?: Said): RawMoment =>
  at(AGENT, name, Math.round(trueMs * MS), said);
const client = (name: string, trueMs: number, said?: Said): RawMoment =>
  at(EAR, name, clientReads(trueMs), said);

/** Two seconds into the call the user stops; what follows is in ms after that. */
const T = 2_000;
const SERVER: readonly (readonly [name: string, ms: number])[] = [
  ['speech_end_received', 31],
  ['transcript_final', 411],
  ['turn_decided', 531],
  ['model_requested', 411],
  ['first_speakable', 851],
  ['speech_text_sent', 991],
  ['first_audio', 1_181],
  ['first_frame_sent', 1_186],
  ['first_voiced_sent', 1_301],
];
const EARS: readonly (readonly [name: string, ms: number])[] = [
  ['speech_end_captured', 0],
  ['first_voiced_received', 1_320],
  ['first_voiced_unbuffered', 1_380],
  ['first_voiced_audible', 1_392],
];
const OF: Readonly<Record<string, Said>> = {
  speech_end_captured: { of: 'opens', errorNs: 20 * MS },
  speech_end_received: { of: 'opens', errorNs: 20 * MS },
};
const serverMoments = SERVER.map(([name, ms]) => agent(name, T + ms, OF[name]));
const earMoments = EARS.map(([name, ms]) => client(name, T + ms, OF[name]));

const facts = (moments: readonly RawMoment[], changes: Partial<WaitFacts> = {}): WaitFacts => ({
  kind: 'response',
  outcome: 'answered',
  moments,
  failed: [],
  revision: 1,
  ...changes,
});
const ledger = (...args: Parameters<typeof facts>): WaitLedger => ledgerOf(facts(...args))!;
const summed = ({ wait }: WaitLedger): number =>
  wait.parts.reduce((sum, part) => sum + part.exposedNs, 0);
const lines = ({ wait }: WaitLedger): string[] =>
  wait.parts.map(({ name, exposedNs, fullNs, savesNs }) =>
    [name, exposedNs, fullNs, savesNs]
      .map(one => (typeof one === 'number' ? Math.round(one / MS) : String(one)))
      .join(' '),
  );

test('the worked example: transcription 380, inference 440, aggregation 140, synthesis 190, delivery 5, leading silence 115', () => {
  const { wait, ...rest } = ledger(serverMoments);
  expect(wait.definition).toBe('server');
  expect(wait.waitNs).toBe(1_270 * MS);
  expect(lines({ wait, ...rest })).toEqual([
    'transcription 380 380 380',
    'inference 440 440 440',
    'aggregation 140 140 140',
    'synthesis 190 190 190',
    'delivery 5 5 5',
    'leading_silence 115 115 115',
  ]);
  expect(wait.resolved).toBe(1);
  expect(wait.parts.map(part => part.owner)).toEqual([
    'STT service',
    'model service',
    'setting',
    'TTS service',
    'pipeline',
    'TTS service',
  ]);
});

test('uplink, server and downlink are the client’s closed figure, to the nanosecond', () => {
  const found = ledger([...serverMoments, ...earMoments]);
  const closedNs = clientReads(T + 1_392) - clientReads(T);
  expect(found.wait.definition).toBe('client');
  expect(found.wait.waitNs).toBe(closedNs);
  expect(summed(found)).toBe(closedNs);
  expect(found.wait.resolved).toBe(1);
  expect(
    found.wait.alternatives.map(({ definition, startNs, endNs }) => [definition, endNs - startNs]),
  ).toEqual([['server', 1_270 * MS]]);
});

test('each part is inside its stated error across clocks 3.7 s apart, 40 ppm and an uneven path', () => {
  const { wait } = ledger([...serverMoments, ...earMoments]);
  const truth = {
    uplink: 31,
    transcription: 380,
    inference: 440,
    aggregation: 140,
    synthesis: 190,
    delivery: 5,
    leading_silence: 115,
    downlink: 19,
    jitter_buffer: 60,
    playout: 12,
  };
  expect(wait.parts.map(part => part.name)).toEqual(Object.keys(truth));
  for (const [i, ms] of Object.values(truth).entries()) {
    const part = wait.parts[i]!;
    expect(Math.abs(part.exposedNs - ms * MS), part.name).toBeLessThanOrEqual(part.errorNs);
  }
  // One clock: what its second may be wrong by. Two: half the round trip. The VAD's ±20 ms falls
  // on what begins at the end of speech, and cancels on the way up.
  const errorMs = (name: string): number =>
    wait.parts.find(part => part.name === name)!.errorNs / MS;
  expect(errorMs('inference')).toBe(0);
  expect(errorMs('uplink')).toBeGreaterThan(6);
  expect(errorMs('uplink')).toBeLessThan(25);
  expect(errorMs('transcription')).toBe(20);
  expect(wait.errorNs / MS).toBeCloseTo(20, 0);
});

test('a way that comes out negative inside the error is zero, and the other way takes the rest', () => {
  // The server says it received 10 ms before the client captured; the clocks are good to ±24.
  const early = serverMoments.map(one => ({ ...one, rawNs: one.rawNs - 41 * MS }));
  const found = ledger([...early, ...earMoments]);
  const part = (name: string): number | undefined =>
    found.wait.parts.find(one => one.name === name)?.exposedNs;
  expect(part('uplink')).toBeUndefined();
  expect(Math.round(part('downlink')! / MS)).toBe(50);
  expect(summed(found)).toBe(found.wait.waitNs);
  expect(found.faultCount).toBe(0);
});

test('a way that comes out negative beyond the error is a clock fault', () => {
  const early = serverMoments.map(one => ({ ...one, rawNs: one.rawNs - 200 * MS }));
  const found = ledger([...early, ...earMoments]);
  expect(found.faultCount).toBe(1);
  expect(summed(found)).toBe(found.wait.waitNs);
});

test('with the client silent the server’s figure is the ledger, and what is not seen is said', () => {
  const { wait } = ledger(serverMoments);
  expect(wait.definition).toBe('server');
  expect(wait.notSeen).toEqual(['uplink', 'downlink', 'jitter buffer and playout']);
});

test('with the agent’s marks missing two parts merge, and resolved says how much is known', () => {
  const { wait } = ledger([
    ...serverMoments.filter(one => one.name !== 'speech_end_received'),
    ...earMoments,
  ]);
  expect(wait.parts[0]).toMatchObject({
    name: 'uplink+transcription',
    savesNs: null,
    owner: 'network + STT service',
  });
  expect(wait.resolved).toBeCloseTo((1_392 - 411) / 1_392, 2);
});

test('a wait that was given up is at least so long, and its last part is what was under way', () => {
  const begun = serverMoments.filter(one =>
    ['speech_end_received', 'transcript_final', 'turn_decided', 'model_requested'].includes(
      one.name,
    ),
  );
  const cut = agent('given_up', T + 4_031);
  const found = ledger([...begun, earMoments[0]!], { outcome: 'abandoned', cut });
  expect(found.wait.definition).toBe('client');
  expect(Math.round(found.wait.waitNs / MS)).toBeGreaterThan(4_000);
  expect(found.wait.parts.at(-1)!.name).toBe('inference');
  expect(summed(found)).toBe(found.wait.waitNs);
  expect(found.isMeasured).toBe(true);
});

test('a turn known by its transcript alone has no start: at least so long, and not charted', () => {
  const { wait, isMeasured, figures } = ledger(
    serverMoments.filter(one => !one.name.startsWith('speech_end')),
  );
  expect(isMeasured).toBe(false);
  expect(figures).toEqual([]);
  expect(wait.notSeen[0]).toContain('at least so long');
  expect(wait.waitNs).toBe(890 * MS);
});

test('a decision by a detector is the detector’s, one by a window is a setting’s', () => {
  const decidedBy = (source: string): string => {
    const moments = [
      agent('speech_end_received', 0),
      agent('turn_decided', 500, { source }),
      agent('model_requested', 500),
      agent('first_audio', 800, { source: 'realtime' }),
      agent('first_voiced_sent', 800),
    ];
    return ledger(moments).wait.parts[0]!.owner;
  };
  expect(decidedBy('timer')).toBe('setting');
  expect(decidedBy('smart_turn')).toBe('detector');
});

test('whichever moments are missing and however the clocks lie: parts sum exactly, resolved is 0 to 1', () => {
  const all = [...serverMoments, ...earMoments];
  const any = fc.record({
    kept: fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length }),
    agentOffMs: fc.integer({ min: -3_000, max: 3_000 }),
    isCut: fc.boolean(),
    kind: fc.constantFrom('response' as const, 'greeting' as const, 'resume' as const),
  });
  fc.assert(
    fc.property(any, ({ kept, agentOffMs, isCut, kind }) => {
      const moments = all
        .filter((_, i) => kept[i])
        .map(one => (one.clock === AGENT ? { ...one, rawNs: one.rawNs + agentOffMs * MS } : one));
      const opened = kind === 'response' ? [] : [agent('wait_opened', T + agentOffMs)];
      const cut = agent('given_up', T + 5_000);
      const found = ledgerOf(
        facts([...opened, ...moments], { kind, ...(isCut ? { cut, outcome: 'none' } : {}) }),
      );
      if (found === undefined) return moments.length + opened.length === 0 && !isCut;
      const { wait } = found;
      expect(summed(found)).toBe(wait.waitNs);
      expect(wait.parts.every(part => Number.isInteger(part.exposedNs) && part.exposedNs > 0)).toBe(
        true,
      );
      expect(wait.resolved).toBeGreaterThanOrEqual(0);
      expect(wait.resolved).toBeLessThanOrEqual(1);
      return true;
    }),
    { numRuns: 500 },
  );
});

test('what one part saves is how much the wait falls when it takes no time', () => {
  const whole = ledger(serverMoments).wait;
  const WITHOUT: Readonly<Record<string, (ms: Record<string, number>) => void>> = {
    inference: ms => void (ms['first_speakable'] = 411),
    synthesis: ms => void (ms['first_audio'] = ms['speech_text_sent']!),
  };
  for (const [part, shorten] of Object.entries(WITHOUT)) {
    const ms: Record<string, number> = Object.fromEntries(SERVER);
    const lengths = { aggregation: 140, synthesis: 190, delivery: 5, silence: 115 };
    shorten(ms);
    ms['speech_text_sent'] = ms['first_speakable']! + lengths.aggregation;
    ms['first_audio'] = ms['speech_text_sent'] + (part === 'synthesis' ? 0 : lengths.synthesis);
    ms['first_frame_sent'] = Math.max(ms['first_audio'], ms['turn_decided']!) + lengths.delivery;
    ms['first_voiced_sent'] = ms['first_frame_sent'] + lengths.silence;
    const shorter = ledger(
      Object.entries(ms).map(([name, at_]) => agent(name, T + at_, OF[name])),
    ).wait;
    const saves = whole.parts.find(one => one.name === part)!.savesNs;
    expect(whole.waitNs - shorter.waitNs).toBe(saves);
  }
});
