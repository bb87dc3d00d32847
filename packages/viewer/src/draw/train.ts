// Paints the timetable. Decides colours, never positions.

import { LEVEL_COUNT, LINES_MAX, type ChosenFrame, type Train } from '../layout/train.ts';
import type { Lanes } from '../layout/lanes.ts';
import type { Tint } from '../layout/speech.ts';
import type { Palette } from './palette.ts';
import { isSteep, SteepLines, writeLine } from './pixel-lines.ts';
import { PixelLayer, wordOf } from './pixels.ts';

export interface TrainPaint {
  readonly context: CanvasRenderingContext2D;
  readonly lanes: Lanes;
  readonly palette: Palette;
  readonly hairPx: number;
}

export function drawTints({ context, lanes, palette }: TrainPaint, tints: readonly Tint[]): void {
  for (const tint of tints) {
    const leg = lanes.legs[tint.leg]!;
    context.fillStyle = tint.who === 'user' ? palette.userTint : palette.agentTint;
    context.beginPath();
    context.moveTo(tint.topLeft, lanes.stations[leg.from]!.y);
    context.lineTo(tint.topRight, lanes.stations[leg.from]!.y);
    context.lineTo(tint.bottomRight, lanes.stations[leg.to]!.y);
    context.lineTo(tint.bottomLeft, lanes.stations[leg.to]!.y);
    context.fill();
  }
}

/** Calm lines first, the worst on top. */
export function drawTrain(paint: TrainPaint, train: Train): void {
  drawFans(paint, train);
  if (train.lines.count > STROKED_MAX) rasterLines(paint, train);
  else strokeLines(paint, train);
  drawLost(paint, train);
}

/**
 * Beyond these, lines are written into pixels by hand: 20,000 cost the canvas 8 ms, us 2. They lie a
 * pixel apart then, and that their edges are not smooth cannot be seen.
 */
const STROKED_MAX = 5_000;

/** One path a level. */
function strokeLines({ context, lanes, palette, hairPx }: TrainPaint, { lines }: Train): void {
  context.lineWidth = hairPx;
  for (let level = 0; level < LEVEL_COUNT; level++) {
    context.strokeStyle = palette.levels[level]!;
    context.beginPath();
    for (let i = 0; i < lines.count; i++) {
      if (lines.level[i] !== level) continue;
      const leg = lanes.legs[lines.leg[i]!]!;
      context.moveTo(lines.x1[i]!, lanes.stations[leg.from]!.y);
      context.lineTo(lines.x2[i]!, lanes.stations[leg.to]!.y);
    }
    context.stroke();
  }
}

let layer: PixelLayer | undefined;
const steep = new SteepLines(LINES_MAX);

function rasterLines({ context, lanes, palette, hairPx }: TrainPaint, { lines }: Train): void {
  const ratio = 1 / hairPx;
  const ys = lanes.stations.map(station => Math.round(station.y * ratio));
  const top = Math.min(...ys);
  const { width } = context.canvas;
  layer ??= new PixelLayer();
  const pixels = layer.start(width, Math.max(...ys) - top);
  // Lines come leg by leg; of each leg calm ones first.
  for (let first = 0, end = 0; first < lines.count; first = end) {
    const leg = lanes.legs[lines.leg[first]!]!;
    while (end < lines.count && lines.leg[end] === lines.leg[first]) end++;
    const place = { y1: ys[leg.from]! - top, y2: ys[leg.to]! - top };
    for (let level = 0; level < LEVEL_COUNT; level++) {
      const word = wordOf(palette.levels[level]!);
      steep.start(place.y2 - place.y1);
      for (let i = first; i < end; i++) {
        if (lines.level[i] !== level) continue;
        const x1 = lines.x1[i]! * ratio;
        const x2 = lines.x2[i]! * ratio;
        if (isSteep({ x1, x2, ...place })) steep.add(x1, x2);
        else writeLine(pixels, width, { x1, x2, ...place, word });
      }
      steep.write(pixels, width, place.y1, word);
    }
  }
  layer.draw(context, 0, top);
}

function drawFans({ context, lanes, palette, hairPx }: TrainPaint, train: Train): void {
  context.fillStyle = palette.fan;
  context.strokeStyle = palette.fanEdge;
  context.lineWidth = hairPx;
  for (const fan of train.fans) {
    const leg = lanes.legs[fan.leg]!;
    const top = lanes.stations[leg.from]!.y;
    const bottom = lanes.stations[leg.to]!.y;
    context.beginPath();
    context.moveTo(fan.left, bottom);
    context.lineTo(fan.x, top);
    context.lineTo(fan.right, bottom);
    context.fill();
    context.stroke();
  }
  context.fillStyle = palette.fanEdge;
  for (const fan of train.fans)
    context.fillRect(fan.x - 2, lanes.stations[lanes.legs[fan.leg]!.from]!.y - 3, 4, 6);
}

const STUB_PX = 12;

function drawLost({ context, lanes, palette }: TrainPaint, train: Train): void {
  context.strokeStyle = palette.strong;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const { station, x } of train.lost) {
    const y = lanes.stations[station]!.y;
    context.moveTo(x, y);
    context.lineTo(x + 2, y + STUB_PX - 3);
    context.moveTo(x - 1, y + STUB_PX - 3);
    context.lineTo(x + 5, y + STUB_PX + 3);
    context.moveTo(x + 5, y + STUB_PX - 3);
    context.lineTo(x - 1, y + STUB_PX + 3);
  }
  context.stroke();
}

/** The frame under the pointer or chosen: black, with its time at each hop and the clock error as whiskers. */
export function drawChosen(paint: TrainPaint, frame: ChosenFrame, texts: ChosenTexts): void {
  const { context, lanes, palette } = paint;
  const y = (i: number): number => lanes.stations[frame.points[i]!.station]!.y;
  for (const [color, width] of [
    [palette.ground, 5],
    [palette.strong, 2],
  ] as const) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    frame.points.forEach((point, i) =>
      i === 0 ? context.moveTo(point.x, y(i)) : context.lineTo(point.x, y(i)),
    );
    context.stroke();
  }
  context.fillStyle = palette.strong;
  frame.points.forEach((point, i) => {
    context.beginPath();
    context.arc(point.x, y(i), 3.5, 0, Math.PI * 2);
    context.fill();
  });
  drawWhiskers(paint, frame, texts);
  texts.legs.forEach((text, i) => {
    const point = frame.points[i]!;
    const before = frame.points[i - 1];
    if (!before || text === '' || y(i) - y(i - 1) < 16) return;
    label(paint, {
      text,
      x: Math.max(point.x, before.x) + 9,
      y: (y(i) + y(i - 1)) / 2 + 4,
      isStrong: false,
    });
  });
  const last = frame.points.length - 1;
  label(paint, {
    text: texts.total,
    x: frame.points[last]!.x + 9,
    y: y(last) + 15,
    isStrong: true,
  });
}

export interface ChosenTexts {
  readonly legs: readonly string[];
  readonly total: string;
  /** Half width of the clock error at each point, in CSS pixels. */
  readonly errorPx: readonly number[];
}

function drawWhiskers(
  { context, lanes, palette }: TrainPaint,
  frame: ChosenFrame,
  texts: ChosenTexts,
): void {
  context.strokeStyle = palette.strong;
  context.lineWidth = 1;
  context.beginPath();
  frame.points.forEach((point, i) => {
    const half = texts.errorPx[i] ?? 0;
    if (half < 1) return;
    const y = lanes.stations[point.station]!.y;
    context.moveTo(point.x - half, y);
    context.lineTo(point.x + half, y);
    for (const x of [point.x - half, point.x + half]) {
      context.moveTo(x, y - 4);
      context.lineTo(x, y + 4);
    }
  });
  context.stroke();
}

interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly isStrong: boolean;
}

function label({ context, palette }: TrainPaint, { text, x, y, isStrong }: Label): void {
  context.font = `${isStrong ? 600 : 500} ${isStrong ? 12.5 : 11.5}px system-ui, sans-serif`;
  context.textAlign = 'left';
  context.lineJoin = 'round';
  context.strokeStyle = palette.ground;
  context.lineWidth = 4;
  context.strokeText(text, x, y);
  context.fillStyle = isStrong ? palette.strong : palette.text;
  context.fillText(text, x, y);
}
