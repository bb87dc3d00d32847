// What is painted, read from a log of the canvas: shapes, their order, what is written and what is cut.

import type { SessionDetail, Turn, Wait } from '@framescope/protocol';
import { beforeAll, expect, test, vi } from 'vitest';
import { drawDensity } from '../src/draw/density.ts';
import { drawLineage } from '../src/draw/lineage.ts';
import { LIGHT, PARTS } from '../src/draw/palette.ts';
import { drawLevel } from '../src/draw/tracks.ts';
import { drawTrain } from '../src/draw/train.ts';
import { drawLedgers, drawSpeech } from '../src/draw/turns.ts';
import { drawFall, type FallRow } from '../src/draw/waterfall.ts';
import { makeDensity } from '../src/layout/density.ts';
import { layoutLineage } from '../src/layout/lineage.ts';
import { layoutTrain, makeTrain } from '../src/layout/train.ts';
import { layoutLedgers, layoutSpeech } from '../src/layout/turns.ts';
import { barOf, isTwist, labelPxOf, rowAt, rowsInView } from '../src/layout/waterfall.ts';
import { DrawLog } from './draw-log.ts';
import { lanesOf, rowsOf, scaleOf, TICKS } from './pictures.ts';

const MS = 1e6;
const palette = LIGHT;

/** Node has none; only its size and its bytes are looked at. */
class Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.data = new Uint8ClampedArray(width * height * 4);
  }
}

beforeAll(() => {
  vi.stubGlobal('ImageData', Pixels);
});

// ---- the waterfall ------------------------------------------------------------------------------

const rowWith = (row: Partial<FallRow> = {}): FallRow => ({
  y: 0,
  depth: 0,
  name: 'turn',
  beside: 'agent',
  took: '12 ms',
  service: 0,
  bar: { left: 400, right: 500 },
  tookAt: { x: 500, align: 'left', isInside: false },
  isFolded: undefined,
  isError: false,
  isOpen: false,
  isCritical: false,
  isChosen: false,
  isHovered: false,
  ...row,
});

function fallOf(...rows: FallRow[]): DrawLog {
  const log = new DrawLog();
  drawFall({ context: log.context, palette, widthPx: 1000, namePx: 360, fontPx: 14 }, rows);
  return log;
}

test('a row of the waterfall is its bar, its length, its name and its service', () => {
  expect(fallOf(rowWith()).lines).toEqual([
    'area R400 6 100 14 r3 #5b8bd0',
    `text "12 ms" 506 13 ${palette.quiet}`,
    `text "turn" 32 13 ${palette.text}`,
    `text "agent" 62 14 ${palette.quiet}`,
  ]);
});

test('the chosen row has a ground, an error a cross and a box, the critical path a line beneath', () => {
  const { lines } = fallOf(rowWith({ isChosen: true, isError: true, isCritical: true }));
  expect(lines[0]).toBe(`rect 0 0 1000 26 ${palette.chosen}`);
  expect(lines).toContain(`rect 400 20 100 3 ${palette.text}`);
  expect(lines).toContain(`box 400 6 100 14 ${palette.error}`);
  expect(lines).toContain(`text "✕" 32 13 ${palette.error}`);
});

test('a fold points at what it hides, an open span ends in dashes', () => {
  const [folded] = fallOf(rowWith({ isFolded: true }))
    .of('area')
    .slice(1);
  const [open] = fallOf(rowWith({ isFolded: false }))
    .of('area')
    .slice(1);
  expect([folded, open]).toEqual([
    `area M15 9 L21 13 L15 17 ${palette.quiet}`,
    `area M13 10.5 L21 10.5 L17 16.5 ${palette.quiet}`,
  ]);
  expect(fallOf(rowWith({ isOpen: true })).of('rect')).toEqual(
    [6, 11, 16].map(y => `rect 498 ${y} 2 3 ${palette.text}`),
  );
});

test('a name as long as the column is cut with an ellipsis, and nothing is written beside it', () => {
  const log = fallOf(rowWith({ name: 'n'.repeat(80) }));
  const [took, name, ...more] = log.of('text');
  expect(took).toContain('12 ms');
  expect(name).toBe(`text "${'n'.repeat(52)}…" 32 13 ${palette.text}`);
  expect(more).toEqual([]);
});

test('a bar is cut at both sides of its column, and a length is written where there is room', () => {
  const room = { widthPx: 1000, namePx: 200 };
  const window = { fromNs: 0, toNs: 800 };
  const at = (startNs: number, lengthNs: number): unknown =>
    Object.values(barOf({ startNs, lengthNs }, window, room));
  const beside = { align: 'left', isInside: false };
  const before = { align: 'right', isInside: false };
  expect(at(100, 200)).toEqual([
    { left: 300, right: 500 },
    { x: 500, ...beside },
  ]);
  expect(at(100, 700)).toEqual([
    { left: 300, right: 1000 },
    { x: 300, ...before },
  ]);
  // As wide as the column: on the bar, at its end.
  expect(at(50, 750)).toEqual([
    { left: 250, right: 1000 },
    { x: 1000, align: 'right', isInside: true },
  ]);
  expect(at(-500, 600)).toEqual([
    { left: 200, right: 300 },
    { x: 300, ...beside },
  ]);
  expect(at(100, 0)).toEqual([
    { left: 300, right: 302 },
    { x: 302, ...beside },
  ]);
  expect([at(-500, 100), at(900, 100)]).toEqual([
    [undefined, { x: 200, ...beside }],
    [undefined, { x: 1000, ...before }],
  ]);
});

test('a span that ends before it begins is a bar of its least width, where it begins', () => {
  const { bar } = barOf(
    { startNs: 400, lengthNs: -300 },
    { fromNs: 0, toNs: 800 },
    { widthPx: 1000, namePx: 200 },
  );
  expect(bar).toEqual({ left: 600, right: 602 });
});

test('rows in view are those that a pixel of is seen; a press finds its row, beneath the last none', () => {
  const room = { scrollPx: 27, heightPx: 52, widthPx: 0, namePx: 0 };
  expect(rowsInView(100, room)).toEqual([1, 4]);
  expect(rowsInView(2, room)).toEqual([1, 2]);
  expect(rowsInView(0, room)).toEqual([0, 0]);
  expect([rowAt(3, 27, 0), rowAt(3, 27, 24), rowAt(3, 27, 25), rowAt(3, 27, 51)]).toEqual([
    1,
    1,
    2,
    undefined,
  ]);
});

test('a press on the sign of a fold is no press on the name', () => {
  for (const depth of [0, 3]) {
    const label = labelPxOf(depth);
    expect([isTwist(depth, label - 12), isTwist(depth, label), isTwist(depth, label - 40)]).toEqual(
      [true, false, false],
    );
  }
});

// ---- the timetable ------------------------------------------------------------------------------

test('calm lines are drawn before late ones, and where a frame was lost there is a cross', () => {
  const lanes = lanesOf('send', 'receive');
  const train = makeTrain();
  const rows = new Map([
    ['send', rowsOf('a.b.C')],
    ['receive', rowsOf('.a......b')],
  ]);
  layoutTrain({ lanes, rows, scale: scaleOf(20), isRaw: false, speech: new Map() }, train);
  const log = new DrawLog();
  drawTrain({ context: log.context, lanes, palette, hairPx: 1 }, train);
  const [calm, late, lost] = log.of('line');
  expect(calm).toBe(`line M0 100 L10 200 ${palette.levels[1]}`);
  expect(late).toBe(`line M20 100 L80 200 ${palette.levels[3]}`);
  expect(lost).toMatch(new RegExp(`^line M40 100 L42 109 M39 109 L45 115 .* ${palette.strong}$`));
});

test('from far a column is as tall as its worst, with a dot on each that is over budget', () => {
  const columns = { ...makeDensity(), width: 3 };
  columns.count.set([5, 0, 5]);
  columns.worstNs.set([10 * MS, 0, 160 * MS]);
  columns.over.set([0, 0, 1]);
  columns.lost.set([0, 2, 0]);
  const log = new DrawLog();
  const place = { leftPx: 100, topPx: 50, heightPx: 22, budgetNs: 40 * MS, ratio: 1, palette };
  drawDensity(log.context, columns, place);
  expect(log.lines).toEqual([
    'pixels 3 22 100 50',
    `rect 101 51 2 2 ${palette.levels[4]}`,
    `rect 101 50 1 5 ${palette.strong}`,
    `line M100 61.5 L103 61.5 ${palette.quiet} dash 1 4`,
  ]);
});

// ---- turns --------------------------------------------------------------------------------------

/** `inference 30 unattributed 10`: a wait from 10 ms on, with these parts. */
function turnOf(parts: string): Turn {
  const found = [...parts.matchAll(/(\S+) (\d+)/g)].map(([, name, ms]) => ({
    name: name!,
    exposedNs: Number(ms) * MS,
  }));
  const waitNs = found.reduce((sum, part) => sum + part.exposedNs, 0);
  const startNs = 10 * MS;
  const wait = { kind: 'response', startNs, waitNs, endNs: startNs + waitNs, parts: found };
  return {
    tick: 7,
    user: { startNs: 0, endNs: startNs },
    agent: null,
    words: [{ who: 'user', text: 'Is my order on its way?' }],
    waits: [wait as unknown as Wait],
  } as unknown as Turn;
}

const LANES = {
  ...lanesOf('send'),
  user: { top: 10, height: 20 },
  agent: { top: 180, height: 20 },
  ledger: { top: 100, height: 56, barPx: 22 },
};
const texts = {
  name: (part: string) => part,
  number: (ns: number) => String(ns / MS),
  total: () => 'total',
};

function ledgersOf(parts: string, msWide: number): DrawLog {
  const log = new DrawLog();
  const scale = { ...scaleOf(msWide), widthPx: 600 };
  const paint = { context: log.context, lanes: LANES, palette, leftPx: 0, widthPx: 600 };
  drawLedgers({ ...paint, selectedTick: 7 }, layoutLedgers([turnOf(parts)], scale, 0), texts);
  return log;
}

test('the parts of a ledger lie end to end from the last voiced sample to the first audible one', () => {
  const log = ledgersOf('inference 30 unattributed 10', 60);
  expect(log.of('rect')).toEqual([
    `rect 100 100 299 22 ${PARTS['inference']}`,
    'rect 400 100 99 22 #cfd4dc',
  ]);
  // What has no owner is hatched; the wait hangs on dots; the chosen one has a frame.
  expect(log.of('clip')).toEqual(['clip R400 100 100 22']);
  expect(log.of('line')[0]).toBe(
    `line M100 30 L100 100 M500 122 L500 180 ${palette.strong} dash 2 3`,
  );
  expect(log.of('box')).toEqual([`box 98.5 98.5 402 25 ${palette.accent}`]);
  expect(log.of('text').map(line => line.split('"')[1])).toEqual([
    'inference',
    '30',
    'unattributed',
    '10',
    'total',
  ]);
});

test('a part that is too narrow for its name has its figure, and then nothing', () => {
  const said = (msWide: number): (string | undefined)[] =>
    ledgersOf('inference 30 tool 1', msWide)
      .of('text')
      .map(line => line.split('"')[1]);
  expect(said(60)).toEqual(['inference', '30', '1', 'total']);
  expect(said(600)).toEqual(['30']);
  expect(said(6_000)).toEqual([]);
});

test('a bar of speech has its words, cut to the bar; a sliver has no corners and no words', () => {
  const spoken = (msWide: number): string[] => {
    const log = new DrawLog();
    const scale = { ...scaleOf(msWide), widthPx: 600 };
    const paint = { context: log.context, lanes: LANES, palette, leftPx: 0, widthPx: 600 };
    const boxes = layoutSpeech([turnOf('inference 30')], scale);
    drawSpeech({ ...paint, selectedTick: undefined }, boxes, box => box.turn.words[0]!.text);
    return log.lines;
  };
  expect(spoken(40)).toEqual([
    `area R0 10 150 20 r4 ${palette.user}`,
    `text "Is my order on its way?" 6 24 ${palette.onSpeech}`,
  ]);
  expect(spoken(80)[1]).toBe(`text "Is my ord…" 6 24 ${palette.onSpeech}`);
  expect(spoken(6_000)).toEqual([`rect 0 10 1.5 20 ${palette.user}`]);
});

// ---- lineage and tracks -------------------------------------------------------------------------

type Stream = SessionDetail['streams'][number];
type Lineage = NonNullable<Stream['lineage']>;

function lineageOf(lineage: Partial<Lineage>, isFar = false): DrawLog {
  const lanes = {
    ...lanesOf('mic.agent/receive', 'mic.agent/stt'),
    user: { top: 10, height: 20 },
    agent: { top: 280, height: 20 },
  };
  const whole = {
    segmentCount: 0,
    segments: [],
    gapCount: 0,
    gaps: [],
    derivationCount: 0,
    derivations: [],
    ...lineage,
  };
  const stream = { name: 'mic', direction: 'up', sampleRate: 10_000, lineage: whole };
  const boxes = layoutLineage({
    streams: [stream as unknown as Stream],
    lanes,
    rows: isFar
      ? undefined
      : new Map([
          ['mic.agent/receive', rowsOf('abcdefgh')],
          ['mic.agent/stt', rowsOf('.abcdefgh')],
        ]),
    scale: scaleOf(40),
    isRaw: false,
  });
  const log = new DrawLog();
  const said = { rate: (hertz: number) => `${hertz / 1000} kHz`, words: (text: string) => text };
  drawLineage({ context: log.context, lanes, palette }, boxes, said);
  return log;
}

const gap = (kind: Lineage['gaps'][number]['kind']): Lineage['gaps'][number] => ({
  kind,
  hop: 'agent/stt',
  startTick: 0,
  endTick: 2 * TICKS,
  atNs: 5 * MS,
});

test('what was made up is full, what was thrown away an empty box, silence a dotted line', () => {
  const drawn = (['conceal', 'drop', 'silence'] as const).map(
    kind => lineageOf({ gaps: [gap(kind)] }).lines,
  );
  expect(drawn).toEqual([
    [`rect 50 196.5 20 7 ${palette.levels[3]}`],
    [`rect 50 196.5 20 7 ${palette.ground}`, `box 50.5 196.5 19 7 ${palette.strong}`],
    [`line M50 200.5 L70 200.5 ${palette.quiet} dash 2 3`],
  ]);
});

test('a range at a hop that the call does not show, or out of view, is not drawn', () => {
  const elsewhere = { ...gap('drop'), hop: 'client/playout' };
  const later = { ...gap('drop'), atNs: 90 * MS };
  expect(lineageOf({ gaps: [elsewhere, later] }).lines).toEqual([]);
});

test('a hop that counts by another rate says which from where on; the same rate again is a splice', () => {
  const segment = { role: 'agent', hop: 'receive', nth: 0, sample: 0, tick: 0 };
  const log = lineageOf({
    segments: [
      { ...segment, samples: 3, ticks: 2, atNs: 1 * MS },
      { ...segment, samples: 3, ticks: 2, atNs: 9 * MS },
    ],
  });
  expect(log.of('text').map(line => line.split('"')[1])).toEqual(['15 kHz', 'splice']);
  expect(log.of('area')[0]).toBe(`area M10 95 L15 100 L10 105 L5 100 ${palette.accent}`);
});

test('words stand over the sound they came of, and their line says how well that is known', () => {
  const said = (quality: Lineage['derivations'][number]['quality'], text = 'yes'): DrawLog =>
    lineageOf({
      derivations: [
        { who: 'user', fromTick: TICKS, toTick: 5 * TICKS, text, fromChar: 0, quality, atNs: 0 },
      ],
    });
  expect(said('exact').lines).toEqual([
    `line M10.5 30.5 L10.5 33.5 L39.5 33.5 L39.5 30.5 ${palette.user}`,
    `text "yes" 25 44.5 ${palette.quiet}`,
  ]);
  expect(said('reported').lines[0]).toMatch(/ dash 5 2$/);
  expect(said('inferred').lines[0]).toMatch(/ dash 1 3$/);
  expect(said('exact', 'far too many words').of('text')).toEqual([
    `text "far…" 25 44.5 ${palette.quiet}`,
  ]);
});

test('from far there are no words, and ranges stay where they were told', () => {
  const derivation = { who: 'user', fromTick: 0, toTick: TICKS, text: 'yes', fromChar: 0 } as const;
  const log = lineageOf(
    { gaps: [gap('conceal')], derivations: [{ ...derivation, quality: 'exact', atNs: 0 }] },
    true,
  );
  expect(log.lines).toEqual([`rect 50 196.5 20 7 ${palette.levels[3]}`]);
});

test('a track is an area with its aim as a line, what is bad in its colour, what is not known not drawn', () => {
  const log = new DrawLog();
  drawLevel(log.context, palette, {
    area: { leftPx: 10, topPx: 0, heightPx: 40 },
    shares: Float32Array.from([0.5, Number.NaN, 0, 0.9]),
    target: Float32Array.from([0.75, Number.NaN, Number.NaN, Number.NaN]),
    look: 'level',
    badShare: 0.8,
  });
  expect(log.lines).toEqual([
    `rect 10 0 4 40 ${palette.lane}`,
    `rect 10 20 1 20 ${palette.levels[2]}`,
    `rect 12 39.5 1 0.5 ${palette.levels[2]}`,
    `rect 13 4 1 36 ${palette.levels[4]}`,
    `rect 10 9.5 1 1 ${palette.strong}`,
  ]);
});
