// The jitter buffer under a clock that the test moves: frames arrive at the
// times given, one is pulled every 20 ms.

import { expect, test } from 'vitest';
import { JitterBuffer, type Pulled } from '../src/client/jitter-buffer.ts';
import type { Packet } from '../src/common/packet.ts';
import { exponentialMs, randomFrom } from '../src/common/random.ts';

interface Arrival {
  readonly atMs: number;
  readonly packet: Packet;
}

const frame = (sequence: number, sentMs: number, isSpurtEnd = false): Packet => ({
  sequence,
  sentMs,
  isSpurtStart: sequence === 0,
  isSpurtEnd,
  opus: new Uint8Array(1),
});

/** Frames sent every 20 ms, each so many ms on its way; `x` is lost. In order, as over TCP. */
function arrivals(transitsMs: readonly (number | 'x')[]): Arrival[] {
  let lastMs = 0;
  return transitsMs.flatMap((transit, sequence) => {
    if (transit === 'x') return [];
    const sentMs = sequence * 20;
    lastMs = Math.max(lastMs, sentMs + transit);
    const isLast = sequence === transitsMs.length - 1;
    return [{ atMs: lastMs, packet: frame(sequence, sentMs, isLast) }];
  });
}

/** One letter a pull: a frame played, Concealed (given up), stretched (~), silence. */
function play(buffer: JitterBuffer, frames: readonly Arrival[], forMs: number): string {
  const waiting = [...frames];
  let picture = '';
  for (let nowMs = 0; nowMs < forMs; nowMs += 20) {
    while (waiting[0] !== undefined && waiting[0].atMs <= nowMs) {
      const { packet, atMs } = waiting.shift() ?? { packet: frame(0, 0), atMs: 0 };
      buffer.push(packet, atMs);
    }
    picture += letterOf(buffer.pull(nowMs));
  }
  return picture;
}

function letterOf(pulled: Pulled): string {
  if (pulled.kind === 'frame') return 'p';
  if (pulled.kind === 'silence') return '.';
  return pulled.sequence === undefined ? '~' : 'C';
}

const line = (seed: number, frames: number, jitterMs: number): number[] => {
  const random = randomFrom(seed, 'test');
  return Array.from({ length: frames }, () => 30 + exponentialMs(random, jitterMs / 3));
};

test('a steady line plays every frame after the first target of 60 ms', () => {
  const buffer = new JitterBuffer();
  const picture = play(buffer, arrivals([30, 30, 30, 30, 30, 30]), 260);
  expect(picture).toBe('.....pppppp..');
});

test('a lost frame is concealed in its place and named', () => {
  const buffer = new JitterBuffer();
  const picture = play(buffer, arrivals([30, 30, 'x', 30, 30, 30]), 260);
  expect(picture).toBe('.....ppCppp..');
  expect(buffer.counts).toMatchObject({ played: 5, concealed: 1, late: 0 });
});

test('a frame that misses its turn is concealed, and counted as late when it comes', () => {
  const buffer = new JitterBuffer();
  const picture = play(buffer, arrivals([30, 30, 130, 30, 30, 30, 30, 30]), 300);
  expect(picture).toContain('C');
  expect(buffer.counts.late).toBeGreaterThan(0);
});

test('a sender that stops without saying so is concealed for 100 ms, then it is silent', () => {
  const buffer = new JitterBuffer();
  const frames = arrivals([30, 30, 30, 30]).map(({ atMs, packet }) => ({
    atMs,
    packet: { ...packet, isSpurtEnd: false },
  }));
  expect(play(buffer, frames, 340)).toBe('.....ppppCCCCC...');
  expect(buffer.counts.underruns).toBe(1);
});

test('the target follows the jitter: 40 ms on a steady line, well over 100 at 150 ms', () => {
  const steady = new JitterBuffer();
  play(steady, arrivals(line(1, 400, 3)), 9_000);
  const shaky = new JitterBuffer();
  play(shaky, arrivals(line(1, 400, 150)), 9_000);
  expect(steady.targetMs).toBe(40);
  expect(shaky.targetMs).toBeGreaterThan(100);
});

test('more jitter means more concealed frames, but fewer once the target has followed', () => {
  const steady = new JitterBuffer();
  play(steady, arrivals(line(2, 400, 3)), 9_000);
  const shaky = new JitterBuffer();
  const picture = play(shaky, arrivals(line(2, 800, 200)), 17_000);
  const concealed = (part: string): number => part.replaceAll(/[^C~]/g, '').length;
  expect(steady.counts.concealed).toBe(0);
  expect(shaky.counts.concealed).toBeGreaterThan(2);
  expect(concealed(picture.slice(0, 100))).toBeGreaterThan(concealed(picture.slice(600, 700)));
});

test('a clock that is off and drifts changes nothing', () => {
  const skewed = arrivals(line(3, 400, 60)).map(({ atMs, packet }) => ({
    atMs,
    packet: { ...packet, sentMs: packet.sentMs * 1.000_04 + 3_700 },
  }));
  const picture = play(new JitterBuffer(), arrivals(line(3, 400, 60)), 9_000);
  expect(play(new JitterBuffer(), skewed, 9_000)).toBe(picture);
});

test('clear forgets what is queued, and the next answer plays from its start', () => {
  const buffer = new JitterBuffer();
  for (let i = 0; i < 10; i += 1) buffer.push(frame(i, i), i);
  buffer.clear();
  expect(buffer.pull(500).kind).toBe('silence');
  buffer.push(frame(20, 1_000), 1_010);
  expect(buffer.pull(1_200)).toMatchObject({ kind: 'frame', packet: { sequence: 20 } });
});

test('a buffer of 500 frames takes no more, and counts them', () => {
  const buffer = new JitterBuffer();
  const pushed = Array.from({ length: 501 }, (_, i) => buffer.push(frame(i, 0), 0));
  expect(pushed.indexOf(false)).toBe(500);
  expect(buffer.counts.refused).toBe(1);
});
