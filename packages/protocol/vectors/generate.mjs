// Writes the test vectors beside this file: inputs and the exact bytes or IDs
// that every implementation of docs/wire.md must make or read.
//
//   npx tsc -b packages/protocol && node packages/protocol/vectors/generate.mjs
//
// It also prints the attribute table into docs/wire.md.
//
// `makeVectors` takes the protocol module, so that a test can run it on the
// sources and compare with the files.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const hex = bytes => Buffer.from(bytes).toString('hex');
const unhex = text => new Uint8Array(Buffer.from(text, 'hex'));

/** File name → contents. `p` is the protocol module. */
export function makeVectors(p) {
  return {
    'hash.json': hashVectors(p),
    'ids.json': idVectors(p),
    'hops.json': hopVectors(p),
    'record.json': recordVectors(p),
    'anchor.json': anchorVectors(p),
    'sketch.json': sketchVectors(p),
    'state.json': stateVectors(p),
    'lineage.json': lineageVectors(p),
    'load.json': loadVectors(p),
  };
}

function hashVectors(p) {
  const inputs = ['', '00', '61', ...[3, 4, 7, 8, 11, 12, 15, 16, 17, 31, 32, 33, 100].map(count)];
  return inputs.flatMap(bytes =>
    [0, 1, 0xffffffff].map(seed => ({ bytes, seed, hash: hex(p.murmur3x128(unhex(bytes), seed)) })),
  );
}

const count = length => hex(Uint8Array.from({ length }, (_, i) => (i * 37 + 11) & 255));

function idVectors(p) {
  const sessions = ['call-1', '', 'CA0123456789abcdef', 'Zoë ☎ 🎧', '\ud800', 'x'.repeat(300)];
  const calls = sessions.flatMap(id => [
    ['sessionTraceId', id],
    ['sessionKey', id, 0],
    ['sessionKey', id, 3],
  ]);
  for (const tick of [0, 320, 2 ** 32 + 7, 2 ** 50]) {
    calls.push(['turnTraceId', TRACE, 'mic', tick], ['turnSpanId', TRACE, 'mic', tick]);
    calls.push(['frameSpanId', TRACE, 'mic', 'mic.agent/receive', tick]);
  }
  calls.push(['frameSpanId', TRACE, 'müc', 'müc.agent/receive#2', 5]);
  calls.push(['sessionStartSpanId', TRACE]);
  calls.push(['recordSpanId', '0123456789abcdef', TRACE, 0, 0]);
  calls.push(['recordSpanId', '0123456789abcdef', TRACE, 2 ** 33, 2]);
  calls.push(['clockDomainOf', '3f7c1e0a-5a2b-4a7e-9d57-0c0b8d1f6a11\n']);
  calls.push(['traceparent', TRACE, '00f067aa0ba902b7', true]);
  return calls.map(([name, ...args]) => ({ function: name, args, result: p[name](...args) }));
}

const TURN = {
  tick: 6_400,
  stream: 'mic',
  traceId: '4bf92f3577b34da6eb211c80319c0000',
  spanId: '00f067aa0ba902b7',
  rev: 1,
  startedAt: 5_000_000_000,
  waits: [],
  stages: [],
  words: [],
};

/** A turn as it grows, is corrected, and ends. */
function turnStates() {
  const opens = { stream: 'mic', tick: 32_000, source: 'vad', errorNs: 20_000_000 };
  const wait = { kind: 'response', opens, moments: [] };
  const asked = { name: 'model_requested', at: 7_100_000_000, source: 'stage' };
  const llm = { name: 'llm', spanId: 'b7ad6b7169203331', startedAt: 7_100_000_000, attributes: {} };
  const heard = { who: 'user', text: 'Öffnet ihr „heute“? 🎧', at: 7_050_000_000 };
  const closes = { stream: 'agent', tick: 480, source: 'energy', errorNs: 20_000_000 };
  return [
    TURN,
    { ...TURN, rev: 2, waits: [wait] },
    { ...TURN, rev: 4, waits: [{ ...wait, moments: [asked] }], stages: [llm], words: [heard] },
    // The user went on: the wait is opened anew, and what was decided is gone.
    { ...TURN, rev: 5, waits: [{ ...wait, opens: { ...opens, tick: 40_000 } }], stages: [llm] },
    {
      ...TURN,
      rev: 9,
      waits: [{ ...wait, opens: { ...opens, tick: 40_000 }, closes, moments: [asked] }],
      stages: [
        {
          ...llm,
          firstAt: 7_400_000_000,
          endedAt: 7_600_000_000,
          attributes: { n: 1.5, ok: true },
        },
      ],
      words: [heard, { who: 'agent', text: 'Yes.', at: 7_700_000_000, cut: true }],
      endedAt: 8_000_000_000,
      outcome: 'interrupted',
    },
  ];
}

function stateVectors(p) {
  const states = turnStates();
  const changes = states.slice(1).map((after, i) => {
    const before = states[i];
    return { before, after, set: p.changeOf({ ...before, rev: after.rev }, after) };
  });
  const told = changes.map(({ before, after, set }) => {
    const change = {
      tick: after.tick,
      stream: after.stream,
      base: before.rev,
      rev: after.rev,
      set,
    };
    return { v: 2, changes: [change] };
  });
  const [first, second, third, fourth] = told;
  const whole = { v: 1, turns: [states[0]] };
  const again = { v: 1, turns: [states[3]] };
  // What one process told of one turn, in the order in which it arrives; the turn after each message.
  const streams = [
    { name: 'in order', messages: [whole, first, second, third, fourth], turn: states[4] },
    {
      name: 'two that changed places wait for each other',
      messages: [whole, second, first],
      turn: states[2],
    },
    {
      name: 'one that comes twice is made once',
      messages: [whole, first, first, second],
      turn: states[2],
    },
    {
      name: 'one is lost, and the turn comes whole',
      messages: [whole, second, again, fourth],
      turn: states[4],
    },
  ];
  return { changes, streams };
}

function lineageVectors(p) {
  const segments = [
    { sample: 0, tick: 0, samples: 3, ticks: 2 },
    { sample: 0, tick: 160, samples: 441, ticks: 160 },
    { sample: 96_000, tick: 2 ** 33 + 5, samples: 1, ticks: 3 },
    { sample: 7, tick: 11, samples: 768_000, ticks: 1 },
  ];
  const samples = [0, 1, 2, 3, 170, 512, 480_001, 2 ** 40 + 1];
  return {
    rates: [
      [24_000, 16_000],
      [44_100, 16_000],
      [8_000, 8_000],
      [11_025, 48_000],
    ].map(([own, stream]) => ({ own, stream, lowest: p.lowest(own, stream) })),
    segments: segments.map(segment => ({
      segment,
      ticks: samples.map(n => [segment.sample + n, p.tickOfSample(segment, segment.sample + n)]),
    })),
  };
}

function loadVectors(p) {
  const figures = { calls: 3, lagMaxNs: 1_240_400, lagMeanNs: 210_000, busy: 0.25, cpu: 0.031 };
  const lists = [
    [{ toMs: 1_001, figures }],
    [
      { toMs: 1_000, figures: { ...figures, rssBytes: 91 * 2 ** 20, waiting: { llm: 0 } } },
      { toMs: 2_003, figures: { calls: 3, busy: 0.5, waiting: { llm: 2, tts: 1 } } },
    ],
  ];
  const read = text => p.decodeLoad(text, 'load').value;
  const texts = [...lists.map(p.encodeLoad), JSON.stringify({ ...figures, rssBytes: 95_420_416 })];
  return texts.map(text => ({ text, pieces: read(text) }));
}

function hopVectors(p) {
  const base = { stream: 'mic', role: 'agent', name: 'receive', nth: 0 };
  const places = [
    base,
    { ...base, nth: 1 },
    { ...base, instance: 'pod-7@eu' },
    { stream: 'a.b/c@d', role: 'x.y/z#@', name: 'n#1@%', nth: 9 },
  ];
  const keys = places.map(place => ({ place, key: p.hopKey(place) }));
  return { roles: p.ROLE, hops: p.HOP, keys };
}

const column = (hop, rows, late = []) => ({
  hop: { role: 'agent', nth: 0, ...hop },
  length: rows.length,
  startTick: Float64Array.from(rows, row => row[0]),
  endTick: Float64Array.from(rows, row => row[1]),
  atNs: Float64Array.from(rows, row => row[2]),
  late: late.map(([startTick, endTick, atNs]) => ({ startTick, endTick, atNs })),
});

/** `size` ticks a row; `at(i)` in ns. */
const rows = (length, size, at) =>
  Array.from({ length }, (_, i) => [i * size, (i + 1) * size, at(i)]);

const HEADER = {
  producer: '0123456789abcdef',
  seq: 7,
  domain: 'fedcba9876543210',
  epoch: 2,
  zeroUnixNs: 1_780_000_000_123_456_789n,
  quantumNs: 10_000,
  blocks: [],
  clockSamples: [],
};

const block = (columns, more) => ({
  stream: 'mic',
  sampleRate: 16_000,
  direction: 'up',
  columns,
  ranges: [],
  ...more,
});

const jitter = i => ((i * 7_919) % 97) * 10_000;
const STEADY = rows(50, 320, i => 5e9 + (i + 1) * 20e6 + jitter(i));

/** The media clock, the hop before and the row before; even, regrouped, broken and uneven cuts. */
function everyCut() {
  const received = STEADY.map(([a, b, at], i) => [a, b, at + 25e6 + jitter(i + 31)]);
  const regrouped = rows(10, 1_600, i => received[i * 5 + 4][2] + 150_000);
  const holes = received.filter((_, i) => i !== 7 && i !== 8 && i !== 30);
  const bursts = [
    [0, 2_400, 9e9],
    [2_400, 5_000, 9e9 + 30_000],
    [5_000, 9_600, 9e9 + 400e6],
    [12_000, 12_001, 9e9 + 400e6],
  ];
  const up = [
    column({ name: 'capture' }, STEADY),
    column({ name: 'receive' }, received),
    column({ name: 'stt', after: 'agent/receive' }, regrouped),
    column({ name: 'decode', nth: 1 }, holes),
  ];
  const down = { stream: 'agent', direction: 'down', sampleRate: 24_000 };
  return [block(up), block([column({ role: 'mixer', name: 'düse' }, bursts)], down)];
}

/** Audio cut in turns of 7 and 8 pieces of 128 samples at 48 kHz: the row before the last one tells most. */
function inTurns() {
  const at = i => 5e9 + Math.ceil((i + 1) * 7.5) * (128 / 48_000) * 1e9 + ((i * 31) % 7) * 10_000;
  const captured = rows(40, 960, i => Math.floor(at(i)));
  const far = captured.map(([a, b, ns], i) => [a, b, ns + (i === 20 ? 400e6 : 0)]);
  const columns = [column({ name: 'capture' }, captured), column({ name: 'encode' }, far)];
  return [block(columns, { sampleRate: 48_000 })];
}

/** 44,100 Hz: a tick is no whole number of quanta, so the rounding of predictions shows. */
function unevenRate() {
  const due = i => 5e9 + Math.floor(((i + 1) * 441e9) / 44_100);
  const sent = rows(40, 441, i => due(i) + jitter(i));
  const received = sent.filter((_, i) => i % 13 !== 5).map(([a, b, at]) => [a, b, at + 3e6]);
  // Pieces that do not line up with the frames before: each is told from the middle of a hole.
  const pieces = rows(30, 577, i => 5.02e9 + Math.floor(((i + 1) * 577e9) / 44_100));
  const columns = [column({ name: 'send' }, sent), column({ name: 'receive' }, received)];
  return [block([...columns, column({ name: 'regroup' }, pieces)], { sampleRate: 44_100 })];
}

function lateAndRanges() {
  const ranges = ['conceal', 'drop', 'silence'].map((kind, i) => ({
    kind,
    hop: { role: 'client', name: 'jitter_buffer', nth: 0 },
    startTick: i * 320,
    endTick: i * 320 + 640,
    atNs: 6e9 + i * 10_000,
  }));
  const late = [STEADY[2], [0, 320, -70_000]];
  return [block([column({ name: 'receive' }, STEADY.slice(0, 3), late)], { ranges })];
}

function recordSources() {
  const sample = {
    peer: '00000000000000ff',
    peerEpoch: 1,
    t1: 10,
    t2: -20,
    t3: -15,
    t4: 40_000_000,
  };
  const beforeZero = [
    column(
      { name: 'send' },
      rows(4, 160, i => -3e9 + i * 10_000_001),
    ),
  ];
  return {
    empty: HEADER,
    'every predictor and cut': { ...HEADER, blocks: everyCut() },
    'a rate whose ticks are no whole quanta': { ...HEADER, blocks: unevenRate() },
    'frames cut in turns': { ...HEADER, blocks: inTurns() },
    'late and repeated marks, ranges, clock samples': {
      ...HEADER,
      blocks: lateAndRanges(),
      clockSamples: [
        sample,
        { ...sample, t1: 250_000_010, t2: 249_999_900, t3: 250_000_000, t4: 291_000_000 },
        { ...sample, peerEpoch: 2 },
      ],
    },
    'quantum of one nanosecond, before the zero of the clock': {
      ...HEADER,
      quantumNs: 1,
      zeroUnixNs: -1n,
      blocks: [block(beforeZero)],
    },
  };
}

/** A decoded record as JSON: typed arrays as lists, the bigint as text. */
export function recordAsJson(record) {
  const plain = (_, value) => {
    if (typeof value === 'bigint') return String(value);
    return value instanceof Float64Array ? [...value] : value;
  };
  return JSON.parse(JSON.stringify(record, plain));
}

function recordVectors(p) {
  const accepted = Object.entries(recordSources()).map(([name, source]) => {
    const [bytes] = p.encodeRecord(source);
    return { name, bytes: p.toBase64(bytes), record: recordAsJson(p.decodeRecord(bytes).value) };
  });
  const whole = p.fromBase64(accepted[1].bytes).value;
  const edited = change => {
    const bytes = whole.slice();
    return change(bytes) ?? bytes;
  };
  const damaged = {
    'wrong CRC': edited(bytes => void (bytes[60] ^= 1)),
    truncated: whole.slice(0, -7),
    'foreign version': sealed(
      p,
      edited(bytes => void (bytes[2] = 4)),
    ),
    'foreign magic': edited(bytes => void (bytes[0] = 0x66)),
    'unknown flags': sealed(
      p,
      edited(bytes => void (bytes[3] = 64)),
    ),
    'quantum of zero': withItems(p, [], 0),
    'item before any block': withItems(p, [2, 3, 3]),
    'unknown item': withItems(p, [1, 1, 0x6d, 1, 0x82]),
    'more rows than 32 a byte': withItems(p, [1, 1, 0x6d, 1, 0x52, 3, 3, 0x80, 0x20, 0, 1]),
    'a short hop before any role': withItems(p, [0x11, 0x21, 6, 4, 3, 20, 0, 0, 0, 0]),
    'near no column': withItems(p, [0x11, 0x21, 14, 0, 3, 4, 0x88]),
    'frames of no whole tick': withItems(p, [0x11, 0x71, 6, 0, 3, 4, 1, 1, 0, 0, 0]),
    'a stream code nobody gave': withItems(p, [0x11, 0x2f]),
    'a clock sample like none before': withItems(p, [12, 0, 0, 0, 0]),
    'a rate code nobody gave': withItems(p, [0xf0]),
    'a Rice code beyond 24': withItems(p, [0x20, 7, 0xf0, 3, 4, 25, 0, 4, 0, 0, 0]),
    'a hole beyond the last frame': withItems(p, [0x20, 31, 0, 3, 4, 0, 6, 0, 1, 12, 0, 0]),
    'no bytes': new Uint8Array(0),
  };
  const refused = Object.entries(damaged).map(([name, bytes]) => {
    const answer = p.decodeRecord(bytes);
    return { name, bytes: p.toBase64(bytes), problem: answer.ok ? 'NONE' : answer.problem };
  });
  return { accepted, refused };
}

/** Length and CRC made right again. */
function sealed(p, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint32(4, bytes.length, true);
  view.setUint32(bytes.length - 4, p.crc32(bytes, 0, bytes.length - 4), true);
  return bytes;
}

function withItems(p, items, quantumNs = 1) {
  const header = [0x46, 0x52, 3, 0, 0, 0, 0, 0, ...new Uint8Array(30), quantumNs];
  return sealed(p, Uint8Array.from([...header, ...items, 0, 0, 0, 0]));
}

function anchorVectors(p) {
  const anchor = {
    traceId: TRACE,
    stream: 'mic',
    direction: 'up',
    sampleRate: 16_000,
    tick: 48_000,
    domain: 'fedcba9876543210',
    epoch: 1,
    originNs: 123_456_789_012,
  };
  const echo = { domain: '00000000000000aa', epoch: 3, originNs: -9, heldNs: 1_500_000 };
  const anchors = [anchor, { ...anchor, stream: 'agënt', direction: 'down', tick: 2 ** 45, echo }];
  const accepted = anchors.map(each => ({ anchor: each, text: p.anchorToText(each) }));
  const bytes = p.encodeAnchor(anchor);
  const refused = [
    ['wrong CRC', Uint8Array.from(bytes, (byte, i) => (i === 30 ? byte ^ 1 : byte))],
    ['truncated', bytes.slice(0, -1)],
    ['foreign version', Uint8Array.from(bytes, (byte, i) => (i === 2 ? 2 : byte))],
  ].map(([name, damaged]) => ({ name, text: `{"framescope":"${p.toBase64(damaged)}"}` }));
  const tag = { flags: 5, streamNumber: 200, check: p.sessionCheck(TRACE), tickLow: 0xfedcba98 };
  return { accepted, refused, tags: [{ tag, bytes: hex(p.encodeTag(tag)) }] };
}

function sketchVectors(p) {
  const sets = {
    empty: [],
    'zero bucket': [-5, 0, 1_000],
    'powers of two seconds': [250_000_000, 500_000_000, 1_000_000_000, 2_000_000_000],
    latencies: Array.from({ length: 500 }, (_, i) => 20_000_000 + ((i * 7_919) % 499) ** 2 * 100),
  };
  return Object.entries(sets).map(([name, values]) => {
    const sketch = new p.Sketch();
    for (const value of values) sketch.add(value);
    const buckets = [];
    sketch.forEach((index, n) => buckets.push([index, n]));
    return { name, values, bytes: hex(sketch.toBytes()), buckets };
  });
}

/** The document with the attribute table between its two markers. */
export function withAttributeTable(p, document) {
  const lines = p.ATTRIBUTE_TABLE.map(({ name, on, type, unit, meaning }) => {
    const form = unit === '' ? type : `${type}, ${unit}`;
    return `| \`${name}\` | ${on} | ${form} | ${meaning} |`;
  });
  const table = ['| attribute | on | type | meaning |', '| --- | --- | --- | --- |', ...lines];
  return document.replace(
    /(<!-- attributes -->\n)[^]*(<!-- \/attributes -->)/,
    (_, open, close) => `${open}${table.join('\n')}\n${close}`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const protocol = await import('../out/index.js');
  for (const [file, contents] of Object.entries(makeVectors(protocol)))
    writeFileSync(new URL(file, import.meta.url), `${JSON.stringify(contents, null, 1)}\n`);
  const wire = new URL('../../../docs/wire.md', import.meta.url);
  writeFileSync(wire, withAttributeTable(protocol, readFileSync(wire, 'utf8')));
}
