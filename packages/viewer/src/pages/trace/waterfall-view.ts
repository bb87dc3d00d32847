// The waterfall as an element: rows for what is in view and no more, kept and
// filled anew while scrolling. Making an element costs ten times as much as
// changing one, and a wheel passes hundreds of rows a second.

import { nameAt, serviceAt, spanIdAt, type TraceColumns } from '../../data/trace-columns.ts';
import type { CriticalPath } from '../../layout/critical-path.ts';
import { visibleRows, type Tree } from '../../layout/waterfall.ts';
import { cut, fill, h } from '../../ui/dom.ts';
import { count, duration } from '../../ui/format.ts';

const ROW_PX = 26;
const SPARE_ROWS = 4;
/** Browsers stop laying out at about 33 million pixels; 100,000 rows need 2.6. */
const ROWS_MAX = 1_000_000;
const INDENT_MAX = 14;
const HUES = 8;

export interface WaterfallHost {
  choose(row: number): void;
}

/** What part of the trace the tracks show. */
export interface Window {
  readonly fromNs: number;
  readonly toNs: number;
}

export class WaterfallView {
  readonly element: HTMLElement;
  readonly #trace: TraceColumns;
  readonly #tree: Tree;
  readonly #path: CriticalPath;
  readonly #host: WaterfallHost;
  readonly #axis = h('div', { class: 'fall-axis', 'aria-hidden': 'true' });
  readonly #rows = h('div', {
    class: 'fall-rows',
    tabindex: '0',
    role: 'tree',
    'aria-label': 'Spans',
  });
  readonly #spacer = h('div', { class: 'fall-spacer', role: 'presentation' });
  readonly #folded = new Set<number>();
  readonly #observer = new ResizeObserver(() => this.#draw());
  readonly #pool: Row[] = [];
  readonly #open: ReadonlySet<number>;
  #visible: Int32Array = new Int32Array();
  #window: Window;
  #chosen = -1;

  constructor(trace: TraceColumns, tree: Tree, path: CriticalPath, host: WaterfallHost) {
    this.#trace = trace;
    this.#tree = tree;
    this.#path = path;
    this.#host = host;
    this.#open = new Set(trace.openRows);
    this.#window = { fromNs: 0, toNs: Math.max(1, trace.durationNs) };
    this.#rows.append(this.#spacer);
    this.#rows.addEventListener('scroll', () => this.#draw(), { passive: true });
    this.#rows.addEventListener('click', event => this.#click(event));
    this.#rows.addEventListener('wheel', event => this.#wheel(event), { passive: false });
    this.#observer.observe(this.#rows);
    this.element = h('div', { class: 'fall' }, this.#axis, this.#rows);
    this.#relayout();
    this.#drawAxis();
  }

  close(): void {
    this.#observer.disconnect();
  }

  get window(): Window {
    return this.#window;
  }

  /** Marks a row (of the columns) as chosen; −1 for none. Brings it into view when asked. */
  show(row: number, isToBeSeen: boolean): void {
    this.#chosen = row;
    if (isToBeSeen) this.#bringIntoView(row);
    this.#draw();
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
    this.#draw();
  }

  #wheel(event: WheelEvent): void {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const track = this.#axis.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - track.left) / track.width));
    this.zoom(2 ** (event.deltaY / 320), share);
  }

  #drawAxis(): void {
    const { fromNs, toNs } = this.#window;
    const marks = [0, 0.25, 0.5, 0.75, 1].map(share => {
      const mark = h('span', {}, duration(fromNs + (toNs - fromNs) * share));
      mark.style.left = `${share * 100}%`;
      return mark;
    });
    fill(this.#axis, ...marks);
  }

  #relayout(): void {
    this.#visible = visibleRows(this.#tree, this.#folded);
    this.#spacer.style.height = `${Math.min(this.#visible.length, ROWS_MAX) * ROW_PX}px`;
    this.#draw();
  }

  #bringIntoView(row: number): void {
    const index = this.#visible.findIndex(position => this.#tree.order[position] === row);
    if (index < 0) return;
    const top = index * ROW_PX;
    if (top < this.#rows.scrollTop) this.#rows.scrollTop = top;
    if (top + ROW_PX > this.#rows.scrollTop + this.#rows.clientHeight)
      this.#rows.scrollTop = top + ROW_PX - this.#rows.clientHeight;
  }

  #draw(): void {
    const { scrollTop, clientHeight } = this.#rows;
    const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - SPARE_ROWS);
    const last = Math.min(
      this.#visible.length,
      Math.ceil((scrollTop + clientHeight) / ROW_PX) + SPARE_ROWS,
    );
    while (this.#pool.length < last - first) this.#pool.push(this.#newRow());
    // A row keeps its element while it is in view: its place in the pool follows its number.
    const size = Math.max(1, this.#pool.length);
    this.#pool.forEach((row, i) => {
      const index = first + ((((i - first) % size) + size) % size);
      if (index < last) this.#fillRow(row, index);
      else row.hide();
    });
  }

  #newRow(): Row {
    const row = new Row();
    this.#spacer.append(row.element);
    return row;
  }

  #fillRow(target: Row, index: number): void {
    const position = this.#visible[index]!;
    const row = this.#tree.order[position]!;
    const { startNs, lengthNs, status, service } = this.#trace;
    const beneath = this.#tree.beneath[position]!;
    target.show({
      topPx: index * ROW_PX,
      position,
      depth: this.#tree.depth[position]!,
      beneath,
      isFolded: this.#folded.has(position),
      name: nameAt(this.#trace, row),
      service: serviceAt(this.#trace, row),
      hue: service[row]! % HUES,
      isError: status[row] === 2,
      isOpen: this.#open.has(row),
      isChosen: row === this.#chosen,
      isCritical: this.#path.ownNs[row]! > 0,
      startNs: startNs[row]!,
      lengthNs: lengthNs[row]!,
      window: this.#window,
    });
  }

  #click(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    const element = target.closest('.span');
    const position = element ? positions.get(element) : undefined;
    if (position === undefined) return;
    if (target.closest('.twist') && this.#tree.beneath[position]! > 0) {
      if (!this.#folded.delete(position)) this.#folded.add(position);
      return this.#relayout();
    }
    this.#host.choose(this.#tree.order[position]!);
  }
}

/** The ID of a row, for addresses. */
export const idOfRow = (trace: TraceColumns, row: number): string | undefined =>
  row < 0 ? undefined : spanIdAt(trace, row);

interface RowContent {
  readonly topPx: number;
  readonly position: number;
  readonly depth: number;
  readonly beneath: number;
  readonly isFolded: boolean;
  readonly name: string;
  readonly service: string;
  readonly hue: number;
  readonly isError: boolean;
  readonly isOpen: boolean;
  readonly isChosen: boolean;
  readonly isCritical: boolean;
  readonly startNs: number;
  readonly lengthNs: number;
  readonly window: Window;
}

/**
 * One row's elements, filled again and again; what did not change is not touched. A flick of the wheel
 * changes fifty rows at once: each attribute written is style and layout to be done anew.
 */
class Row {
  readonly element: HTMLElement;
  readonly #name = h('div', { class: 'name' });
  readonly #twist = h('span', { class: 'twist', 'aria-hidden': 'true' });
  readonly #bad = h('span', { class: 'bad', title: 'Error' }, '✕');
  readonly #label = h('span', { class: 'label' });
  readonly #service = h('span', { class: 'service' });
  readonly #piece = h('div', { class: 'piece' });
  readonly #took = h('span', { class: 'took' });
  readonly #written = new Map<string, string>();
  #shown = '';
  #topPx = -1;

  constructor() {
    this.#name.append(this.#twist, this.#bad, this.#label, this.#service);
    const track = h('div', { class: 'track' }, this.#piece, this.#took);
    this.element = h('div', { class: 'span', role: 'treeitem' }, this.#name, track);
  }

  hide(): void {
    if (this.#topPx === -1) return;
    this.element.hidden = true;
    this.#topPx = -1;
    this.#shown = '';
  }

  show(content: RowContent): void {
    if (this.#topPx === -1) this.element.hidden = false;
    if (this.#topPx !== content.topPx)
      this.element.style.transform = `translateY(${content.topPx}px)`;
    this.#topPx = content.topPx;
    const { position, isFolded, isChosen, window } = content;
    const shown = `${position} ${isFolded} ${isChosen} ${window.fromNs} ${window.toNs}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    // Found again by a property: an attribute that changes with each row is styled with each row.
    positions.set(this.element, position);
    this.#showName(content);
    this.#showTrack(content);
  }

  /** Writes what is another than before. */
  #set(what: string, value: string, write: (value: string) => void): void {
    if (this.#written.get(what) === value) return;
    this.#written.set(what, value);
    write(value);
  }

  #showName(content: RowContent): void {
    const { element } = this;
    this.#set('level', String(content.depth + 1), level => {
      element.setAttribute('aria-level', level);
      this.#name.style.paddingLeft = `${8 + Math.min(content.depth, INDENT_MAX) * 14}px`;
    });
    this.#set('selected', String(content.isChosen), is =>
      element.setAttribute('aria-selected', is),
    );
    const expanded = content.beneath === 0 ? '' : String(!content.isFolded);
    this.#set('expanded', expanded, is => {
      if (is === '') element.removeAttribute('aria-expanded');
      else element.setAttribute('aria-expanded', is);
      this.#twist.textContent = is === '' ? '' : is === 'false' ? '▸' : '▾';
    });
    this.#set('bad', String(content.isError), is => (this.#bad.hidden = is === 'false'));
    this.#set('label', cut(content.name, 80), text => (this.#label.textContent = text));
    const service = content.isFolded ? `+${count(content.beneath)}` : cut(content.service, 24);
    this.#set('service', service, text => (this.#service.textContent = text));
  }

  #showTrack({ startNs, lengthNs, window, ...content }: RowContent): void {
    const whole = window.toNs - window.fromNs;
    const left = Math.max(0, ((startNs - window.fromNs) / whole) * 100);
    const right = Math.min(100, ((startNs + lengthNs - window.fromNs) / whole) * 100);
    const isSeen = right >= 0 && left <= 100 && right >= left;
    const look = `${content.isError ? ' error' : ''}${content.isCritical ? ' critical' : ''}${content.isOpen ? ' open' : ''}`;
    this.#set('piece', `piece hue-${content.hue}${look}`, name => (this.#piece.className = name));
    this.#set('seen', String(isSeen), is => (this.#piece.hidden = is === 'false'));
    this.#set('left', `${left.toFixed(3)}%`, at => (this.#piece.style.left = at));
    this.#set(
      'width',
      `${Math.max(0, right - left).toFixed(3)}%`,
      width => (this.#piece.style.width = width),
    );
    const beside = isSeen ? right : left > 100 ? 100 : 0;
    const isLeft = beside > 88;
    const took = `${duration(lengthNs)}${content.isOpen ? ' so far' : ''}`;
    this.#set('took', took, text => (this.#took.textContent = text));
    const edge = isLeft ? 100 - (isSeen ? left : 100) : beside;
    this.#set('beside', `${isLeft ? 'right' : 'left'} ${edge.toFixed(3)}%`, () => {
      this.#took.style.right = isLeft ? `${edge.toFixed(3)}%` : '';
      this.#took.style.left = isLeft ? '' : `${edge.toFixed(3)}%`;
    });
  }
}

/** Which position of the tree an element shows now. */
const positions = new WeakMap<Element, number>();
