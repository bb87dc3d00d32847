// The whole call in a strip: turns and their waits, with the window that the
// picture shows. Drag the window or its ends; click to go there.

import { brushX, type BrushBehavior, type D3BrushEvent } from 'd3-brush';
import { select, type Selection } from 'd3-selection';
import { palette } from '../../draw/palette.ts';
import { Surface, type PaintArea } from '../../draw/surface.ts';
import { mainWait } from '../../layout/turns.ts';
import type { SessionModel } from '../../state/session-model.ts';
import type { Viewport } from '../../state/viewport.ts';
import { h, s } from '../../ui/dom.ts';

/** For the height of a bar where nobody set a limit. */
const USUAL_NS = 800e6;

export class Overview {
  readonly element: HTMLElement = h('div', { class: 'overview' });
  readonly #surface: Surface;
  readonly #model: SessionModel;
  readonly #brush: BrushBehavior<unknown>;
  readonly #group: Selection<SVGGElement, unknown, null, undefined>;
  readonly #moved: (view: Viewport) => void;
  #view: Viewport = { fromNs: 0, toNs: 1 };
  #endNs = 1;
  #widthPx = 0;

  constructor(model: SessionModel, moved: (view: Viewport) => void) {
    this.#model = model;
    this.#moved = moved;
    const canvas = h('canvas', { 'aria-hidden': 'true' });
    const group = s('g');
    const svg = s('svg', { 'aria-hidden': 'true' }, group);
    this.element.append(canvas, svg);
    this.#surface = new Surface(canvas, (context, area) => this.#paint(context, area));
    this.#brush = brushX<unknown>().handleSize(8);
    this.#brush.on('brush', (event: D3BrushEvent<unknown>) => this.#brushed(event));
    this.#group = select(group);
  }

  show(view: Viewport, endNs: number): void {
    if (view.fromNs === this.#view.fromNs && view.toNs === this.#view.toNs && endNs === this.#endNs)
      return;
    this.#view = view;
    if (endNs !== this.#endNs) this.#surface.invalidate();
    this.#endNs = endNs;
    // The turns stand still while the view moves over them.
    if (this.#widthPx > 0) this.#placeBrush();
  }

  #placeBrush(): void {
    const left = this.#x(this.#view.fromNs);
    this.#group.call(this.#brush.move, [left, Math.max(left + 3, this.#x(this.#view.toNs))]);
  }

  invalidate(): void {
    this.#surface.invalidate();
  }

  close(): void {
    this.#surface.close();
  }

  #x(atNs: number): number {
    return (Math.min(this.#endNs, Math.max(0, atNs)) / this.#endNs) * this.#widthPx;
  }

  #paint(context: CanvasRenderingContext2D, { widthPx, heightPx }: PaintArea): void {
    const colors = palette();
    context.fillStyle = colors.lane;
    context.fillRect(0, 0, widthPx, heightPx);
    if (this.#widthPx !== widthPx) {
      this.#widthPx = widthPx;
      this.#brush.extent([
        [0, 1],
        [widthPx, heightPx - 1],
      ]);
      this.#group.call(this.#brush);
    }
    for (const turn of this.#model.turns) {
      for (const [speech, y, color] of [
        [turn.user, 4, colors.user],
        [turn.agent, 10, colors.agent],
      ] as const) {
        if (!speech) continue;
        context.fillStyle = color;
        context.fillRect(
          this.#x(speech.startNs),
          y,
          Math.max(1, this.#x(speech.endNs) - this.#x(speech.startNs)),
          4,
        );
      }
      const wait = mainWait(turn);
      if (!wait) continue;
      const limitNs = this.#model.limitOfWait(wait);
      const budgetNs = limitNs ?? USUAL_NS;
      const over = limitNs === null ? 0 : wait.waitNs / limitNs;
      const tall = Math.max(
        2,
        (Math.min(wait.waitNs, budgetNs * 2.5) / (budgetNs * 2.5)) * (heightPx - 20),
      );
      context.fillStyle = colors.levels[over > 1.5 ? 5 : over > 1 ? 3 : 2]!;
      context.fillRect(
        this.#x(wait.startNs),
        heightPx - tall - 2,
        Math.max(2, this.#x(wait.startNs + wait.waitNs) - this.#x(wait.startNs)),
        tall,
      );
    }
    this.#placeBrush();
  }

  #brushed(event: D3BrushEvent<unknown>): void {
    if (!event.sourceEvent || event.selection === null) return; // Our own move.
    const [left, right] = event.selection as [number, number];
    if (right - left < 1) return;
    this.#view = {
      fromNs: (left / this.#widthPx) * this.#endNs,
      toNs: (right / this.#widthPx) * this.#endNs,
    };
    this.#moved(this.#view);
  }
}
