// The waterfall as an element: a canvas with the rows in view beneath a scroller that is as tall as
// all of them, and for those who do not see it a row an element, told anew when scrolling rests.
//
//   ┌ canvas ─────────────┐     A flick of the wheel passes a hundred rows a second: painting fifty of
//   │ ▾ turn   ████       │     them costs 3 ms, changing the elements of fifty rows three times that.
//   │   llm      ██       │
//   └ scroller over it ───┘
//       tree, treeitem …        What is pressed is found from the place, not from an element.

import { nameAt, serviceAt, spanIdAt, type TraceColumns } from '../../data/trace-columns.ts';
import { palette } from '../../draw/palette.ts';
import { Surface, type PaintArea } from '../../draw/surface.ts';
import { drawFall, type FallRow } from '../../draw/waterfall.ts';
import type { CriticalPath } from '../../layout/critical-path.ts';
import {
  barOf,
  isTwist,
  namePxOf,
  rowAt,
  ROW_PX,
  rowsInView,
  visibleRows,
  type FallRoom,
  type FallWindow,
  type Tree,
} from '../../layout/waterfall.ts';
import { onTheme } from '../../state/theme.ts';
import { cut, fill, h } from '../../ui/dom.ts';
import { count, duration } from '../../ui/format.ts';
import { markWhole } from '../../ui/marks.ts';
import { settled } from '../page.ts';
import { ToldRow, type ToldWords } from './told-row.ts';

/** Browsers stop laying out at about 33 million pixels; 100,000 rows need 2.6. */
const ROWS_MAX = 1_000_000;
/** Scrolling rests: the rows are told. */
const REST_MS = 120;
/** Narrower than this, five times have no room beside each other. */
const AXIS_PX_MIN = 320;

export interface WaterfallHost {
  choose(row: number): void;
}

export class WaterfallView {
  readonly element: HTMLElement;
  readonly #trace: TraceColumns;
  readonly #tree: Tree;
  readonly #path: CriticalPath;
  readonly #host: WaterfallHost;
  readonly #axis = h('div', { class: 'fall-axis', 'aria-hidden': 'true' });
  readonly #canvas = h('canvas', { 'aria-hidden': 'true' });
  readonly #rows = h('div', {
    class: 'fall-rows',
    tabindex: '0',
    role: 'tree',
    'aria-label': 'Spans',
  });
  readonly #spacer = h('div', { class: 'fall-spacer', role: 'presentation' });
  readonly #surface = new Surface(this.#canvas, (context, area) => this.#paint(context, area));
  readonly #said: ToldRow[] = [];
  readonly #say = settled(REST_MS, () => this.#tell());
  readonly #folded = new Set<number>();
  readonly #observer = new ResizeObserver(() => this.#resized());
  readonly #offTheme: () => void;
  readonly #open: ReadonlySet<number>;
  #visible: Int32Array = new Int32Array();
  #window: FallWindow;
  #chosen = -1;
  /** As the page's: larger on a very wide screen. */
  #fontPx = 14;
  #isNarrow = false;
  /** Height of the pointer over the rows; undefined while it is elsewhere. */
  #pointerPx: number | undefined;
  #hovered: number | undefined;

  constructor(trace: TraceColumns, tree: Tree, path: CriticalPath, host: WaterfallHost) {
    this.#trace = trace;
    this.#tree = tree;
    this.#path = path;
    this.#host = host;
    this.#open = new Set(trace.openRows);
    this.#window = { fromNs: 0, toNs: Math.max(1, trace.durationNs) };
    this.#rows.append(this.#spacer);
    this.#rows.addEventListener('scroll', () => this.#redraw(), { passive: true });
    this.#rows.addEventListener('click', event => this.#click(event));
    this.#rows.addEventListener('wheel', event => this.#wheel(event), { passive: false });
    this.#rows.addEventListener('pointermove', event => this.#point(event));
    this.#rows.addEventListener('pointerleave', () => this.#point(undefined));
    this.#observer.observe(this.#rows);
    this.#offTheme = onTheme(() => this.#redraw());
    this.element = h(
      'div',
      { class: 'fall' },
      this.#axis,
      h('div', { class: 'fall-body' }, this.#canvas, this.#rows),
    );
    this.#relayout();
    this.#drawAxis();
  }

  close(): void {
    this.#observer.disconnect();
    this.#surface.close();
    this.#say.cancel();
    this.#offTheme();
  }

  /** Marks a row (of the columns) as chosen; −1 for none. Brings it into view when asked. */
  show(row: number, isToBeSeen: boolean): void {
    this.#chosen = row;
    if (isToBeSeen) this.#bringIntoView(row);
    this.#redraw();
    this.#tell();
  }

  /** Steps to the row above or beneath; answers the row of the columns. */
  step(by: number): number {
    const at = this.#visible.findIndex(position => this.#tree.order[position] === this.#chosen);
    const next = Math.min(this.#visible.length - 1, Math.max(0, at + by));
    const position = this.#visible[next];
    return position === undefined ? -1 : this.#tree.order[position]!;
  }

  /** Folds or unfolds what is chosen; false when it has nothing beneath. */
  fold(isFold: boolean): boolean {
    const position = this.#tree.order.indexOf(this.#chosen);
    if (position < 0 || this.#tree.beneath[position] === 0) return false;
    if (isFold) this.#folded.add(position);
    else this.#folded.delete(position);
    this.#relayout();
    return true;
  }

  /** Zooms the tracks about a share of their width; above 1 is out. */
  zoom(factor: number, share: number = 0.5): void {
    const { fromNs, toNs } = this.#window;
    const whole = Math.max(1, this.#trace.durationNs);
    const span = Math.min(whole, Math.max(1_000, (toNs - fromNs) * factor));
    const held = fromNs + (toNs - fromNs) * share;
    this.#setWindow(held - span * share, span);
  }

  /** Moves the tracks by a share of their width. */
  pan(share: number): void {
    const span = this.#window.toNs - this.#window.fromNs;
    this.#setWindow(this.#window.fromNs + span * share, span);
  }

  /** Shows the chosen span from end to end, or the whole trace. */
  fit(): void {
    const row = this.#chosen;
    if (row < 0) return this.#setWindow(0, Math.max(1, this.#trace.durationNs));
    const length = Math.max(1_000, this.#trace.lengthNs[row]!);
    this.#setWindow(this.#trace.startNs[row]! - length * 0.1, length * 1.2);
  }

  #setWindow(fromNs: number, spanNs: number): void {
    const whole = Math.max(1, this.#trace.durationNs);
    const span = Math.min(spanNs, whole);
    const from = Math.min(Math.max(0, fromNs), whole - span);
    this.#window = { fromNs: from, toNs: from + span };
    this.#drawAxis();
    this.#redraw();
  }

  #redraw(): void {
    this.#surface.invalidate();
    this.#say();
  }

  #wheel(event: WheelEvent): void {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const track = this.#axis.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - track.left) / track.width));
    this.zoom(2 ** (event.deltaY / 320), share);
  }

  /** The axis ends where the tracks do: left of a scrollbar that takes room. */
  #resized(): void {
    const { offsetWidth, clientWidth } = this.#rows;
    this.#fontPx = Number.parseFloat(getComputedStyle(this.#rows).fontSize);
    this.#axis.style.marginLeft = `${namePxOf(clientWidth)}px`;
    this.#axis.style.marginRight = `${offsetWidth - clientWidth}px`;
    this.#isNarrow = clientWidth - namePxOf(clientWidth) < AXIS_PX_MIN;
    this.#drawAxis();
    this.#redraw();
    this.#tell();
  }

  #drawAxis(): void {
    const { fromNs, toNs } = this.#window;
    const marks = (this.#isNarrow ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]).map(share => {
      const mark = h('span', {}, duration(fromNs + (toNs - fromNs) * share));
      mark.style.left = `${share * 100}%`;
      return mark;
    });
    fill(this.#axis, ...marks);
  }

  #relayout(): void {
    this.#visible = visibleRows(this.#tree, this.#folded);
    this.#spacer.style.height = `${Math.min(this.#visible.length, ROWS_MAX) * ROW_PX}px`;
    this.#redraw();
    this.#tell();
  }

  #bringIntoView(row: number): void {
    const index = this.#visible.findIndex(position => this.#tree.order[position] === row);
    if (index < 0) return;
    const top = index * ROW_PX;
    if (top < this.#rows.scrollTop) this.#rows.scrollTop = top;
    if (top + ROW_PX > this.#rows.scrollTop + this.#rows.clientHeight)
      this.#rows.scrollTop = top + ROW_PX - this.#rows.clientHeight;
  }

  #room(): FallRoom {
    const { scrollTop: scrollPx, clientHeight: heightPx, clientWidth: widthPx } = this.#rows;
    return { scrollPx, heightPx, widthPx, namePx: namePxOf(widthPx) };
  }

  #paint(context: CanvasRenderingContext2D, area: PaintArea): void {
    const colors = palette();
    context.fillStyle = colors.ground;
    context.fillRect(0, 0, area.widthPx, area.heightPx);
    const room = this.#room();
    const [first, end] = rowsInView(this.#visible.length, room);
    this.#hovered = this.#rowUnder(this.#pointerPx, room.scrollPx);
    const rows = Array.from(this.#visible.subarray(first, end), (position, i) =>
      this.#rowOf(position, first + i, room),
    );
    const { widthPx, namePx } = room;
    drawFall({ context, palette: colors, widthPx, namePx, fontPx: this.#fontPx }, rows);
    markWhole('trace');
  }

  #rowUnder(pointerPx: number | undefined, scrollPx: number): number | undefined {
    return pointerPx === undefined ? undefined : rowAt(this.#visible.length, scrollPx, pointerPx);
  }

  #rowOf(position: number, index: number, room: FallRoom): FallRow {
    const row = this.#tree.order[position]!;
    const { startNs, lengthNs, status, service } = this.#trace;
    const span = { startNs: startNs[row]!, lengthNs: lengthNs[row]! };
    const { bar, took } = barOf(span, this.#window, room);
    const beneath = this.#tree.beneath[position]!;
    const isFolded = beneath === 0 ? undefined : this.#folded.has(position);
    return {
      y: index * ROW_PX - room.scrollPx,
      depth: this.#tree.depth[position]!,
      name: cut(nameAt(this.#trace, row), 80),
      beside: this.#besideOf(position, row),
      took: this.#tookOf(row),
      service: service[row]!,
      bar,
      tookAt: took,
      isFolded,
      isError: status[row] === 2,
      isOpen: this.#open.has(row),
      isCritical: this.#path.ownNs[row]! > 0,
      isChosen: row === this.#chosen,
      isHovered: index === this.#hovered,
    };
  }

  /** Its service, or how many are folded away. */
  #besideOf(position: number, row: number): string {
    return this.#folded.has(position)
      ? `+${count(this.#tree.beneath[position]!)}`
      : cut(serviceAt(this.#trace, row), 24);
  }

  #tookOf(row: number): string {
    return `${duration(this.#trace.lengthNs[row])}${this.#open.has(row) ? ' so far' : ''}`;
  }

  // ---- for those who do not see the canvas ------------------------------------------------------

  /** An element a row in view, where the row is. */
  #tell(): void {
    const [first, end] = rowsInView(this.#visible.length, this.#room());
    while (this.#said.length < end - first) {
      const row = new ToldRow(`fall-row-${this.#said.length}`);
      this.#said.push(row);
      this.#spacer.append(row.element);
    }
    let active: string | undefined;
    this.#said.forEach((row, i) => {
      const position = this.#visible[first + i];
      if (position === undefined || first + i >= end) return row.hide();
      const isChosen = this.#tree.order[position] === this.#chosen;
      if (isChosen) active = row.element.id;
      row.show(this.#wordsOf(position, first + i, isChosen));
    });
    if (active === undefined) this.#rows.removeAttribute('aria-activedescendant');
    else this.#rows.setAttribute('aria-activedescendant', active);
  }

  #wordsOf(position: number, index: number, isChosen: boolean): ToldWords {
    const row = this.#tree.order[position]!;
    const beneath = this.#tree.beneath[position]!;
    const words = [
      cut(nameAt(this.#trace, row), 80),
      this.#besideOf(position, row),
      this.#tookOf(row),
      this.#trace.status[row] === 2 ? 'error' : '',
      this.#path.ownNs[row]! > 0 ? 'on the critical path' : '',
    ];
    return {
      topPx: index * ROW_PX,
      label: words.filter(one => one !== '').join(', '),
      level: this.#tree.depth[position]! + 1,
      isExpanded: beneath === 0 ? undefined : !this.#folded.has(position),
      isChosen,
    };
  }

  // ---- pointer ----------------------------------------------------------------------------------

  #point(event: PointerEvent | undefined): void {
    const isFinger = event?.pointerType === 'touch';
    this.#pointerPx = event && !isFinger ? this.#yOf(event) : undefined;
    if (this.#rowUnder(this.#pointerPx, this.#rows.scrollTop) !== this.#hovered)
      this.#surface.invalidate();
  }

  #yOf(event: MouseEvent): number {
    return event.clientY - this.#rows.getBoundingClientRect().top;
  }

  #click(event: MouseEvent): void {
    const index = rowAt(this.#visible.length, this.#rows.scrollTop, this.#yOf(event));
    const position = index === undefined ? undefined : this.#visible[index];
    if (position === undefined) return;
    const x = event.clientX - this.#rows.getBoundingClientRect().left;
    if (this.#tree.beneath[position]! > 0 && isTwist(this.#tree.depth[position]!, x)) {
      if (!this.#folded.delete(position)) this.#folded.add(position);
      return this.#relayout();
    }
    this.#host.choose(this.#tree.order[position]!);
  }
}

/** The ID of a row, for addresses. */
export const idOfRow = (trace: TraceColumns, row: number): string | undefined =>
  row < 0 ? undefined : spanIdAt(trace, row);
