// Paints a hop seen from far: a column a pixel, as tall as its worst frame,
// coloured by the share over budget; lost frames as ticks at the top.

import { heatOf, latencyShare, type DensityColumns } from '../layout/density.ts';
import type { Palette } from './palette.ts';

export interface DensityPlace {
  readonly leftPx: number;
  readonly topPx: number;
  readonly heightPx: number;
  readonly budgetNs: number;
  readonly palette: Palette;
}

export function drawDensity(
  context: CanvasRenderingContext2D,
  columns: DensityColumns,
  place: DensityPlace,
): void {
  const { leftPx, topPx, heightPx, palette } = place;
  context.fillStyle = palette.lane;
  context.fillRect(leftPx, topPx, columns.width, heightPx);
  const bottom = topPx + heightPx;
  for (let heat = 0; heat < palette.heat.length; heat++) {
    context.fillStyle = palette.heat[heat]!;
    for (let px = 0; px < columns.width; px++) {
      const count = columns.count[px]!;
      if (count === 0 || heatOf(columns.over[px]!, count) !== heat) continue;
      const height = Math.max(
        2,
        latencyShare(columns.worstNs[px]!, place.budgetNs) * (heightPx - 2),
      );
      context.fillRect(leftPx + px, bottom - height, 1, height);
    }
  }
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
