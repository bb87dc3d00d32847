// Session: the frame timeline of one call, live or past.

import type { Turn } from '@framescope/protocol';
import { Surface, type PaintArea } from '../../draw/surface.ts';
import { listenPanZoom } from '../../input/pan-zoom.ts';
import { toNs } from '../../layout/time-scale.ts';
import { mainWait, stageRows } from '../../layout/turns.ts';
import { sessionRoute, type Route, type SessionView } from '../../state/route.ts';
import { SessionModel } from '../../state/session-model.ts';
import { onTheme } from '../../state/theme.ts';
import { around, held, panned, zoomed, type Viewport } from '../../state/viewport.ts';
import { cut, fill, h, s } from '../../ui/dom.ts';
import { failed, loading, throttled, type App, type Page } from '../page.ts';
import { gutter } from './gutter.ts';
import { frameTip, sessionHead, toolbar } from './head.ts';
import { ledgerPanel } from './ledger-panel.ts';
import { legend } from './legend.ts';
import { Overview } from './overview.ts';
import { Picture } from './picture.ts';
import { spansOnly } from './spans-only.ts';

/** What a live call shows of itself when first opened. */
const FOLLOW_NS = 12e9;
type FrameName = { readonly stream: string; readonly tick: number };

export class SessionPage implements Page {
  readonly element: HTMLElement = h('div', { class: 'session' });
  readonly #app: App;
  readonly #key: string;
  readonly #model: SessionModel;
  readonly #picture: Picture;
  readonly #overview: Overview;
  readonly #surface: Surface;
  readonly #head = h('header', { class: 'session-head' });
  readonly #tools = h('div', { class: 'toolbar', role: 'toolbar', 'aria-label': 'Timeline' });
  readonly #canvas = h('canvas', { 'aria-hidden': 'true' });
  readonly #svg = s('svg', { 'aria-hidden': 'true' });
  readonly #tip = h('div', { class: 'tip', hidden: true });
  readonly #inner = h('div', { class: 'lanes-inner' });
  readonly #lanes = h('div', {
    class: 'lanes',
    tabindex: '0',
    role: 'application',
    'aria-roledescription': 'frame timeline',
  });
  readonly #foot = h('div');
  readonly #side = h('aside', { class: 'panel', 'aria-label': 'Ledger of the turn' });
  readonly #body = h('div', { class: 'session-body' });
  readonly #redraw = throttled(300, () => this.#drawAround());
  readonly #off: (() => void)[];
  #view: Viewport | undefined;
  #isFollowing = false;
  #turn: number | undefined;
  #frame: FrameName | undefined;
  #hover: FrameName | undefined;
  #pointer = { x: 0, y: 0 };
  #isRaw = false;
  #shownTurn = '';
  #footMode = '';

  constructor(app: App, key: string, view: SessionView) {
    this.#app = app;
    this.#key = key;
    this.#model = new SessionModel(key, app.live, () => this.#changed());
    this.#picture = new Picture(this.#model);
    this.#overview = new Overview(this.#model, to => this.#moveTo(to));
    this.#surface = new Surface(this.#canvas, (context, area) => this.#paint(context, area));
    this.#inner.append(this.#canvas, this.#svg, this.#tip);
    this.#lanes.append(this.#inner);
    this.#body.append(
      h('div', { class: 'picture' }, this.#overview.element, this.#lanes, this.#foot),
    );
    this.#off = [onTheme(() => this.#themed())];
    this.#listen();
    fill(this.element, loading('Loading the call'));
    void this.#start(view);
  }

  get title(): string {
    return cut(this.#model.detail?.id ?? 'Session', 40);
  }

  update(route: Route): boolean {
    if (route.page !== 'session' || route.key !== this.#key) return false;
    if (this.#model.detail) this.#take(route.view);
    return true;
  }

  close(): void {
    this.#model.close();
    this.#surface.close();
    this.#overview.close();
    this.#redraw.cancel();
    for (const off of this.#off) off();
  }

  async #start(view: SessionView): Promise<void> {
    try {
      await this.#model.load();
    } catch (error) {
      return fill(
        this.element,
        failed(error, () => void this.#start(view)),
      );
    }
    this.#take(view);
    document.title = `${this.title} · Framescope`;
  }

  /** Shows what an address says. */
  #take(view: SessionView): void {
    this.#turn = view.turn;
    this.#isRaw = view.isRaw;
    const colon = view.frame?.lastIndexOf(':') ?? -1;
    this.#frame =
      view.frame === undefined
        ? undefined
        : { stream: view.frame.slice(0, colon), tick: Number(view.frame.slice(colon + 1)) };
    this.#view =
      view.fromNs !== undefined && view.toNs !== undefined
        ? { fromNs: view.fromNs, toNs: view.toNs }
        : this.#firstView(view);
    this.#isFollowing =
      this.#model.isLive &&
      view.fromNs === undefined &&
      view.turn === undefined &&
      view.frame === undefined;
    this.#changed();
  }

  #firstView(view: SessionView): Viewport {
    const turn = this.#model.turnAt(view.turn);
    if (turn) return viewOfTurn(turn);
    const endNs = this.#model.endNs(performance.now());
    if (view.atUnixNs !== undefined && this.#model.detail) {
      const atNs = Number(BigInt(view.atUnixNs) - BigInt(this.#model.detail.zeroUnixNs));
      return { fromNs: atNs - 1.5e9, toNs: atNs + 1.5e9 };
    }
    if (this.#model.isLive) return { fromNs: endNs - FOLLOW_NS, toNs: endNs };
    return { fromNs: 0, toNs: endNs };
  }

  #changed(): void {
    this.#surface.invalidate();
    this.#overview.invalidate();
    this.#redraw();
  }

  #themed(): void {
    this.#footMode = '';
    this.#changed();
  }

  /** Everything round the picture: head, tools, panel. */
  #drawAround(): void {
    const { detail } = this.#model;
    if (!detail || !this.#view) return;
    fill(this.#head, ...sessionHead(detail));
    const isBare = detail.streams.length === 0 && this.#model.turns.length === 0;
    if (isBare) return fill(this.element, this.#head, spansOnly(detail));
    if (!this.#body.isConnected) fill(this.element, this.#head, this.#tools, this.#body);
    const turns = this.#model.turns;
    const index = turns.findIndex(turn => turn.tick === this.#turn);
    if (!this.#tools.contains(document.activeElement) || this.#tools.childElementCount === 0)
      fill(
        this.#tools,
        ...toolbar({
          view: this.#view,
          isLive: this.#model.isLive,
          isFollowing: this.#isFollowing,
          isRaw: this.#isRaw,
          turnText: index < 0 ? `${turns.length} turns` : `turn ${index + 1} of ${turns.length}`,
          act: key => this.#act(key),
        }),
      );
    this.#drawPanel(this.#model.turnAt(this.#turn));
    this.#lanes.setAttribute(
      'aria-label',
      `Frames of ${cut(detail.id, 60)} from mouth to ear, ${turns.length} turns. Keys: W S zoom, A D pan, brackets for turns, comma and full stop for late frames.`,
    );
  }

  #drawPanel(turn: Turn | undefined): void {
    this.#body.classList.toggle('open', turn !== undefined);
    if (!turn) {
      this.#shownTurn = '';
      this.#side.remove();
      return;
    }
    const shown = JSON.stringify([turn, this.#model.turns.length]);
    if (shown === this.#shownTurn) return;
    const scrollTop = this.#side.isConnected && this.#shownTurn !== '' ? this.#side.scrollTop : 0;
    this.#shownTurn = shown;
    fill(
      this.#side,
      ...ledgerPanel(this.#model, turn, {
        close: () => this.#selectTurn(undefined),
        fit: () => this.#act('f'),
      }),
    );
    if (!this.#side.isConnected) this.#body.append(this.#side);
    this.#side.scrollTop = scrollTop;
  }

  #paint(context: CanvasRenderingContext2D, area: PaintArea): void {
    if (!this.#view) return;
    const lanes = this.#picture.layout(this.#lanes.clientHeight, this.#view, area.widthPx);
    if (!lanes) return;
    const height = `${lanes.heightPx}px`;
    if (this.#inner.style.height !== height) this.#inner.style.height = height;
    const nowNs = this.#model.endNs(area.nowMs);
    if (this.#isFollowing) this.#follow(nowNs);
    this.#picture.paint(context, area, {
      view: this.#view,
      isRaw: this.#isRaw,
      turnTick: this.#turn,
      frame: this.#hover ?? this.#frame,
      nowNs,
    });
    this.#svg.setAttribute('viewBox', `0 0 ${area.widthPx} ${area.heightPx}`);
    fill(
      this.#svg,
      ...gutter({
        lanes,
        scale: this.#picture.scale!,
        isTrain: this.#picture.isTrain,
        stageNames: this.#picture.isTrain ? [...stageRows(this.#model.turns).keys()] : [],
      }),
    );
    this.#overview.show(this.#view, Math.max(nowNs, 1e9));
    this.#showTip();
    const mode = String(this.#picture.isTrain);
    if (mode !== this.#footMode) fill(this.#foot, legend(this.#picture.isTrain));
    this.#footMode = mode;
  }

  /** Keeps the newest at the right edge. Moving by itself stops for those who asked for less motion: then it steps with the data. */
  #follow(nowNs: number): void {
    const view = this.#view!;
    this.#view = { fromNs: nowNs - (view.toNs - view.fromNs), toNs: nowNs };
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (this.#model.isLive && !isStill && !document.hidden) this.#surface.invalidate();
  }

  #listen(): void {
    listenPanZoom(this.#canvas, {
      zoom: (factor, x) => this.#zoom(factor, x),
      pan: byPx => this.#moveTo(panned(this.#view!, byPx / (this.#picture.scale?.widthPx ?? 1000))),
      hover: (x, y) => this.#point(x, y),
      leave: () => this.#point(-1, -1),
      pick: (x, y) => this.#pick(x, y),
    });
  }

  #zoom(factor: number, x: number): void {
    const { scale } = this.#picture;
    if (!scale || !this.#view) return;
    const share = this.#isFollowing
      ? 1
      : Math.min(1, Math.max(0, (x - scale.leftPx) / scale.widthPx));
    const next = zoomed(
      this.#view,
      factor,
      share,
      this.#model.endNs(performance.now()) * 1.2 + 2e9,
    );
    if (this.#isFollowing) this.#view = next;
    else this.#moveTo(next);
    this.#surface.invalidate();
  }

  #moveTo(view: Viewport): void {
    this.#isFollowing = false;
    this.#view = held(view, this.#model.endNs(performance.now()));
    this.#note();
    this.#changed();
  }

  #note(): void {
    const window = this.#isFollowing || !this.#view ? {} : this.#view;
    const frame = this.#frame ? `${this.#frame.stream}:${this.#frame.tick}` : undefined;
    this.#app.note(
      sessionRoute(this.#key, { ...window, turn: this.#turn, frame, isRaw: this.#isRaw }),
    );
  }

  #point(x: number, y: number): void {
    const frame = x < 0 ? undefined : this.#picture.frameAt(x, y);
    const isSame = frame?.stream === this.#hover?.stream && frame?.tick === this.#hover?.tick;
    this.#hover = frame;
    this.#canvas.style.cursor = this.#picture.turnAt(x, y) === undefined ? '' : 'pointer';
    if (!isSame) this.#surface.invalidate();
    this.#pointer = { x, y };
    if (!frame) this.#tip.hidden = true;
  }

  /** After painting: only then is the frame under the pointer followed through its hops. */
  #showTip(): void {
    const { chosen, lanes } = this.#picture;
    this.#tip.hidden = !this.#hover || !chosen || !lanes;
    if (this.#tip.hidden || !chosen || !lanes) return;
    const { x, y } = this.#pointer;
    fill(this.#tip, ...frameTip(chosen, lanes));
    // To the left of the frame: its own times stand to its right.
    const leftPx = Math.min(x, ...chosen.points.map(point => point.x)) - this.#tip.offsetWidth - 18;
    const rightPx = Math.max(x, ...chosen.points.map(point => point.x)) + 130;
    this.#tip.style.left = `${leftPx > 4 ? leftPx : Math.min(rightPx, this.#inner.clientWidth - this.#tip.offsetWidth - 4)}px`;
    const roomPx = this.#lanes.scrollTop + this.#lanes.clientHeight - this.#tip.offsetHeight - 8;
    this.#tip.style.top = `${Math.max(4, Math.min(y + 14, roomPx))}px`;
  }

  #pick(x: number, y: number): void {
    const tick = this.#picture.turnAt(x, y);
    if (tick !== undefined) return this.#selectTurn(tick);
    this.#frame = this.#picture.frameAt(x, y);
    this.#note();
    this.#changed();
  }

  #selectTurn(tick: number | undefined, isMoved = false): void {
    this.#turn = tick;
    const turn = this.#model.turnAt(tick);
    if (turn && isMoved) {
      this.#isFollowing = false;
      this.#view = viewOfTurn(turn);
    }
    this.#note();
    this.#changed();
  }

  key(event: KeyboardEvent): boolean {
    return this.#act(event.key.toLowerCase());
  }

  #act(key: string): boolean {
    const scale = this.#picture.scale;
    const view = this.#view;
    if (!view || !scale) return false;
    const middle = scale.leftPx + scale.widthPx / 2;
    const actions: Readonly<Record<string, () => void>> = {
      w: () => this.#zoom(0.7, middle),
      s: () => this.#zoom(1 / 0.7, middle),
      a: () => this.#moveTo(panned(view, -0.2)),
      d: () => this.#moveTo(panned(view, 0.2)),
      arrowleft: () => this.#moveTo(panned(view, -0.2)),
      arrowright: () => this.#moveTo(panned(view, 0.2)),
      f: () => this.#fit(),
      l: () => this.#startFollowing(),
      r: () => this.#toggleRaw(),
      '[': () => this.#stepTurn(-1),
      ']': () => this.#stepTurn(1),
      ',': () => this.#stepLate(-1),
      '.': () => this.#stepLate(1),
      escape: () => this.#letGo(),
    };
    const action = actions[key];
    action?.();
    return action !== undefined;
  }

  #fit(): void {
    const turn = this.#model.turnAt(this.#turn);
    this.#moveTo(
      turn ? viewOfTurn(turn) : { fromNs: 0, toNs: this.#model.endNs(performance.now()) },
    );
  }

  #startFollowing(): void {
    if (!this.#model.isLive) return;
    this.#isFollowing = !this.#isFollowing;
    const span = this.#view!.toNs - this.#view!.fromNs;
    if (this.#isFollowing && span > 40e9) this.#view = { fromNs: 0, toNs: FOLLOW_NS };
    this.#note();
    this.#changed();
  }

  #toggleRaw(): void {
    this.#isRaw = !this.#isRaw;
    this.#note();
    this.#changed();
  }

  #stepTurn(by: 1 | -1): void {
    const { turns } = this.#model;
    // With none selected: the first or the last of those in view.
    const { fromNs, toNs: endNs } = this.#view!;
    const index = turns.findIndex(turn => turn.tick === this.#turn);
    const near =
      by > 0
        ? turns.findIndex(turn => (turn.endNs ?? Infinity) > fromNs)
        : turns.findLastIndex(turn => turn.startNs < endNs);
    const next = turns[index >= 0 ? index + by : near];
    if (next) this.#selectTurn(next.tick, true);
  }

  #stepLate(by: 1 | -1): void {
    const { scale, chosen } = this.#picture;
    const fromNs =
      chosen?.points.at(by > 0 ? -1 : 0)?.atNs ?? toNs(scale!, scale!.leftPx + scale!.widthPx / 2);
    const next = this.#picture.nextLate(fromNs, by);
    if (!next) return;
    this.#frame = next;
    const { fromNs: left, toNs: right } = this.#view!;
    if (next.atNs < left || next.atNs > right)
      this.#moveTo(panned(this.#view!, (next.atNs - (left + right) / 2) / (right - left)));
    this.#note();
    this.#changed();
  }

  #letGo(): void {
    if (this.#frame) this.#frame = undefined;
    else this.#turn = undefined;
    this.#note();
    this.#changed();
  }
}

/** A turn with its speech before and the start of its answer: where the wait is in the middle. */
function viewOfTurn(turn: Turn): Viewport {
  const wait = mainWait(turn);
  if (!wait) return around(turn.startNs, turn.endNs ?? turn.startNs + 4e9);
  const endNs = wait.endNs ?? wait.startNs + wait.waitNs;
  return around(wait.startNs - 7e8, endNs + 7e8, 0.12);
}
