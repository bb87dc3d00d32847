// What comes over the line: event streams cut anywhere, frames in binary, tiles joined.

import type { FramesWindow } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { EventStreamParser } from '../src/data/event-stream.ts';
import { FrameTiles, joinTiles, TILE_NS } from '../src/data/frame-tiles.ts';
import { decodeFrames } from '../src/data/frames-decode.ts';
import { decodeOutline } from '../src/data/outline-decode.ts';
import { nameAt, rowOfSpan, serviceAt, spanIdAt } from '../src/data/trace-columns.ts';
import { fetchWhole } from '../src/data/whole-frames.ts';

test('events come whole however the bytes are cut', () => {
  const text = ': hello\n\nid: 7\ndata: {"a":1}\n\nid: 8\r\ndata: one\r\ndata: two\r\n\r\n';
  const whole = [
    { id: '7', data: '{"a":1}' },
    { id: '8', data: 'one\ntwo' },
  ];
  for (let cut = 0; cut <= text.length; cut++) {
    const parser = new EventStreamParser();
    expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))]).toEqual(whole);
  }
});

function binaryOf(atNs: readonly number[]): ArrayBuffer {
  const head = new TextEncoder().encode(
    JSON.stringify({
      fromNs: 0,
      toNs: 9,
      truncated: false,
      hops: [{ key: 'mic.client/send', errorNs: 1, rawShiftNs: 2, length: atNs.length }],
    }),
  );
  const start = Math.ceil((4 + head.length) / 8) * 8;
  const bytes = new ArrayBuffer(start + Math.ceil((atNs.length * 33) / 8) * 8);
  new DataView(bytes).setUint32(0, head.length, true);
  new Uint8Array(bytes).set(head, 4);
  for (let column = 0; column < 4; column++)
    new Float64Array(bytes, start + column * atNs.length * 8, atNs.length).set(
      atNs.map(at => at + column),
    );
  new Uint8Array(bytes, start + 4 * atNs.length * 8).fill(3, 0, atNs.length);
  return bytes;
}

test('frames in binary come back as columns', () => {
  const [hop] = decodeFrames(binaryOf([10, 20, 30])).hops;
  expect(hop).toMatchObject({ key: 'mic.client/send', errorNs: 1, rawShiftNs: 2, length: 3 });
  expect([hop!.startTick, hop!.latencyNs, hop!.flags].map(column => Array.from(column))).toEqual([
    [10, 20, 30],
    [13, 23, 33],
    [3, 3, 3],
  ]);
});

test('a cut answer is refused and does not look like a quiet call', () => {
  expect(() => decodeFrames(binaryOf([10, 20, 30]).slice(0, -40))).toThrow(RangeError);
});

/** Two spans, the second beneath the first. */
function outlineBytes(): ArrayBuffer {
  const head = new TextEncoder().encode(
    JSON.stringify({ count: 2, names: ['call', 'llm'], services: ['agent'], openRows: [1] }),
  );
  const at = Math.ceil((4 + head.length) / 8) * 8;
  const bytes = new ArrayBuffer(at + 2 * 37);
  new DataView(bytes).setUint32(0, head.length, true);
  new Uint8Array(bytes).set(head, 4);
  new Float64Array(bytes, at, 4).set([0, 5, 90, 20]);
  new Uint8Array(bytes, at + 32, 16).set([1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0, 0, 0, 0, 0, 0, 0x0a]);
  new Int32Array(bytes, at + 48, 2).set([-1, 0]);
  new Uint32Array(bytes, at + 56, 4).set([0, 1, 0, 0]);
  new Uint8Array(bytes, at + 72, 2).set([0, 2]);
  return bytes;
}

test('the outline of a trace in binary comes back as columns, its spans found by their ID', () => {
  const trace = decodeOutline(outlineBytes());
  expect([nameAt(trace, 1), serviceAt(trace, 1), spanIdAt(trace, 1)]).toEqual([
    'llm',
    'agent',
    'ff0000000000000a',
  ]);
  expect([trace.startNs, trace.lengthNs, trace.parent, trace.status].map(one => [...one])).toEqual([
    [0, 5],
    [90, 20],
    [-1, 0],
    [0, 2],
  ]);
  const ids = ['0102030405060708', 'ff0000000000000a', 'ff0000000000000b', 'evil', undefined];
  expect(ids.map(id => rowOfSpan(trace, id))).toEqual([0, 1, -1, -1, -1]);
  expect(() => decodeOutline(outlineBytes().slice(0, -9))).toThrow(RangeError);
});

const windowOf = (fromNs: number, toNs: number, atNs: readonly number[]): FramesWindow => ({
  fromNs,
  toNs,
  truncated: false,
  hops: [
    {
      key: 'h',
      errorNs: 0,
      rawShiftNs: 0,
      length: atNs.length,
      startTick: atNs,
      endTick: atNs,
      atNs,
      latencyNs: atNs,
      flags: atNs.map(() => 0),
    },
  ],
});

test('a frame on the seam of two tiles is there once', () => {
  const rows = joinTiles([windowOf(0, 100, [10, 100]), windowOf(100, 200, [100, 150])]).get('h')!;
  expect(Array.from(rows.atNs.subarray(0, rows.length))).toEqual([10, 100, 150]);
});

/** A collector that gives out at most two frames at a time, of one frame every 10 ns up to 80. */
const stingy = (window: { fromNs: number; toNs: number }): Promise<FramesWindow> => {
  const all = [0, 10, 20, 30, 40, 50, 60, 70].filter(at => at >= window.fromNs && at < window.toNs);
  const answer = windowOf(window.fromNs, window.toNs, all.slice(0, 2));
  return Promise.resolve({ ...answer, truncated: all.length > 2 });
};

test('an answer cut short is asked for again in halves until every frame is there', async () => {
  const windows = await fetchWhole(stingy, { fromNs: 0, toNs: 80 });
  const rows = joinTiles(windows).get('h')!;
  expect(Array.from(rows.atNs)).toEqual([0, 10, 20, 30, 40, 50, 60, 70]);
  expect(windows.map(one => `${one.fromNs}-${one.toNs} ${one.truncated}`)).toEqual([
    '0-20 false',
    '20-40 false',
    '40-60 false',
    '60-80 false',
  ]);
});

test('what cannot be had whole says so', async () => {
  const windows = await fetchWhole(
    window => Promise.resolve({ ...windowOf(window.fromNs, window.toNs, [1]), truncated: true }),
    { fromNs: 0, toNs: 64 },
  );
  expect(windows).toHaveLength(64);
  expect(windows.every(one => one.truncated)).toBe(true);
});

test('a stale tile is drawn as it was until its new answer comes', async () => {
  const answers: ((window: FramesWindow) => void)[] = [];
  const tiles = new FrameTiles({
    fetch: () => new Promise(resolve => answers.push(resolve)),
    changed: () => undefined,
  });
  const count = (): number | undefined => tiles.rows(0, 1e9).get('h')?.length;
  tiles.want(0, 1e9);
  answers[0]!(windowOf(0, TILE_NS, [1, 2]));
  await Promise.resolve();
  await Promise.resolve();
  expect(count()).toBe(2);
  tiles.invalidate(1, 2);
  tiles.want(0, 1e9);
  expect([answers.length, count()]).toEqual([2, 2]);
  answers[1]!(windowOf(0, TILE_NS, [1, 2, 3]));
  await Promise.resolve();
  await Promise.resolve();
  expect(count()).toBe(3);
});

test('a fresh tile is asked for once', () => {
  let asked = 0;
  const tiles = new FrameTiles({
    fetch: () => (asked++, new Promise(() => undefined)),
    changed: () => undefined,
  });
  tiles.want(0, 1e9);
  tiles.want(0, 1e9);
  expect(asked).toBe(1);
});
