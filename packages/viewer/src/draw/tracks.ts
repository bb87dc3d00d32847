// Paints tracks: areas with a line for what was aimed at, and waveforms. Decides colours, never
// positions or values.

import type { Palette } from './palette.ts';

export interface TrackArea {
  readonly leftPx: number;
  readonly topPx: number;
  readonly heightPx: number;
}

export interface LevelPaint {
  readonly area: TrackArea;
  /** One a pixel, 0 to 1; NaN: not known. */
  readonly shares: Float32Array;
  readonly target: Float32Array | undefined;
  readonly look: 'level' | 'ahead' | 'bad';
  /** Shares from here on are something bad. */
  readonly badShare: number;
}

export function drawLevel(
  context: CanvasRenderingContext2D,
  palette: Palette,
  { area, shares, target, look, badShare }: LevelPaint,
): void {
  ground(context, palette, area, shares.length);
  const { leftPx, topPx, heightPx } = area;
  const usual = {
    level: palette.levels[2]!,
    ahead: palette.fanEdge,
    bad: palette.levels[4]!,
  }[look];
  for (let x = 0; x < shares.length; x++) {
    const share = shares[x]!;
    if (!(share >= 0)) continue;
    context.fillStyle = share >= badShare ? palette.levels[4]! : usual;
    // What is known to be nothing is a line on the ground.
    const tall = Math.max(share === 0 ? 0.5 : 1, share * heightPx);
    context.fillRect(leftPx + x, topPx + heightPx - tall, 1, tall);
  }
  if (!target) return;
  context.fillStyle = palette.strong;
  for (let x = 0; x < target.length; x++)
    if (target[x]! >= 0)
      context.fillRect(leftPx + x, topPx + heightPx - target[x]! * heightPx - 0.5, 1, 1);
}

export interface WavePaint {
  readonly area: TrackArea;
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly who: 'user' | 'agent' | undefined;
}

export function drawWave(
  context: CanvasRenderingContext2D,
  palette: Palette,
  { area, low, high, who }: WavePaint,
): void {
  ground(context, palette, area, low.length);
  const middle = area.topPx + area.heightPx / 2;
  const half = area.heightPx / 2 - 1;
  context.fillStyle =
    who === 'user' ? palette.user : who === 'agent' ? palette.agent : palette.worst;
  for (let x = 0; x < low.length; x++) {
    if (Number.isNaN(low[x]!)) continue;
    const top = middle - high[x]! * half;
    context.fillRect(area.leftPx + x, top, 1, Math.max(1, (high[x]! - low[x]!) * half));
  }
}

function ground(
  context: CanvasRenderingContext2D,
  palette: Palette,
  { leftPx, topPx, heightPx }: TrackArea,
  widthPx: number,
): void {
  context.fillStyle = palette.lane;
  context.fillRect(leftPx, topPx, widthPx, heightPx);
}
