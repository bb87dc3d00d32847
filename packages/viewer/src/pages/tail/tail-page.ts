// Tail: where the slow ones are. The heatmap fills the page; a click on a cell
// lists its turns, slowest first, each one click from its place on the timeline.

import type { Heatmap, LiveEvent, MeasureInfo, Tail } from '@framescope/protocol';
import { api, type Query } from '../../data/api.ts';
import { drawCells, drawDots, drawStrips, type Dot, type HeatPaint } from '../../draw/heatmap.ts';
import { palette } from '../../draw/palette.ts';
import { Surface, type PaintArea } from '../../draw/surface.ts';
import {
  columnAt,
  layoutCells,
  layoutFrame,
  rowAt,
  type HeatCells,
  type HeatFrame,
} from '../../layout/heatmap.ts';
import { fromY, toY } from '../../layout/time-scale.ts';
import type { Route, TailView } from '../../state/route.ts';
import { onTheme } from '../../state/theme.ts';
import { fill, h, s } from '../../ui/dom.ts';
import { count, duration, plural, share, unixMs, wallTime } from '../../ui/format.ts';
import { markWhole } from '../../ui/marks.ts';
import { empty, failed, loading, throttled, type App, type Page } from '../page.ts';
import { overlay } from './overlay.ts';
import { tailList } from './tail-list.ts';
import { measurePicker, rangePicker } from './tools.ts';

/** Below this many values each is a dot of its own. */
const DOTS_MAX = 200;

interface Picked {
  readonly fromMs: number;
  readonly toMs: number;
  readonly minNs: number;
  readonly maxNs: number;
  readonly isNever: boolean;
}

export class TailPage implements Page {
  readonly title = 'Tail';
  readonly element: HTMLElement = h('div', { class: 'tail' });
  readonly #app: App;
  readonly #head = h('header', { class: 'session-head' });
  readonly #tools = h('div', { class: 'toolbar' });
  readonly #canvas = h('canvas', { 'aria-hidden': 'true' });
  readonly #svg = s('svg', { 'aria-hidden': 'true' });
  readonly #box = s('rect', { class: 'box', visibility: 'hidden' });
  readonly #tip = h('div', { class: 'tip', hidden: true });
  readonly #heat = h('div', { class: 'heat', tabindex: '0', role: 'img' });
  readonly #side = h('aside', { class: 'panel', 'aria-label': 'Turns in the cell' });
  readonly #body = h('div', { class: 'tail-body' });
  readonly #surface: Surface;
  readonly #refresh = throttled(3_000, () => void this.#load());
  readonly #off: (() => void)[];
  #view: TailView;
  #measures: readonly MeasureInfo[] = [];
  #map: Heatmap | undefined;
  #few: Tail | undefined;
  #frame: HeatFrame | undefined;
  #cells: HeatCells | undefined;
  #drag: { x: number; y: number } | undefined;

  constructor(app: App, view: TailView) {
    this.#app = app;
    this.#view = view;
    this.#surface = new Surface(this.#canvas, (context, area) => this.#paint(context, area));
    this.#heat.append(this.#canvas, this.#svg, this.#tip);
    this.#body.append(this.#heat);
    fill(this.element, this.#head, this.#tools, loading('Loading the tail'));
    this.#listen();
    this.#off = [
      onTheme(() => this.#surface.invalidate()),
      app.live.onEvent(event => this.#take(event)),
    ];
    void this.#start();
  }

  update(route: Route): boolean {
    if (route.page !== 'tail') return false;
    this.#view = route.view;
    void this.#load();
    return true;
  }

  key(event: KeyboardEvent): boolean {
    if (event.key !== 'Escape') return false;
    this.#closeSide();
    return true;
  }

  close(): void {
    this.#surface.close();
    this.#refresh.cancel();
    for (const off of this.#off) off();
  }

  async #start(): Promise<void> {
    try {
      this.#measures = (await api.measures()).items;
      await this.#load();
    } catch (error) {
      fill(
        this.element,
        this.#head,
        this.#tools,
        failed(error, () => void this.#start()),
      );
    }
  }

  #take(event: LiveEvent): void {
    if (event.type === 'rollup' || event.type === 'snapshot') this.#refresh();
  }

  #query(): Query {
    const { range, fromUnixNs, toUnixNs } = this.#view;
    const measure = this.#measure();
    const n = this.#measures.find(one => one.name === measure)?.n ?? 0;
    // Ten values a column, so that its median means something; no column narrower than 5 px.
    const most = Math.round((this.#heat.clientWidth || innerWidth) / 5);
    const columns = Math.min(most, 400, Math.max(48, Math.round(n / 10)));
    if (range === undefined) return { measure, from: fromUnixNs, to: toUnixNs, columns };
    const unit = { m: 60, h: 3600, d: 86_400 }[range.at(-1)!]!;
    const toMs = Date.now();
    return {
      measure,
      from: `${toMs - Number(range.slice(0, -1)) * unit * 1000}000000`,
      to: `${toMs}000000`,
      columns,
    };
  }

  /** The one asked for, else the best covered definition of voice to voice. */
  #measure(): string | undefined {
    const v2v = this.#measures
      .filter(one => one.name.startsWith('voice_to_voice.'))
      .toSorted((a, b) => b.n - a.n);
    return this.#view.measure ?? v2v[0]?.name ?? this.#measures[0]?.name;
  }

  async #load(): Promise<void> {
    try {
      if (this.#measures.length === 0) this.#measures = (await api.measures()).items;
      if (this.#measure() === undefined) return this.#showEmpty();
      const map = await api.heatmap(this.#query());
      const isFew = map.measure.kind === 'wait' && map.total.n < DOTS_MAX;
      const window = { measure: map.measure.name, from: map.fromUnixNs, to: map.toUnixNs };
      this.#few =
        isFew && map.total.n > 0 ? await api.tail({ ...window, limit: DOTS_MAX }) : undefined;
      this.#map = map;
      this.#show(map);
    } catch (error) {
      if (!this.#map)
        fill(
          this.element,
          this.#head,
          this.#tools,
          failed(error, () => void this.#load()),
        );
    }
  }

  #showEmpty(): void {
    fill(
      this.element,
      this.#head,
      this.#tools,
      empty(
        'No waits yet',
        'The tail fills as turns end. To see a day of them:',
        'npm start -- --demo',
      ),
    );
  }

  #show(map: Heatmap): void {
    const { total, coverage } = map;
    const fact = (name: string, value: string): HTMLElement =>
      h('div', {}, h('dt', {}, name), h('dd', {}, value));
    const over = map.overBudget.reduce((sum, n) => sum + n, 0);
    const noun = map.measure.kind === 'wait' ? 'turn' : 'frame';
    const facts = [
      fact('p50', duration(total.p50Ns)),
      fact('p95', duration(total.p95Ns)),
      fact('p99', duration(total.p99Ns)),
      fact('p99.9', duration(total.p999Ns)),
      fact('slowest', duration(total.maxNs)),
    ];
    if (map.measure.budgetNs !== null) facts.push(fact('over budget', share(over, total.n)));
    if (map.measure.kind === 'wait') facts.push(fact('never answered', count(total.censored)));
    fill(
      this.#head,
      h('div', { class: 'title' }, h('h1', { title: map.measure.definition }, map.measure.title)),
      h('dl', { class: 'facts' }, ...facts),
    );
    const covered = `${count(coverage.covered)} of ${plural(coverage.of, noun)} in ${plural(coverage.sessions, 'call')}`;
    fill(
      this.#tools,
      measurePicker(this.#measures, map.measure.name, measure => this.#go({ measure })),
      rangePicker(this.#view, map, patch => this.#go(patch)),
      h('span', { class: 'spring' }),
      h('output', {}, covered),
    );
    this.#heat.setAttribute(
      'aria-label',
      `${map.measure.title} from ${wallTime(map.fromUnixNs, Date.now())} to ${wallTime(map.toUnixNs, Date.now())}: ${covered}; p50 ${duration(total.p50Ns)}, p95 ${duration(total.p95Ns)}, p99 ${duration(total.p99Ns)}, slowest ${duration(total.maxNs)}`,
    );
    if (!this.#body.isConnected) fill(this.element, this.#head, this.#tools, this.#body);
    this.#surface.invalidate();
  }

  #go(patch: Partial<TailView>): void {
    this.#closeSide();
    this.#app.go({ page: 'tail', view: { ...this.#view, ...patch } });
  }

  #paint(context: CanvasRenderingContext2D, area: PaintArea): void {
    const colors = palette();
    context.fillStyle = colors.ground;
    context.fillRect(0, 0, area.widthPx, area.heightPx);
    if (!this.#map) return;
    const frame = layoutFrame(this.#map, area.widthPx, area.heightPx);
    const theme = document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light';
    const paint: HeatPaint = { context, frame, palette: colors, theme };
    this.#frame = frame;
    this.#cells = layoutCells(this.#map, frame);
    if (this.#few) drawDots(paint, this.#dots(this.#few, frame));
    else drawCells(paint, this.#cells);
    drawStrips(paint);
    this.#svg.setAttribute('viewBox', `0 0 ${area.widthPx} ${area.heightPx}`);
    fill(
      this.#svg,
      ...overlay(this.#few ? { ...this.#map, exemplars: [] } : this.#map, frame),
      this.#box,
    );
    markWhole('tail');
  }

  #dots(few: Tail, frame: HeatFrame): Dot[] {
    const from = unixMs(this.#map!.fromUnixNs);
    const span = Math.max(1, unixMs(this.#map!.toUnixNs) - from);
    return few.items.map(item => ({
      x: frame.leftPx + ((unixMs(item.atUnixNs) - from) / span) * frame.widthPx,
      y: toY(frame.scale, Math.min(frame.scale.maxNs, Math.max(frame.scale.minNs, item.valueNs))),
      isCensored: item.censored,
    }));
  }

  #listen(): void {
    const at = (event: PointerEvent): { x: number; y: number } => {
      const box = this.#canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    this.#canvas.addEventListener('pointerdown', event => {
      this.#drag = at(event);
      this.#canvas.setPointerCapture(event.pointerId);
    });
    this.#canvas.addEventListener('pointermove', event => this.#hover(at(event)));
    this.#canvas.addEventListener('pointerleave', () => (this.#tip.hidden = true));
    this.#canvas.addEventListener('pointerup', event => {
      const from = this.#drag;
      this.#drag = undefined;
      this.#box.setAttribute('visibility', 'hidden');
      if (from) this.#pick(from, at(event));
    });
  }

  #hover(point: { x: number; y: number }): void {
    const { x, y } = point;
    if (this.#drag && Math.hypot(x - this.#drag.x, y - this.#drag.y) > 5) {
      const values = {
        x: Math.min(x, this.#drag.x),
        y: Math.min(y, this.#drag.y),
        width: Math.abs(x - this.#drag.x),
        height: Math.abs(y - this.#drag.y),
        visibility: 'visible',
      };
      for (const [name, value] of Object.entries(values))
        this.#box.setAttribute(name, String(value));
    }
    const map = this.#map;
    const frame = this.#frame;
    if (!map || !frame || !this.#cells || x < frame.leftPx || x > frame.leftPx + frame.widthPx)
      return void (this.#tip.hidden = true);
    const column = columnAt(frame, x);
    const row = rowAt(this.#cells, y);
    const strip = frame.strips.find(one => y >= one.top && y <= one.top + one.height);
    const n = strip
      ? strip.counts[column]!
      : row < 0
        ? 0
        : this.#cells.count[column * this.#cells.rows + row]!;
    const q = map.quantiles[column];
    const startNs = BigInt(map.fromUnixNs) + BigInt(Math.round(column * map.columnNs));
    const noun = map.measure.kind === 'wait' ? 'turn' : 'frame';
    const what = strip
      ? { never: 'never answered', lost: 'lost', over: 'above the axis' }[strip.name]
      : `around ${duration(fromY(frame.scale, y))}`;
    fill(
      this.#tip,
      h('span', { class: 'strong' }, `${plural(n, noun)} ${what ?? ''}`),
      h(
        'span',
        { class: 'quiet' },
        `${wallTime(String(startNs), Date.now())} · all ${count(q?.n ?? 0)}: p50 ${duration(q?.p50Ns)}, slowest ${duration(q?.maxNs)}`,
      ),
    );
    this.#tip.hidden = false;
    this.#tip.style.left = `${Math.min(x + 14, this.#heat.clientWidth - this.#tip.offsetWidth - 8)}px`;
    this.#tip.style.top = `${Math.max(4, Math.min(y + 14, this.#heat.clientHeight - this.#tip.offsetHeight - 8))}px`;
  }

  #pick(a: { x: number; y: number }, b: { x: number; y: number }): void {
    const map = this.#map;
    const frame = this.#frame;
    if (!map || !frame || !this.#cells) return;
    const zeroMs = unixMs(map.fromUnixNs);
    const first = columnAt(frame, Math.min(a.x, b.x));
    const last = columnAt(frame, Math.max(a.x, b.x));
    const columnMs = map.columnNs / 1e6;
    const times = { fromMs: zeroMs + first * columnMs, toMs: zeroMs + (last + 1) * columnMs };
    const strip = frame.strips.find(one => b.y >= one.top && b.y <= one.top + one.height);
    const isClick = Math.hypot(a.x - b.x, a.y - b.y) <= 5;
    const reachPx = this.#few && isClick ? 8 : 0;
    const row = rowAt(this.#cells, b.y);
    const top =
      isClick && row >= 0 && !this.#few
        ? this.#cells.edgeY[row + 1]!
        : Math.min(a.y, b.y) - reachPx;
    const bottom =
      isClick && row >= 0 && !this.#few ? this.#cells.edgeY[row]! : Math.max(a.y, b.y) + reachPx;
    const isNever = strip?.name === 'never';
    const minNs = strip ? (isNever ? 0 : frame.scale.maxNs) : fromY(frame.scale, bottom);
    const maxNs = strip ? 1e15 : fromY(frame.scale, top);
    if (this.#few && isClick) {
      const half = (8 / frame.widthPx) * map.columns * columnMs;
      const middle = zeroMs + ((b.x - frame.leftPx) / frame.widthPx) * map.columns * columnMs;
      return void this.#open({ fromMs: middle - half, toMs: middle + half, minNs, maxNs, isNever });
    }
    void this.#open({ ...times, minNs, maxNs, isNever });
  }

  async #open(picked: Picked): Promise<void> {
    const map = this.#map!;
    this.#body.classList.add('open');
    this.#body.append(this.#side);
    fill(this.#side, loading('Loading its turns'));
    const query = {
      measure: map.measure.name,
      from: `${Math.round(picked.fromMs)}000000`,
      to: `${Math.round(picked.toMs)}000000`,
      minNs: Math.floor(picked.minNs),
      maxNs: Math.ceil(picked.maxNs),
      outcome: picked.isNever ? 'censored' : undefined,
      limit: 100,
    };
    try {
      const tail = await api.tail(query);
      fill(
        this.#side,
        ...tailList(
          tail,
          {
            map,
            minNs: picked.minNs,
            maxNs: picked.maxNs,
            fromMs: picked.fromMs,
            isNever: picked.isNever,
          },
          () => this.#closeSide(),
        ),
      );
    } catch (error) {
      fill(
        this.#side,
        failed(error, () => void this.#open(picked)),
      );
    }
  }

  #closeSide(): void {
    this.#side.remove();
    this.#body.classList.remove('open');
  }
}
