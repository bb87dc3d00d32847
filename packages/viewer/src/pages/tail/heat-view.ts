// The heatmap as an element: cells on a canvas, axes and lines over it, what the
// pointer is on, and what it picks. The big one of the page and each small multiple.

import type { Annotation, Heatmap, Load, Tail } from '@framescope/protocol';
import { inRange } from '../../state/annotations.ts';
import {
  drawBurn,
  drawCells,
  drawDots,
  drawLoads,
  drawStrips,
  type Dot,
  type HeatPaint,
} from '../../draw/heatmap.ts';
import { palette } from '../../draw/palette.ts';
import { Surface, type PaintArea } from '../../draw/surface.ts';
import { nextCell, type CellPlace } from '../../layout/heat-cursor.ts';
import {
  columnAt,
  columnX,
  layoutCells,
  layoutFrame,
  rowAt,
  type HeatCells,
  type HeatFrame,
} from '../../layout/heatmap.ts';
import { loadRows } from '../../layout/load-rows.ts';
import { fromY, toY } from '../../layout/time-scale.ts';
import type { Picked } from '../../state/picked.ts';
import { cut, fill, h, s } from '../../ui/dom.ts';
import { count, duration, plural, share, unixMs, wallTime } from '../../ui/format.ts';
import { markWhole } from '../../ui/marks.ts';
import type { Layers } from '../../ui/save.ts';
import { labelOf } from '../annotate.ts';
import { loadTip } from './load-names.ts';
import { markX, overlay } from './overlay.ts';

const CLICK_PX = 5;
/** Around a dot that was clicked. */
const REACH_PX = 8;

interface Point {
  readonly x: number;
  readonly y: number;
}

export class HeatView {
  readonly element: HTMLElement = h('div', {
    class: 'heat',
    role: 'application',
    'aria-roledescription': 'heatmap',
    tabindex: '0',
  });
  readonly #picked: (picked: Picked) => void;
  readonly #canvas = h('canvas', { 'aria-hidden': 'true' });
  readonly #svg = s('svg', { 'aria-hidden': 'true' });
  readonly #box = s('rect', { class: 'box', visibility: 'hidden' });
  readonly #tip = h('div', { class: 'tip', hidden: true });
  readonly #said = h('p', { class: 'unseen', role: 'status' });
  readonly #surface: Surface;
  /** Buttons on the time axis: reachable by key, and over the canvas. */
  readonly #marks = h('div', { class: 'marks' });
  #annotations: readonly Annotation[] = [];
  #openMark: (mark: Annotation) => void = () => undefined;
  #map: Heatmap | undefined;
  #few: Tail | undefined;
  #load: Load | undefined;
  #chosen: Picked | undefined;
  #frame: HeatFrame | undefined;
  #cells: HeatCells | undefined;
  #laidOutMap: Heatmap | undefined;
  #laidOutOf = '';
  #drag: Point | undefined;
  /** The cell that arrow keys have reached. */
  #cursor: CellPlace | undefined;

  constructor(picked: (picked: Picked) => void) {
    this.#picked = picked;
    this.#surface = new Surface(this.#canvas, (context, area) => this.#paint(context, area));
    this.element.append(this.#canvas, this.#svg, this.#marks, this.#tip, this.#said);
    this.#listen();
  }

  /** `few`: the values themselves, when they are few enough to be dots. */
  show(map: Heatmap, few?: Tail): void {
    if (map.columns !== this.#map?.columns) this.#cursor = undefined;
    this.#map = map;
    this.#few = few;
    const { total, coverage } = map;
    this.element.setAttribute(
      'aria-label',
      `${map.measure.title} from ${wallTime(map.fromUnixNs, Date.now())} to ${wallTime(map.toUnixNs, Date.now())}: ${count(coverage.covered)} in ${plural(coverage.sessions, 'call')}; p50 ${duration(total.p50Ns)}, p95 ${duration(total.p95Ns)}, p99 ${duration(total.p99Ns)}, slowest ${duration(total.maxNs)}. Keys: arrows go from cell to cell, Enter opens what is in it, E the slowest.`,
    );
    this.#surface.invalidate();
  }

  /** Deploys and incidents on the time axis. */
  mark(all: readonly Annotation[], open: (mark: Annotation) => void): void {
    this.#annotations = all;
    this.#openMark = open;
    this.#surface.invalidate();
  }

  /** How busy the instances were in the time of this map: rows beneath its cells. */
  underlay(load: Load): void {
    this.#load = load;
    this.#laidOutMap = undefined;
    this.#surface.invalidate();
  }

  /** Keeps a box drawn: what the panel speaks of. */
  choose(picked: Picked | undefined): void {
    this.#chosen = picked;
    this.#surface.invalidate();
  }

  redraw(): void {
    this.#surface.invalidate();
  }

  get widthPx(): number {
    return this.element.clientWidth;
  }

  /** For exports: what is seen, as it is drawn. */
  get layers(): Layers {
    return { canvas: this.#canvas, svg: this.#svg };
  }

  close(): void {
    this.#surface.close();
  }

  #paint(context: CanvasRenderingContext2D, area: PaintArea): void {
    const colors = palette();
    context.fillStyle = colors.ground;
    context.fillRect(0, 0, area.widthPx, area.heightPx);
    if (!this.#map) return;
    const { frame, cells } = this.#laidOut(this.#map, area);
    const theme = document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light';
    const paint: HeatPaint = { context, frame, palette: colors, theme, ratio: 1 / area.hairPx };
    if (this.#few) drawDots(paint, this.#dots(this.#few, frame));
    else drawCells(paint, cells);
    drawStrips(paint);
    drawBurn(paint);
    drawLoads(paint);
    this.#svg.setAttribute('viewBox', `0 0 ${area.widthPx} ${area.heightPx}`);
    const map = this.#few ? { ...this.#map, exemplars: [] } : this.#map;
    const marks = inRange(this.#annotations, map.fromUnixNs, map.toUnixNs);
    fill(
      this.#svg,
      ...overlay(map, frame, marks),
      ...this.#chosenBox(frame),
      ...this.#cursorBox(frame, cells),
      this.#box,
    );
    this.#placeMarks(map, frame, marks);
    markWhole('tail');
  }

  #placedMarks = '';

  /** As buttons over the foot of their lines; where two would lie on each other the later one says more. */
  #placeMarks(map: Heatmap, frame: HeatFrame, marks: readonly Annotation[]): void {
    const xOf = markX(map, frame);
    const placed = marks.map(mark => ({ mark, x: Math.max(frame.leftPx, xOf(mark.atUnixNs)) }));
    const told = JSON.stringify([
      frame.axisPx,
      placed.map(({ mark, x }) => [mark.id, Math.round(x)]),
    ]);
    if (told === this.#placedMarks) return;
    this.#placedMarks = told;
    const buttons = placed.map(({ mark, x }, i) => {
      const room = (placed[i + 1]?.x ?? frame.leftPx + frame.widthPx) - x;
      // Whole, and cut by its width: what is read out has to have what is seen.
      const text = labelOf(mark, 80);
      const button = h(
        'button',
        {
          class: `mark-button ${mark.kind === 'incident' ? 'incident' : ''}`,
          type: 'button',
          title: `${cut(mark.kind, 20)}: ${cut(mark.text, 200)}`,
          'aria-label': `${cut(mark.kind, 20)} ${cut(mark.text, 80)}`,
          onclick: () => this.#openMark(mark),
        },
        room < 40 ? text.slice(0, 1) : text,
      );
      button.style.left = `${x}px`;
      button.style.maxWidth = `min(22ch, ${Math.max(20, Math.floor(room) - 4)}px)`;
      button.style.top = `${frame.scale.topPx}px`;
      return button;
    });
    fill(this.#marks, ...buttons);
  }

  /** Where everything is: the same until the data or the size is another. */
  #laidOut(map: Heatmap, area: PaintArea): { frame: HeatFrame; cells: HeatCells } {
    const of = `${area.widthPx} ${area.heightPx}`;
    const isSame = this.#laidOutMap === map && this.#laidOutOf === of;
    if (isSame && this.#frame && this.#cells) return { frame: this.#frame, cells: this.#cells };
    const loads = loadRows(this.#load, map);
    const frame = layoutFrame(map, area.widthPx, area.heightPx, loads);
    const cells = layoutCells(map, frame);
    this.#frame = frame;
    this.#cells = cells;
    this.#laidOutMap = map;
    this.#laidOutOf = of;
    return { frame, cells };
  }

  #chosenBox(frame: HeatFrame): SVGElement[] {
    const chosen = this.#chosen;
    if (!chosen || chosen.isNever) return [];
    const x = this.#xOf(chosen.fromMs, frame);
    const held = (ns: number): number =>
      toY(frame.scale, Math.min(frame.scale.maxNs, Math.max(frame.scale.minNs, ns)));
    const y = held(chosen.maxNs);
    return [
      s('rect', {
        class: 'chosen',
        x,
        y,
        width: Math.max(3, this.#xOf(chosen.toMs, frame) - x),
        height: Math.max(3, held(chosen.minNs) - y),
      }),
    ];
  }

  #xOf(atMs: number, frame: HeatFrame): number {
    const map = this.#map!;
    return columnX(frame, ((atMs - unixMs(map.fromUnixNs)) * 1e6) / map.columnNs);
  }

  #dots(few: Tail, frame: HeatFrame): Dot[] {
    return few.items.map(item => ({
      x: this.#xOf(unixMs(item.atUnixNs), frame),
      y: toY(frame.scale, Math.min(frame.scale.maxNs, Math.max(frame.scale.minNs, item.valueNs))),
      isCensored: item.censored,
    }));
  }

  #listen(): void {
    const at = (event: PointerEvent): Point => {
      const box = this.#canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    this.element.addEventListener('keydown', event => this.#key(event));
    this.element.addEventListener('blur', () => {
      this.#tip.hidden = true;
      this.#surface.invalidate();
    });
    this.#canvas.addEventListener('pointerdown', event => {
      this.#drag = at(event);
      this.#canvas.setPointerCapture(event.pointerId);
    });
    this.#canvas.addEventListener('pointermove', event => this.#hover(at(event)));
    this.#canvas.addEventListener('pointerleave', () => (this.#tip.hidden = true));
    this.#canvas.addEventListener('pointercancel', () => this.#drop());
    this.#canvas.addEventListener('pointerup', event => {
      const from = this.#drag;
      this.#drop();
      const picked = from && this.#boxOf(from, at(event));
      if (picked) this.#picked(picked);
    });
  }

  #key(event: KeyboardEvent): void {
    const [frame, cells] = [this.#frame, this.#cells];
    if (!frame || !cells || !this.#map || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' && this.#cursor) this.#picked(this.#cellOf(this.#cursor, cells));
    else {
      const next = nextCell(cells, this.#cursor, event.key);
      if (!next) return;
      this.#cursor = next;
      const point = this.#middleOf(next, frame, cells);
      this.#hover(point);
      this.#said.textContent = this.#tip.innerText;
      this.#surface.invalidate();
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #middleOf({ column, row }: CellPlace, frame: HeatFrame, cells: HeatCells): Point {
    const y = (cells.edgeY[row]! + cells.edgeY[row + 1]!) / 2;
    return { x: columnX(frame, column + 0.5), y };
  }

  #cellOf({ column, row }: CellPlace, cells: HeatCells): Picked {
    const { scale } = this.#frame!;
    const map = this.#map!;
    const columnMs = map.columnNs / 1e6;
    const fromMs = unixMs(map.fromUnixNs) + column * columnMs;
    return {
      fromMs,
      toMs: fromMs + columnMs,
      minNs: fromY(scale, cells.edgeY[row]!),
      maxNs: fromY(scale, cells.edgeY[row + 1]!),
      isNever: false,
    };
  }

  /** The cell that the arrows have reached, while the heatmap has the focus. */
  #cursorBox(frame: HeatFrame, cells: HeatCells): SVGElement[] {
    const at = this.#cursor;
    if (!at || at.column >= cells.columns || document.activeElement !== this.element) return [];
    const x = columnX(frame, at.column);
    const y = cells.edgeY[at.row + 1]!;
    return [
      s('rect', {
        class: 'cursor',
        x: x - 2,
        y: y - 2,
        width: columnX(frame, at.column + 1) - x + 4,
        height: cells.edgeY[at.row]! - y + 4,
      }),
    ];
  }

  #drop(): void {
    this.#drag = undefined;
    this.#box.setAttribute('visibility', 'hidden');
  }

  #hover(point: Point): void {
    if (this.#drag && Math.hypot(point.x - this.#drag.x, point.y - this.#drag.y) > CLICK_PX)
      this.#stretch(this.#drag, point);
    const frame = this.#frame;
    const isOver =
      frame && point.x >= frame.leftPx && point.x <= frame.leftPx + frame.widthPx && this.#cells;
    this.#tip.hidden = !isOver;
    if (!isOver || !frame) return;
    fill(this.#tip, ...this.#tipOf(point, frame));
    const left = Math.min(point.x + 14, this.element.clientWidth - this.#tip.offsetWidth - 8);
    const top = Math.min(point.y + 14, this.element.clientHeight - this.#tip.offsetHeight - 8);
    this.#tip.style.left = `${Math.max(4, left)}px`;
    this.#tip.style.top = `${Math.max(4, top)}px`;
  }

  #stretch(from: Point, to: Point): void {
    const values = {
      x: Math.min(to.x, from.x),
      y: Math.min(to.y, from.y),
      width: Math.abs(to.x - from.x),
      height: Math.abs(to.y - from.y),
      visibility: 'visible',
    };
    for (const [name, value] of Object.entries(values)) this.#box.setAttribute(name, String(value));
  }

  #tipOf({ x, y }: Point, frame: HeatFrame): HTMLElement[] {
    const map = this.#map!;
    const cells = this.#cells!;
    const column = columnAt(frame, x);
    const row = rowAt(cells, y);
    const strip = frame.strips.find(one => y >= one.top && y <= one.top + one.height);
    const inCell = row < 0 ? 0 : cells.count[column * cells.rows + row]!;
    const n = strip ? strip.counts[column]! : inCell;
    const q = map.quantiles[column];
    const startNs = BigInt(map.fromUnixNs) + BigInt(Math.round(column * map.columnNs));
    const over = map.overBudget[column] ?? 0;
    if (frame.burn && y >= frame.burn.top && y <= frame.burn.top + frame.burn.height)
      return [
        h('span', { class: 'strong' }, `${share(over, q?.n ?? 0)} over budget`),
        h(
          'span',
          { class: 'quiet' },
          `${count(over)} of ${count(q?.n ?? 0)} over ${duration(map.measure.budgetNs)} · ${wallTime(String(startNs), Date.now())}`,
        ),
      ];
    const loaded = frame.loads.find(one => y >= one.top && y <= one.top + one.height);
    if (loaded) return loadTip(loaded.row, (x - frame.leftPx) / frame.widthPx, String(startNs));
    const what = strip
      ? { never: 'never answered', lost: 'lost', over: 'above the axis' }[strip.name]
      : `around ${duration(fromY(frame.scale, y))}`;
    return [
      h('span', { class: 'strong' }, `${plural(n, nounOf(map))} ${what ?? ''}`),
      h(
        'span',
        { class: 'quiet' },
        `${wallTime(String(startNs), Date.now())} · all ${count(q?.n ?? 0)}: p50 ${duration(q?.p50Ns)}, slowest ${duration(q?.maxNs)}`,
      ),
    ];
  }

  /** What a press and a release enclose: a cell, a strip's column, a box; around a dot, its surroundings. */
  #boxOf(a: Point, b: Point): Picked | undefined {
    const [map, frame, cells] = [this.#map, this.#frame, this.#cells];
    if (!map || !frame || !cells) return undefined;
    const isClick = Math.hypot(a.x - b.x, a.y - b.y) <= CLICK_PX;
    const times = this.#timesOf(a.x, b.x, isClick);
    const strip = frame.strips.find(one => b.y >= one.top && b.y <= one.top + one.height);
    if (strip && isClick) {
      const isNever = strip.name === 'never';
      return { ...times, minNs: isNever ? 0 : frame.scale.maxNs, maxNs: 1e15, isNever };
    }
    const row = rowAt(cells, b.y);
    const isCell = isClick && row >= 0 && !this.#few;
    const reachPx = this.#few && isClick ? REACH_PX : 0;
    const top = isCell ? cells.edgeY[row + 1]! : Math.min(a.y, b.y) - reachPx;
    const bottom = isCell ? cells.edgeY[row]! : Math.max(a.y, b.y) + reachPx;
    // A box drawn over the top of the axis takes in what lies beyond it.
    const maxNs = top < frame.scale.topPx ? 1e15 : fromY(frame.scale, top);
    return { ...times, minNs: fromY(frame.scale, bottom), maxNs, isNever: false };
  }

  #timesOf(x1: number, x2: number, isClick: boolean): { fromMs: number; toMs: number } {
    const map = this.#map!;
    const frame = this.#frame!;
    const zeroMs = unixMs(map.fromUnixNs);
    const columnMs = map.columnNs / 1e6;
    if (this.#few && isClick) {
      const half = (REACH_PX / frame.widthPx) * map.columns * columnMs;
      const middle = zeroMs + ((x2 - frame.leftPx) / frame.widthPx) * map.columns * columnMs;
      return { fromMs: middle - half, toMs: middle + half };
    }
    return {
      fromMs: zeroMs + columnAt(frame, Math.min(x1, x2)) * columnMs,
      toMs: zeroMs + (columnAt(frame, Math.max(x1, x2)) + 1) * columnMs,
    };
  }
}

export const nounOf = (map: Heatmap): string => (map.measure.kind === 'wait' ? 'turn' : 'frame');
