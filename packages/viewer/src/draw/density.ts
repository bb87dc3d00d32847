// Paints a hop seen from far: a column a pixel, as tall as its worst frame,
// coloured by the share over budget; lost frames as ticks at the top.

import { heatOf, latencyShare, type DensityColumns } from '../layout/density.ts';
import type { Palette } from './palette.ts';
import { PixelBuffer, wordOf } from './pixels.ts';

export interface DensityPlace {
  readonly leftPx: number;
  readonly topPx: number;
  readonly heightPx: number;
  readonly budgetNs: number;
  /** Device pixels a CSS pixel. */
  readonly ratio: number;
  readonly palette: Palette;
}

const buffer = new PixelBuffer();

/** Each column once, at device pixels: 12 lanes of 1,700 columns in 2 ms, where a fill each took 9. */
export function drawDensity(
  context: CanvasRenderingContext2D,
  columns: DensityColumns,
  place: DensityPlace,
): void {
  const { palette, ratio } = place;
  const width = Math.round(columns.width * ratio);
  const height = Math.max(1, Math.round(place.heightPx * ratio));
  const words = buffer.start(width, height, wordOf(palette.lane));
  const heats = palette.heat.map(wordOf);
  for (let px = 0; px < columns.width; px++) {
    const count = columns.count[px]!;
    if (count === 0) continue;
    const share = latencyShare(columns.worstNs[px]!, place.budgetNs);
    const tall = Math.round(Math.max(2, share * (place.heightPx - 2)) * ratio);
    const word = heats[heatOf(columns.over[px]!, count)]!;
    const right = Math.min(width, Math.round((px + 1) * ratio));
    for (let x = Math.round(px * ratio); x < right; x++)
      for (let y = height - tall; y < height; y++) words[y * width + x] = word;
  }
  buffer.put(context, Math.round(place.leftPx * ratio), Math.round(place.topPx * ratio));
  drawWorst(context, columns, place);
  drawLostTicks(context, columns, place);
  drawBudget(context, columns.width, place);
}

/** A dot on each worst that is over budget: found at a glance however narrow its column. */
function drawWorst(
  context: CanvasRenderingContext2D,
  columns: DensityColumns,
  place: DensityPlace,
): void {
  context.fillStyle = place.palette.levels[4]!;
  for (let px = 0; px < columns.width; px++) {
    if (columns.worstNs[px]! <= place.budgetNs) continue;
    const height = latencyShare(columns.worstNs[px]!, place.budgetNs) * (place.heightPx - 2);
    context.fillRect(place.leftPx + px - 1, place.topPx + place.heightPx - height - 1, 2, 2);
  }
}

function drawLostTicks(
  context: CanvasRenderingContext2D,
  columns: DensityColumns,
  place: DensityPlace,
): void {
  context.fillStyle = place.palette.strong;
  for (let px = 0; px < columns.width; px++) {
    const lost = columns.lost[px]!;
    if (lost > 0)
      context.fillRect(place.leftPx + px, place.topPx, 1, Math.min(place.heightPx * 0.5, 3 + lost));
  }
}

function drawBudget(context: CanvasRenderingContext2D, widthPx: number, place: DensityPlace): void {
  const y = Math.round(place.topPx + place.heightPx / 2) + 0.5;
  context.strokeStyle = place.palette.quiet;
  context.globalAlpha = 0.6;
  context.lineWidth = 1;
  context.setLineDash([1, 4]);
  context.beginPath();
  context.moveTo(place.leftPx, y);
  context.lineTo(place.leftPx + widthPx, y);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}
