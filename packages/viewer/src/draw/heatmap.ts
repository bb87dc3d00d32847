// Paints the heatmap: cells into ImageData (a fill a cell would cost ten times
// as much), strips and dots as shapes. Decides colours, never positions.

import { columnX, SHADES, shadeOf, type HeatCells, type HeatFrame } from '../layout/heatmap.ts';
import type { Palette } from './palette.ts';
import { PixelBuffer, wordOf } from './pixels.ts';

type Rgb = readonly [number, number, number];

/** One hue, light to dark (on dark ground: dim to bright); the first step already stands off the ground. */
const RAMPS: Readonly<Record<'light' | 'dark', readonly Rgb[]>> = {
  light: [
    [176, 205, 235],
    [98, 154, 214],
    [38, 99, 176],
    [12, 44, 96],
  ],
  dark: [
    [34, 62, 105],
    [47, 104, 176],
    [93, 160, 231],
    [206, 230, 255],
  ],
};

function ramp(theme: 'light' | 'dark', shade: number): Rgb {
  const stops = RAMPS[theme];
  const at = ((shade - 1) / (SHADES - 1)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(at));
  const mix = (i: number): number =>
    Math.round(stops[low]![i]! + (stops[low + 1]![i]! - stops[low]![i]!) * (at - low));
  return [mix(0), mix(1), mix(2)];
}

export interface HeatPaint {
  readonly context: CanvasRenderingContext2D;
  readonly frame: HeatFrame;
  readonly palette: Palette;
  readonly theme: 'light' | 'dark';
  /** Device pixels a CSS pixel. */
  readonly ratio: number;
}

const buffer = new PixelBuffer();

export function drawCells(paint: HeatPaint, cells: HeatCells): void {
  const { context, frame, palette, theme, ratio } = paint;
  const left = Math.round(frame.leftPx * ratio);
  const top = Math.round(frame.scale.topPx * ratio);
  const width = Math.round(frame.widthPx * ratio);
  const height = Math.round(frame.scale.heightPx * ratio);
  const words = buffer.start(width, height, wordOf(palette.ground));
  const colors = Array.from({ length: SHADES + 1 }, (_, shade) => {
    const [r, g, b] = ramp(theme, Math.max(1, shade));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
  const edge = Array.from(cells.edgeY, y => Math.round(y * ratio) - top);
  for (let column = 0; column < cells.columns; column++) {
    const x0 = Math.floor((column / cells.columns) * width);
    const x1 = Math.max(x0 + 1, Math.floor(((column + 1) / cells.columns) * width));
    for (let row = 0; row < cells.rows; row++) {
      const shade = shadeOf(cells.count[column * cells.rows + row]!, cells.fullCount);
      if (shade === 0) continue;
      const y0 = Math.max(0, edge[row + 1]!);
      const y1 = Math.min(height, Math.max(y0 + 1, edge[row]!));
      const word = colors[shade]!;
      for (let y = y0; y < y1; y++)
        for (let at = y * width + x0; at < y * width + x1; at++) words[at] = word;
    }
  }
  buffer.put(context, left, top);
}

/** Strips: solid for never answered and lost (what failed), hatched for beyond the axis. */
export function drawStrips({ context, frame, palette }: HeatPaint): void {
  for (const strip of frame.strips) {
    context.fillStyle = palette.lane;
    context.fillRect(frame.leftPx, strip.top, frame.widthPx, strip.height);
    const most = Math.max(...strip.counts);
    context.fillStyle = strip.name === 'over' ? palette.levels[4]! : palette.error;
    strip.counts.forEach((count, column) => {
      if (count === 0) return;
      const x = columnX(frame, column);
      const height = Math.max(3, Math.sqrt(count / most) * strip.height);
      context.fillRect(
        x,
        strip.top + strip.height - height,
        Math.max(2, columnX(frame, column + 1) - x),
        height,
      );
    });
  }
}

/** Share over budget, a bar a column: as tall as its share, full colour where it passes the top. */
export function drawBurn({ context, frame, palette }: HeatPaint): void {
  const { burn } = frame;
  if (!burn) return;
  context.fillStyle = palette.lane;
  context.fillRect(frame.leftPx, burn.top, frame.widthPx, burn.height);
  burn.shares.forEach((share, column) => {
    if (!(share > 0)) return;
    const x = columnX(frame, column);
    const tall = Math.max(1.5, Math.min(1, share / burn.most) * burn.height);
    context.fillStyle = share > burn.most ? palette.levels[5]! : palette.levels[4]!;
    context.fillRect(
      x,
      burn.top + burn.height - tall,
      Math.max(1, columnX(frame, column + 1) - x - 0.5),
      tall,
    );
  });
}

/** Load of instances: a bar a stretch of time, in another colour from where it is too much. */
export function drawLoads({ context, frame, palette }: HeatPaint): void {
  for (const { row, top, height } of frame.loads) {
    context.fillStyle = palette.lane;
    context.fillRect(frame.leftPx, top, frame.widthPx, height);
    for (const { from, to, value } of row.bars) {
      const x = frame.leftPx + from * frame.widthPx;
      const tall = Math.max(value === 0 ? 0.5 : 1, Math.min(1, value / row.most) * height);
      context.fillStyle = value >= row.badFrom ? palette.levels[4]! : palette.levels[2]!;
      context.fillRect(x, top + height - tall, Math.max(1, (to - from) * frame.widthPx), tall);
    }
  }
}

export interface Dot {
  readonly x: number;
  readonly y: number;
  readonly isCensored: boolean;
}

/** Few values: each its own dot; open ones were never answered. */
export function drawDots({ context, palette }: HeatPaint, dots: readonly Dot[]): void {
  context.lineWidth = 1.5;
  for (const dot of dots) {
    context.beginPath();
    context.arc(dot.x, dot.y, 3.5, 0, Math.PI * 2);
    context.fillStyle = context.strokeStyle = dot.isCensored ? palette.error : palette.accent;
    context.globalAlpha = 0.75;
    if (dot.isCensored) context.stroke();
    else context.fill();
    context.globalAlpha = 1;
  }
}
