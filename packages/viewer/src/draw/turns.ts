// Paints turns: speech bars, ledgers with their dotted ties, stages.

import type { Band, Lanes } from '../layout/lanes.ts';
import type { LedgerBox, SpeechBox, StageBox } from '../layout/turns.ts';
import { fitted, widthOf } from './fitted.ts';
import { isUnresolved, partColor, type Palette } from './palette.ts';

export interface TurnPaint {
  readonly context: CanvasRenderingContext2D;
  readonly lanes: Lanes;
  readonly palette: Palette;
  readonly leftPx: number;
  readonly widthPx: number;
  readonly selectedTick: number | undefined;
}

const FONT = '11.5px system-ui, sans-serif';

export function drawSpeech(
  paint: TurnPaint,
  boxes: readonly SpeechBox[],
  textOf: (box: SpeechBox) => string,
): void {
  const { context, lanes, palette } = paint;
  context.font = `500 ${FONT}`;
  context.textAlign = 'left';
  for (const box of boxes) {
    const band: Band = box.who === 'user' ? lanes.user : lanes.agent;
    const left = Math.max(box.left, paint.leftPx);
    const right = Math.min(box.right, paint.leftPx + paint.widthPx);
    const width = Math.max(1.5, right - left);
    context.fillStyle = box.who === 'user' ? palette.user : palette.agent;
    // Of a bar this narrow nobody sees the corners, and hundreds of them in an hour cost milliseconds.
    if (width < 6) {
      context.fillRect(left, band.top, width, band.height);
      continue;
    }
    context.beginPath();
    context.roundRect(left, band.top, width, band.height, Math.min(4, width / 2));
    context.fill();
    if (width < 34) continue;
    context.fillStyle = palette.onSpeech;
    context.fillText(
      fitted(context, textOf(box), width - 12).text,
      left + 6,
      band.top + band.height / 2 + 4,
    );
  }
}

/** Below this a ledger's band holds its bar and its total, no figures of the parts. */
const FIGURES_PX_MIN = 48;

/** A digit and its air. */
const TEXT_PX_MIN = 8;

export interface LedgerTexts {
  name(part: string): string;
  number(ns: number): string;
  total(box: LedgerBox): string;
}

export function drawLedgers(
  paint: TurnPaint,
  boxes: readonly LedgerBox[],
  texts: LedgerTexts,
): void {
  for (const box of boxes) {
    drawTies(paint, box);
    drawParts(paint, box, texts);
    drawTotal(paint, box, texts);
  }
}

/** Dotted from the last voiced sample down, and from the first audible one: the wait hangs between. */
function drawTies({ context, lanes, palette, selectedTick }: TurnPaint, box: LedgerBox): void {
  if (box.right - box.left < 24) return;
  context.strokeStyle = box.turn.tick === selectedTick ? palette.strong : palette.quiet;
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  context.beginPath();
  if (box.wait.kind === 'response') {
    context.moveTo(box.left, lanes.user.top + lanes.user.height);
    context.lineTo(box.left, lanes.ledger.top);
  }
  if (box.wait.endNs !== null) {
    context.moveTo(box.right, lanes.ledger.top + lanes.ledger.barPx);
    context.lineTo(box.right, lanes.agent.top);
  }
  context.stroke();
  context.setLineDash([]);
}

function drawParts(
  { context, lanes, palette, selectedTick }: TurnPaint,
  box: LedgerBox,
  texts: LedgerTexts,
): void {
  const { top, barPx } = lanes.ledger;
  const hasFigures = lanes.ledger.height >= FIGURES_PX_MIN;
  context.font = FONT;
  context.textAlign = 'center';
  for (const part of box.parts) {
    const width = part.right - part.left;
    context.fillStyle = partColor(part.name);
    context.fillRect(part.left, top, Math.max(width - (width > 4 ? 1 : 0), 0.5), barPx);
    if (isUnresolved(part.name)) hatch(context, { left: part.left, top, width, height: barPx });
    // No name and no figure is this short: most parts of most waits, which then cost no measuring.
    if (width < TEXT_PX_MIN) continue;
    const name = texts.name(part.name);
    context.fillStyle = '#161b26';
    if (widthOf(context, name) < width - 8)
      context.fillText(name, part.left + width / 2, top + barPx / 2 + 4);
    if (!hasFigures) continue;
    context.fillStyle = palette.quiet;
    const number = texts.number(part.exposedNs);
    if (widthOf(context, number) < width - 2)
      context.fillText(number, part.left + width / 2, top + barPx + 12);
  }
  if (box.turn.tick !== selectedTick) return;
  context.strokeStyle = palette.accent;
  context.lineWidth = 2;
  context.strokeRect(box.left - 1.5, top - 1.5, Math.max(box.right - box.left, 2) + 2, barPx + 3);
}

function hatch(
  context: CanvasRenderingContext2D,
  area: { left: number; top: number; width: number; height: number },
): void {
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.width, area.height);
  context.clip();
  context.strokeStyle = 'rgba(20,26,38,0.4)';
  context.lineWidth = 1;
  context.beginPath();
  for (let x = area.left - area.height; x < area.left + area.width; x += 6) {
    context.moveTo(x, area.top + area.height);
    context.lineTo(x + area.height, area.top);
  }
  context.stroke();
  context.restore();
}

function drawTotal(
  { context, lanes, palette }: TurnPaint,
  box: LedgerBox,
  texts: LedgerTexts,
): void {
  const width = box.right - box.left;
  if (width < 46) return;
  const { top, barPx, height } = lanes.ledger;
  const y = top + barPx + (height >= FIGURES_PX_MIN ? 16 : 2);
  context.strokeStyle = palette.quiet;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(box.left + 0.5, y);
  context.lineTo(box.left + 0.5, y + 4);
  context.lineTo(box.right - 0.5, y + 4);
  context.lineTo(box.right - 0.5, y);
  context.stroke();
  context.font = '600 12px system-ui, sans-serif';
  context.fillStyle = palette.text;
  context.textAlign = 'center';
  context.fillText(texts.total(box), (box.left + box.right) / 2, y + 16);
}

export function drawStages(
  paint: TurnPaint,
  boxes: readonly StageBox[],
  colorOf: (name: string) => string,
): void {
  const { context, lanes, palette } = paint;
  const { top, rowPx } = lanes.stages;
  const pad = rowPx < 15 ? 2 : 3;
  for (const box of boxes) {
    const y = top + box.row * rowPx + pad;
    const width = Math.max(1.5, box.right - box.left);
    context.fillStyle = colorOf(box.stage.name);
    context.globalAlpha = box.stage.discarded ? 0.25 : 0.55;
    context.fillRect(box.left, y, width, rowPx - 2 * pad);
    context.globalAlpha = 1;
    if (box.stage.discarded)
      hatch(context, { left: box.left, top: y, width, height: rowPx - 2 * pad });
    if (box.first === undefined || width < 6) continue;
    context.fillStyle = palette.strong;
    context.fillRect(box.first - 0.75, y - 1, 1.5, rowPx - 2 * pad + 2);
  }
}

/** For the height of a bar where nobody set a limit. */
const USUAL_NS = 800e6;

/** From far: a bar a turn, as tall as its wait, coloured by its budget. */
export function drawWaits(
  paint: TurnPaint,
  boxes: readonly LedgerBox[],
  limitNs: number | null,
): void {
  const { context, lanes, palette } = paint;
  const { top, height } = lanes.ledger;
  const budgetNs = limitNs ?? Infinity;
  const capNs = (limitNs ?? USUAL_NS) * 3;
  for (const box of boxes) {
    const { waitNs } = box.wait;
    const level =
      waitNs > budgetNs * 2 ? 5 : waitNs > budgetNs * 1.25 ? 4 : waitNs > budgetNs ? 3 : 2;
    const tall = Math.max(3, (Math.min(waitNs, capNs) / capNs) * height);
    context.fillStyle = palette.levels[level]!;
    context.fillRect(
      box.left - 1,
      top + height - tall,
      Math.max(2, Math.min(box.right - box.left, 6)),
      tall,
    );
  }
  if (limitNs === null) return;
  context.fillStyle = palette.quiet;
  const y = Math.round(top + height - height / 3);
  for (let x = paint.leftPx; x < paint.leftPx + paint.widthPx; x += 5) context.fillRect(x, y, 1, 1);
}
