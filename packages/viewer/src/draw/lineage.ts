// Paints what lanes carry beside frames: bends of an axis, ranges that a hop declared, words
// over the sound they belong to. Shapes say what colours say.

import type { GapBox, LineageBoxes, WordBox } from '../layout/lineage.ts';
import type { Lanes } from '../layout/lanes.ts';
import { fitted } from './fitted.ts';
import type { Palette } from './palette.ts';

export interface LineagePaint {
  readonly context: CanvasRenderingContext2D;
  readonly lanes: Lanes;
  readonly palette: Palette;
}

export interface LineageTexts {
  rate(hertz: number): string;
  words(text: string): string;
}

const FONT = '11px system-ui, sans-serif';
/** Below this a leg has no room for the text of a bend. */
const LEG_PX_MIN = 22;
const GAP_PX = 7;
/** Between a bar and the frames, for words in small letters. */
const WORDS_PX_MIN = 15;

export function drawLineage(
  paint: LineagePaint,
  { bends, gaps, words }: LineageBoxes,
  texts: LineageTexts,
): void {
  for (const gap of gaps) drawGap(paint, gap);
  drawWords(paint, words, texts);
  const { context, palette, lanes } = paint;
  context.font = FONT;
  context.textAlign = 'left';
  for (const { station, x, rate, isSplice } of bends) {
    const { y } = lanes.stations[station]!;
    context.fillStyle = palette.accent;
    context.beginPath();
    context.moveTo(x, y - 5);
    context.lineTo(x + 5, y);
    context.lineTo(x, y + 5);
    context.lineTo(x - 5, y);
    context.fill();
    if (roomBeneath(lanes, station) < LEG_PX_MIN) continue;
    context.fillStyle = palette.quiet;
    context.fillText(isSplice ? 'splice' : texts.rate(rate), x + 8, y + 12);
  }
}

function roomBeneath({ stations }: Lanes, at: number): number {
  const next = stations[at + 1];
  return next && next.stream === stations[at]!.stream ? next.y - stations[at]!.y : Infinity;
}

/** Made up: full. Thrown away: an empty box. Silence that nobody sends: a dotted line. */
function drawGap({ context, lanes, palette }: LineagePaint, gap: GapBox): void {
  const { y } = lanes.stations[gap.station]!;
  const width = Math.max(2, gap.right - gap.left);
  const top = y - GAP_PX / 2;
  if (gap.kind === 'conceal') {
    context.fillStyle = palette.levels[3]!;
    context.fillRect(gap.left, top, width, GAP_PX);
    return;
  }
  context.strokeStyle = gap.kind === 'drop' ? palette.strong : palette.quiet;
  context.lineWidth = 1;
  if (gap.kind === 'drop') {
    context.fillStyle = palette.ground;
    context.fillRect(gap.left, top, width, GAP_PX);
    context.strokeRect(gap.left + 0.5, top, Math.max(1, width - 1), GAP_PX);
    return;
  }
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(gap.left, y + 0.5);
  context.lineTo(gap.left + width, y + 0.5);
  context.stroke();
  context.setLineDash([]);
}

/** Counted: a whole line. Told by a service: dashes. Guessed: dots. */
const DASHES: Readonly<Record<WordBox['quality'], readonly number[]>> = {
  exact: [],
  reported: [5, 2],
  inferred: [1, 3],
};

/** Beneath the user's bar and above the agent's, on the side where the frames are. */
function drawWords(
  { context, lanes, palette }: LineagePaint,
  words: readonly WordBox[],
  texts: LineageTexts,
): void {
  context.font = FONT;
  context.textAlign = 'center';
  const first = lanes.stations[0]?.y ?? Infinity;
  const last = lanes.stations.at(-1)?.y ?? -Infinity;
  for (const box of words) {
    const isUser = box.who === 'user';
    const y = isUser ? lanes.user.top + lanes.user.height + 3.5 : lanes.agent.top - 3.5;
    const tall = isUser ? -3 : 3;
    // Packed for a small screen, the line alone: the bar itself has the words of its turn.
    const hasRoom = (isUser ? first - y : y - last) >= WORDS_PX_MIN;
    context.strokeStyle = isUser ? palette.user : palette.agent;
    context.lineWidth = 1;
    context.setLineDash([...DASHES[box.quality]]);
    context.beginPath();
    context.moveTo(box.left + 0.5, y + tall);
    context.lineTo(box.left + 0.5, y);
    context.lineTo(box.right - 0.5, y);
    context.lineTo(box.right - 0.5, y + tall);
    context.stroke();
    context.setLineDash([]);
    if (!hasRoom) continue;
    const { text } = fitted(context, texts.words(box.text), box.right - box.left - 6);
    if (text === '') continue;
    context.fillStyle = palette.quiet;
    context.fillText(text, (box.left + box.right) / 2, isUser ? y + 11 : y - 4);
  }
}
