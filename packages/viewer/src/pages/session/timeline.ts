// The timeline as an element: canvas and SVG of the lanes, the overview above,
// the legend beneath; what part of the call is in view and how it moves.

import { Surface, type PaintArea } from '../../draw/surface.ts';
import { listenPanZoom } from '../../input/pan-zoom.ts';
import type { Lanes } from '../../layout/lanes.ts';
import type { LevelTrack } from '../../layout/tracks.ts';
import { toNs, type TimeScale } from '../../layout/time-scale.ts';
import { stageRows } from '../../layout/turns.ts';
import type { SessionView } from '../../state/route.ts';
import type { SessionModel } from '../../state/session-model.ts';
import { viewOfTurn } from '../../state/turn-view.ts';
import { held, panned, zoomed, type Viewport } from '../../state/viewport.ts';
import { fill, h, s } from '../../ui/dom.ts';
import { markWhole } from '../../ui/marks.ts';
import type { Layers } from '../../ui/save.ts';
import { gutterErrors, gutterNames, TimeAxis, type GutterInput } from './gutter.ts';
import { frameTip } from './head.ts';
import { legend, signsOf } from './legend.ts';
import { Overview } from './overview.ts';
import { tracksOf } from '../../state/tracks.ts';
import { Picture } from './picture.ts';
import type { Player } from './player.ts';
import { placeHead, TrackStrip } from './track-strip.ts';

/** What a live call shows of itself when first opened. */
const FOLLOW_NS = 12e9;
/** Following at more than this would be density that creeps: too slow to be seen moving. */
const FOLLOW_NS_MAX = 40e9;

export interface FrameName {
  readonly stream: string;
  readonly tick: number;
}

/** What is chosen on the page; the page changes it, the timeline draws it. */
export interface Chosen {
  turn: number | undefined;
  frame: FrameName | undefined;
  isRaw: boolean;
}

export interface TimelineHost {
  /** Another part of the call is in view, or it began or ceased to follow. */
  moved(): void;
  pickTurn(tick: number): void;
  pickFrame(frame: FrameName | undefined): void;
}

export class Timeline {
  readonly element: HTMLElement;
  view: Viewport | undefined;
  isFollowing = false;
  readonly lanes: HTMLElement = h('div', {
    class: 'lanes',
    tabindex: '0',
    role: 'application',
    'aria-roledescription': 'frame timeline',
  });
  readonly #model: SessionModel;
  readonly #chosen: Chosen;
  readonly #host: TimelineHost;
  readonly #picture: Picture;
  readonly #overview: Overview;
  readonly #surface: Surface;
  readonly #canvas = h('canvas', { 'aria-hidden': 'true' });
  readonly #axis = new TimeAxis();
  readonly #errors = s('g');
  readonly #names = s('g');
  readonly #head = s('line', { class: 'playhead', visibility: 'hidden' });
  readonly #svg = s(
    'svg',
    { 'aria-hidden': 'true' },
    this.#axis.element,
    this.#errors,
    this.#names,
    this.#head,
  );
  readonly #strip: TrackStrip;
  readonly #player: Player;
  readonly #tip = h('div', { class: 'tip', hidden: true });
  readonly #cutNote = h(
    'p',
    { class: 'cut-note', role: 'status', hidden: true },
    'More frames here than one answer holds: some are not drawn. Zoom in to see all.',
  );
  readonly #inner = h('div', { class: 'lanes-inner' });
  readonly #foot = h('div');
  #hover: FrameName | undefined;
  /** Tracks of what was last drawn: made anew when any of it is another. */
  #levels:
    | {
        readonly detail: unknown;
        readonly rows: unknown;
        readonly lanes: unknown;
        readonly load: unknown;
        readonly tracks: readonly LevelTrack[];
      }
    | undefined;
  #isLoadOpen = false;
  #named: unknown;
  #namedPx = 0;
  #pointer = { x: 0, y: 0 };
  #errorsShown = '';
  /** What the legend was last made of. */
  #footMode: boolean | undefined;
  #footOf: unknown;
  #footText = '';

  constructor(model: SessionModel, chosen: Chosen, host: TimelineHost, player: Player) {
    this.#model = model;
    this.#chosen = chosen;
    this.#host = host;
    this.#picture = new Picture(model);
    this.#overview = new Overview(model, to => this.moveTo(to));
    this.#surface = new Surface(this.#canvas, (context, area) => this.#paint(context, area));
    this.#inner.append(this.#canvas, this.#svg, this.#tip);
    this.lanes.append(this.#inner, this.#cutNote);
    // Tracks that come later leave less room: hops move together before anybody has to scroll.
    this.#surface.follow(this.lanes);
    this.#player = player;
    this.#strip = new TrackStrip({
      seek: atNs => player.seek(atNs),
      openLoad: isOpen => {
        this.#isLoadOpen = isOpen;
        this.#levels = undefined;
        this.#surface.invalidate();
      },
    });
    this.element = h(
      'div',
      { class: 'picture' },
      this.#overview.element,
      this.lanes,
      this.#strip.element,
      this.#foot,
    );
    listenPanZoom(this.#canvas, {
      zoom: (factor, x) => this.#zoom(factor, this.#shareAt(x)),
      pan: byPx => this.#panPx(byPx),
      hover: (x, y) => this.#point(x, y),
      leave: () => this.#point(-1, -1),
      pick: (x, y) => this.#pick(x, y),
    });
  }

  /** What is in view or chosen has changed. */
  redraw(): void {
    this.#surface.invalidate();
  }

  /** The data has changed. */
  invalidate(): void {
    this.#surface.invalidate();
    this.#overview.invalidate();
  }

  /** Colours changed: the legend too is drawn anew. */
  themed(): void {
    this.#footMode = undefined;
    this.#footText = '';
    this.invalidate();
  }

  /** For exports: what is seen, as it is drawn. */
  get layers(): Layers {
    return { canvas: this.#canvas, svg: this.#svg };
  }

  close(): void {
    this.#surface.close();
    this.#overview.close();
    this.#strip.close();
  }

  /** Goes where an address says; without a window, to its turn, its moment, or the whole call. */
  show(view: SessionView): void {
    const isWindow = view.fromNs !== undefined && view.toNs !== undefined;
    this.view = isWindow ? { fromNs: view.fromNs!, toNs: view.toNs! } : this.#firstView(view);
    this.isFollowing =
      this.#model.isLive && !isWindow && view.turn === undefined && view.frame === undefined;
    this.invalidate();
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

  moveTo(view: Viewport): void {
    this.isFollowing = false;
    this.view = held(view, this.#model.endNs(performance.now()));
    this.#host.moved();
  }

  /** Moves by a share of the width; positive is later. */
  pan(share: number): void {
    if (this.view) this.moveTo(panned(this.view, share));
  }

  /** Zooms about the middle; above 1 is out. */
  zoom(factor: number): void {
    this.#zoom(factor, 0.5);
  }

  /** The chosen turn, or the whole call. */
  fit(): void {
    const turn = this.#model.turnAt(this.#chosen.turn);
    this.moveTo(
      turn ? viewOfTurn(turn) : { fromNs: 0, toNs: this.#model.endNs(performance.now()) },
    );
  }

  /** Begins to follow a live call, or ceases to. */
  toggleFollowing(): void {
    if (!this.#model.isLive || !this.view) return;
    this.isFollowing = !this.isFollowing;
    const span = this.view.toNs - this.view.fromNs;
    if (this.isFollowing && span > FOLLOW_NS_MAX) this.view = { fromNs: 0, toNs: FOLLOW_NS };
    this.#host.moved();
  }

  /** The next late or lost frame after the chosen one, brought into view. */
  stepLate(by: 1 | -1): void {
    const { scale, chosen } = this.#picture;
    if (!scale || !this.view) return;
    const middleNs = toNs(scale, scale.leftPx + scale.widthPx / 2);
    const next = this.#picture.nextLate(chosen?.points.at(by > 0 ? -1 : 0)?.atNs ?? middleNs, by);
    if (!next) return;
    const { fromNs, toNs: endNs } = this.view;
    if (next.atNs < fromNs || next.atNs > endNs)
      this.pan((next.atNs - (fromNs + endNs) / 2) / (endNs - fromNs));
    this.#host.pickFrame(next);
  }

  #panPx(byPx: number): void {
    this.pan(byPx / (this.#picture.scale?.widthPx ?? 1000));
  }

  /** Where in the view a place of the canvas is, 0–1. */
  #shareAt(x: number): number {
    const { scale } = this.#picture;
    return scale ? Math.min(1, Math.max(0, (x - scale.leftPx) / scale.widthPx)) : 0.5;
  }

  #zoom(factor: number, share: number): void {
    if (!this.view) return;
    const spanNsMax = this.#model.endNs(performance.now()) * 1.2 + 2e9;
    const next = zoomed(this.view, factor, this.isFollowing ? 1 : share, spanNsMax);
    if (this.isFollowing) this.view = next;
    else this.moveTo(next);
    this.#surface.invalidate();
  }

  #paint(context: CanvasRenderingContext2D, area: PaintArea): void {
    if (!this.view) return;
    const lanes = this.#picture.layout(this.lanes.clientHeight, this.view, area.widthPx);
    if (!lanes) return;
    const height = `${lanes.heightPx}px`;
    if (this.#inner.style.height !== height) this.#inner.style.height = height;
    const nowNs = this.#model.endNs(area.nowMs);
    if (this.isFollowing) this.#follow(nowNs);
    this.#picture.paint(context, area, {
      view: this.view,
      isRaw: this.#chosen.isRaw,
      turnTick: this.#chosen.turn,
      frame: this.#hover ?? this.#chosen.frame,
      nowNs,
    });
    this.#drawOver(area, nowNs);
  }

  /** What lies over and round the canvas, after each picture. */
  #drawOver(area: PaintArea, nowNs: number): void {
    const { lanes, scale, isTrain } = this.#picture;
    if (!lanes || !scale || !this.view) return;
    const viewBox = `0 0 ${area.widthPx} ${area.heightPx}`;
    if (this.#svg.getAttribute('viewBox') !== viewBox) this.#svg.setAttribute('viewBox', viewBox);
    const stageNames = isTrain ? [...stageRows(this.#model.turns).keys()] : [];
    const input = { lanes, scale, isTrain, stageNames };
    this.#axis.show(input);
    this.#showErrors(input);
    if (this.#named !== lanes || this.#namedPx !== scale.leftPx)
      fill(this.#names, ...gutterNames(input));
    this.#named = lanes;
    this.#namedPx = scale.leftPx;
    this.#overview.show(this.view, Math.max(nowNs, 1e9));
    this.#cutNote.hidden = !isTrain || !this.#model.tiles.isCut(this.view.fromNs, this.view.toNs);
    this.#showTip();
    this.#showTracks(lanes, scale, area);
    if (this.#picture.isWhole) markWhole('session');
    this.#showLegend(isTrain);
  }

  /** To scale: other brackets only when the picture is zoomed. */
  #showErrors(input: GutterInput): void {
    const errors = gutterErrors(input);
    const shown = errors.join();
    if (shown === this.#errorsShown) return;
    this.#errorsShown = shown;
    fill(this.#errors, ...errors.map(d => s('path', { class: 'bracket', d })));
  }

  #showLegend(isTrain: boolean): void {
    const { detail } = this.#model;
    if (this.#footMode === isTrain && this.#footOf === detail) return;
    const signs = signsOf(detail!);
    const text = `${isTrain} ${[...signs].join()}`;
    if (text !== this.#footText) fill(this.#foot, legend(isTrain, signs));
    this.#footMode = isTrain;
    this.#footOf = detail;
    this.#footText = text;
  }

  /** Beneath the lanes, over the same time; and where the recording stands. */
  #showTracks(lanes: Lanes, scale: TimeScale, area: PaintArea): void {
    const { detail, loads: load } = this.#model;
    if (!detail) return;
    const { rows } = this.#picture;
    const held = this.#levels;
    const isHeld = held?.detail === detail && held.rows === rows && held.load === load;
    const isLoadOpen = this.#isLoadOpen;
    if (!isHeld || held.lanes !== lanes) {
      const tracks = tracksOf({ detail, lanes, rows, load, isLoadOpen });
      this.#levels = { detail, rows, lanes, load, tracks };
    }
    const playNs = this.#player.atNs;
    const tracks = [...this.#player.tracks, ...this.#levels!.tracks];
    this.#strip.show({ tracks, scale, playNs, isLoadOpen });
    placeHead(this.#head, playNs, scale, area.heightPx);
    this.#player.follow();
    if (this.#player.isPlaying) this.#surface.invalidate();
  }

  /** Turns the page when the playhead leaves it. */
  keepInView(atNs: number): void {
    const { view } = this;
    if (!view || this.isFollowing || (atNs >= view.fromNs && atNs <= view.toNs)) return;
    const spanNs = view.toNs - view.fromNs;
    this.moveTo({ fromNs: atNs - spanNs * 0.1, toNs: atNs + spanNs * 0.9 });
  }

  /** Keeps the newest at the right edge. Moving by itself stops for those who asked for less motion: then it steps with the data. */
  #follow(nowNs: number): void {
    const view = this.view!;
    this.view = { fromNs: nowNs - (view.toNs - view.fromNs), toNs: nowNs };
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (this.#model.isLive && !isStill && !document.hidden) this.#surface.invalidate();
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

  #pick(x: number, y: number): void {
    const tick = this.#picture.turnAt(x, y);
    if (tick !== undefined) this.#host.pickTurn(tick);
    else this.#host.pickFrame(this.#picture.frameAt(x, y));
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
    const roomPx = this.lanes.scrollTop + this.lanes.clientHeight - this.#tip.offsetHeight - 8;
    this.#tip.style.top = `${Math.max(4, Math.min(y + 14, roomPx))}px`;
  }
}
