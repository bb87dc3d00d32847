import { expect, test } from 'vitest';
import { SessionClocks } from '../../../src/assemble/clock/session-clocks.ts';
import { framesOf, type StreamFrames } from '../../../src/assemble/frames/stream-frames.ts';
import { StreamMarks } from '../../../src/assemble/frames/stream-marks.ts';
import { firstVoiced, speechEnd } from '../../../src/assemble/turns/marked-moments.ts';

const MS = 1_000_000;
const HERE = { domain: 'c'.repeat(16), epoch: 0, zeroUnixNs: 0n };
const clocks = new SessionClocks(HERE);
clocks.setZero(0n);
const CLOCK = clocks.map(clocks.note(HERE));
const CONTEXT = { clocks: [CLOCK], authority: 'agent' };

/** `producer role/name`: frames of 20 ms, each at its end plus what `delayMs` says. */
type Hop = readonly [producer: string, path: string, delayMs: (endMs: number) => number];

function stream(direction: 'up' | 'down', hops: readonly Hop[]): StreamFrames {
  const marks = new StreamMarks({ name: 's', sampleRate: 16_000, direction });
  for (const [producer, path, delayMs] of hops) {
    const [role = '', name = ''] = path.split('/');
    const length = 200;
    const column = {
      hop: { role, name, nth: 0 },
      length,
      startTick: Float64Array.from({ length }, (_, i) => i * 320),
      endTick: Float64Array.from({ length }, (_, i) => (i + 1) * 320),
      atNs: Float64Array.from({ length }, (_, i) =>
        Math.round(((i + 1) * 20 + delayMs((i + 1) * 20)) * MS),
      ),
      late: [],
    };
    marks.add(
      { stream: 's', sampleRate: 16_000, direction, columns: [column], ranges: [] },
      0,
      producer,
    );
  }
  return framesOf(marks, { clocks: [CLOCK], budgetNs: null });
}

const UP: readonly Hop[] = [
  ['client', 'client/capture', () => 0],
  ['edge', 'edge/receive', () => 25],
  ['agent', 'agent/receive', () => 30],
  ['agent', 'agent/stt', () => 31],
];
const DOWN: readonly Hop[] = [
  ['models', 'models/tts', () => -500],
  ['agent', 'agent/tts', () => -499],
  ['agent', 'agent/send', () => 0],
  ['edge', 'edge/receive', () => 5],
  ['client', 'client/receive', () => 20],
  ['client', 'client/jitter_buffer', () => 80],
  ['client', 'client/playout', () => 92],
];
const at = (tick: number): Parameters<typeof speechEnd>[1] => ({ tick, errorNs: 0, source: 'vad' });
const said = (moments: ReturnType<typeof speechEnd>): string[] =>
  moments.map(one => `${one.name} ${one.rawNs / MS}`);

test('the last voiced sample is the one before the tick where speech ended', () => {
  // Tick 3,200 ends frame 10 (200 ms): the frame that begins there is silence.
  expect(said(speechEnd(stream('up', UP), at(3_200), CONTEXT))).toEqual([
    'speech_end_captured 200',
    'speech_end_received 230',
  ]);
});

test('a blocked capture callback does not move the end of speech: the sample was taken when it was due', () => {
  const stalled: Hop = [
    'client',
    'client/capture',
    endMs => (endMs > 1_000 && endMs <= 1_400 ? 1_400 - endMs : 0),
  ];
  const [captured] = speechEnd(stream('up', [stalled, ...UP.slice(1)]), at(1_100 * 16), CONTEXT);
  expect(captured!.rawNs / MS).toBeCloseTo(1_100, 3);
  // Somewhere between the schedule and the callback, but no callback takes longer than 5 ms unblocked.
  expect(captured!.errorNs).toBe(5 * MS + 10_000);
});

test('without the client nothing was captured; without the authority nothing was received', () => {
  expect(said(speechEnd(stream('up', UP.slice(1)), at(3_200), CONTEXT))).toEqual([
    'speech_end_received 230',
  ]);
  expect(said(speechEnd(stream('up', UP.slice(0, 2)), at(3_200), CONTEXT))).toEqual([
    'speech_end_captured 200',
  ]);
});

test('the first voiced sample is followed from the authority’s last hop to the ear', () => {
  // Tick 1,600 begins frame 6; a device plays the samples of a frame one after the other.
  expect(said(firstVoiced(stream('down', DOWN), at(1_600), CONTEXT))).toEqual([
    'first_voiced_sent 120',
    'first_voiced_received 140',
    'first_voiced_unbuffered 200',
    'first_voiced_audible 212',
  ]);
  expect(said(firstVoiced(stream('down', DOWN), at(1_760), CONTEXT)).at(-1)).toBe(
    'first_voiced_audible 222',
  );
});

test('a tick that no mark holds has no moment', () => {
  expect(firstVoiced(stream('down', DOWN), at(999_999), CONTEXT)).toEqual([]);
  expect(speechEnd(undefined, at(1), CONTEXT)).toEqual([]);
});

test('a telephone line has its own ends: its media clock and what it says it played', () => {
  const line: Hop = [
    'agent',
    'agent/receive',
    endMs => (endMs > 1_000 && endMs <= 1_400 ? 1_440 - endMs : 40),
  ];
  const carried = { ...CONTEXT, isCarried: true };
  const up = stream('up', [line, ['agent', 'agent/send', () => 45]]);
  // Held up until 1,440 on its way: by the line's media clock it was due at 1,100, and 40 ms of way.
  expect(said(speechEnd(up, at(1_100 * 16), carried))).toEqual([
    'speech_end_carried 1140',
    'speech_end_received 1440',
  ]);
  expect(said(speechEnd(up, at(1_100 * 16), CONTEXT))).toEqual(['speech_end_received 1440']);
  const down = stream('down', [
    ['agent', 'agent/receive', () => -2],
    ['agent', 'agent/send', () => 0],
    ['agent', 'carrier/playout', () => 70],
  ]);
  expect(said(firstVoiced(down, at(3_200), CONTEXT))).toEqual([
    'first_voiced_sent 220',
    'first_voiced_carried 290',
  ]);
});
