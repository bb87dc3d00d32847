// Paints the rows of a trace that are in view: name and service at the left, a bar and its
// length at the right. Decides colours and what fits, never times.

import { labelPxOf, ROW_PX, type FallBar, type FallTook } from '../layout/waterfall.ts';
import { fitted } from './fitted.ts';
import type { Palette } from './palette.ts';

/** One hue a service; a ninth begins again. */
const HUES = [
  '#5b8bd0',
  '#9276c2',
  '#57a9a6',
  '#d0a044',
  '#c86b8a',
  '#6cab7d',
  '#b0855c',
  '#8592a8',
];

export interface FallRow {
  readonly y: number;
  readonly depth: number;
  readonly name: string;
  /** Beside the name: its service, or how many are folded away. */
  readonly beside: string;
  readonly took: string;
  /** Number of the service. */
  readonly service: number;
  readonly bar: FallBar | undefined;
  readonly tookAt: FallTook;
  /** Undefined: nothing beneath. */
  readonly isFolded: boolean | undefined;
  readonly isError: boolean;
  readonly isOpen: boolean;
  readonly isCritical: boolean;
  readonly isChosen: boolean;
  readonly isHovered: boolean;
}

export interface FallPaint {
  readonly context: CanvasRenderingContext2D;
  readonly palette: Palette;
  readonly widthPx: number;
  readonly namePx: number;
  /** Of names; what stands beside is smaller. */
  readonly fontPx: number;
}

const FAMILY = 'system-ui, sans-serif';
const SMALLER_PX = 2;
/** On a bar: every hue is light enough for it. */
const ON_BAR = '#161b26';
/** Narrower than this the names have the column to themselves. */
const BESIDE_PX_MIN = 300;
const BAR_PX = 14;

/**
 * A font and a colour at a time over all rows: setting a font costs a canvas more than the
 * text of a row.
 */
export function drawFall(paint: FallPaint, rows: readonly FallRow[]): void {
  const { context, palette, namePx, fontPx } = paint;
  const small = `${fontPx - SMALLER_PX}px ${FAMILY}`;
  context.textBaseline = 'middle';
  for (const row of rows) drawGround(paint, row);
  for (const row of rows) drawBar(paint, row);
  context.font = small;
  for (const row of rows) drawTook(paint, row);
  context.textAlign = 'left';
  context.font = `${fontPx}px ${FAMILY}`;
  const ends = rows.map(row => drawName(paint, row));
  context.fillStyle = palette.quiet;
  context.font = small;
  if (namePx >= BESIDE_PX_MIN) rows.forEach((row, i) => drawBeside(paint, row, ends[i]!));
  context.textBaseline = 'alphabetic';
}

function drawGround({ context, palette, widthPx }: FallPaint, row: FallRow): void {
  if (!row.isChosen && !row.isHovered) return;
  context.fillStyle = row.isChosen ? palette.chosen : palette.hover;
  context.fillRect(0, row.y, widthPx, ROW_PX);
}

function drawBar({ context, palette }: FallPaint, row: FallRow): void {
  const { bar } = row;
  if (!bar) return;
  const width = bar.right - bar.left;
  const top = row.y + (ROW_PX - BAR_PX) / 2;
  context.fillStyle = HUES[row.service % HUES.length]!;
  // Of a bar this narrow nobody sees the corners.
  if (width < 6) context.fillRect(bar.left, top, width, BAR_PX);
  else {
    context.beginPath();
    context.roundRect(bar.left, top, width, BAR_PX, 3);
    context.fill();
  }
  // On the critical path: underlined, whatever its colour.
  if (row.isCritical) {
    context.fillStyle = palette.text;
    context.fillRect(bar.left, top + BAR_PX, width, 3);
  }
  if (row.isError) {
    context.strokeStyle = palette.error;
    context.lineWidth = 2;
    context.strokeRect(bar.left, top, Math.max(2, width), BAR_PX);
  }
  if (!row.isOpen) return;
  context.fillStyle = palette.text;
  for (let dash = 0; dash < 3; dash++) context.fillRect(bar.right - 2, top + dash * 5, 2, 3);
}

function drawTook({ context, palette }: FallPaint, row: FallRow): void {
  const { x, align, isInside } = row.tookAt;
  context.fillStyle = isInside
    ? ON_BAR
    : row.isChosen || row.isHovered
      ? palette.text
      : palette.quiet;
  context.textAlign = align;
  context.fillText(row.took, x + (align === 'left' ? 6 : -6), row.y + ROW_PX / 2);
}

/** Answers where the name ends. */
function drawName({ context, palette, namePx, fontPx }: FallPaint, row: FallRow): number {
  let x = labelPxOf(row.depth);
  const middle = row.y + ROW_PX / 2;
  if (row.isFolded !== undefined) drawTwist(context, palette, { x: x - 15, middle, ...row });
  if (row.isError) {
    context.fillStyle = palette.error;
    context.fillText('✕', x, middle);
    x += fontPx + SMALLER_PX;
  }
  context.fillStyle = palette.text;
  const { text, widthPx } = fitted(context, row.name, namePx - x - 8);
  context.fillText(text, x, middle);
  return x + widthPx;
}

/** A triangle that points at what is beneath, or at what is hidden. */
function drawTwist(
  context: CanvasRenderingContext2D,
  palette: Palette,
  { x, middle, isFolded }: { x: number; middle: number; isFolded: boolean | undefined },
): void {
  context.fillStyle = palette.quiet;
  context.beginPath();
  if (isFolded === true) {
    context.moveTo(x - 2, middle - 4);
    context.lineTo(x + 4, middle);
    context.lineTo(x - 2, middle + 4);
  } else {
    context.moveTo(x - 4, middle - 2.5);
    context.lineTo(x + 4, middle - 2.5);
    context.lineTo(x, middle + 3.5);
  }
  context.fill();
}

function drawBeside({ context, namePx }: FallPaint, row: FallRow, endPx: number): void {
  const { text } = fitted(context, row.beside, namePx - endPx - 14);
  if (text !== '') context.fillText(text, endPx + 6, row.y + ROW_PX / 2 + 1);
}
