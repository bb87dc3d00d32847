// The tracks beneath the lanes, on a canvas of their own: the lanes are not painted anew for
// them. Names in SVG at the left, the value under the pointer beside it.

import { drawLevel, drawWave } from '../../draw/tracks.ts';
import { palette } from '../../draw/palette.ts';
import { Surface, type PaintArea } from '../../draw/surface.ts';
import { toNs, toX, type TimeScale } from '../../layout/time-scale.ts';
import {
  levelColumns,
  mostOf,
  placedTracks,
  pointAt,
  trackAt,
  waveColumns,
  type LevelTrack,
  type PlacedTrack,
  type Track,
} from '../../layout/tracks.ts';
import { cut, fill, h, s } from '../../ui/dom.ts';
import { count, duration, moment, share } from '../../ui/format.ts';

export interface StripView {
  readonly tracks: readonly Track[];
  readonly scale: TimeScale;
  /** Session time of the playhead; undefined while there is no recording. */
  readonly playNs: number | undefined;
  readonly isLoadOpen: boolean;
}

export interface StripHost {
  /** A place of the tracks was pressed. */
  seek(atNs: number): void;
  /** Load is to be shown a track a figure, or a track an instance again. */
  openLoad(isOpen: boolean): void;
}

export class TrackStrip {
  readonly element: HTMLElement = h('div', { class: 'tracks', hidden: true });
  readonly #picture = h('div', { role: 'img' });
  readonly #canvas = h('canvas', { 'aria-hidden': 'true' });
  readonly #svg = s('svg', { 'aria-hidden': 'true' });
  readonly #head = s('line', { class: 'playhead' });
  readonly #names = s('g');
  readonly #tip = h('div', { class: 'track-tip', hidden: true });
  readonly #more = h('button', { type: 'button', class: 'track-more', hidden: true });
  readonly #surface: Surface;
  #view: StripView | undefined;
  #placed: readonly PlacedTrack[] = [];
  #named = '';

  constructor(host: StripHost) {
    this.#surface = new Surface(this.#canvas, (context, area) => this.#paint(context, area));
    this.#svg.append(this.#names, this.#head);
    this.#picture.append(this.#canvas, this.#svg);
    this.element.append(this.#picture, this.#more, this.#tip);
    this.#more.addEventListener('click', () => host.openLoad(!this.#view?.isLoadOpen));
    this.#canvas.addEventListener('pointermove', event => this.#point(event));
    this.#canvas.addEventListener('pointerleave', () => (this.#tip.hidden = true));
    this.#canvas.addEventListener('click', event => {
      const view = this.#view;
      if (view && event.offsetX >= view.scale.leftPx) host.seek(toNs(view.scale, event.offsetX));
    });
  }

  /** Shows these tracks over this stretch of time; none: takes no room. */
  show(view: StripView): void {
    const n = view.tracks.length;
    // Most calls have none: then panning costs nothing here.
    if (n === 0 && this.element.hidden) return;
    this.#view = view;
    this.element.hidden = n === 0;
    const { placed, heightPx } = placedTracks(view.tracks);
    this.#placed = placed;
    const height = `${heightPx + 4}px`;
    if (this.element.style.height !== height) this.element.style.height = height;
    this.#showMore(view);
    this.#picture.setAttribute(
      'aria-label',
      view.tracks.map(track => `${track.name}, ${track.detail}`).join('; '),
    );
    placeHead(this.#head, view.playNs, view.scale, this.element.clientHeight);
    this.#surface.invalidate();
  }

  /** Beside the first track of load, which is one for all figures of an instance or one for each. */
  #showMore({ tracks, isLoadOpen }: StripView): void {
    const at = this.#placed[tracks.findIndex(one => one.id.startsWith('load '))];
    this.#more.hidden = at === undefined;
    if (at === undefined) return;
    const text = isLoadOpen ? '▾' : '▸';
    if (this.#more.textContent !== text) this.#more.textContent = text;
    const what = isLoadOpen
      ? 'Load: one line a process'
      : 'Load: event loop, CPU, queue and calls, a track each';
    this.#more.setAttribute('aria-label', what);
    this.#more.title = what;
    this.#more.setAttribute('aria-expanded', String(isLoadOpen));
    this.#more.style.top = `${at.topPx + 1}px`;
  }

  invalidate(): void {
    this.#surface.invalidate();
  }

  close(): void {
    this.#surface.close();
  }

  #paint(context: CanvasRenderingContext2D, area: PaintArea): void {
    const colors = palette();
    context.fillStyle = colors.ground;
    context.fillRect(0, 0, area.widthPx, area.heightPx);
    const view = this.#view;
    if (!view) return;
    for (const { track, topPx, heightPx } of this.#placed) {
      const at = { leftPx: view.scale.leftPx, topPx: topPx + 2, heightPx: heightPx - 2 };
      if (track.look === 'wave')
        drawWave(context, colors, { area: at, ...waveColumns(track, view.scale), who: track.who });
      else {
        const most = mostOf(track);
        const shares = (points: LevelTrack['points']): Float32Array =>
          levelColumns(points, view.scale).map(value => value / most);
        drawLevel(context, colors, {
          area: at,
          shares: shares(track.points),
          target: track.target && shares(track.target),
          look: track.look,
          badShare: (track.badFrom ?? Infinity) / most,
        });
      }
    }
    this.#drawOver(view, area);
  }

  #drawOver(view: StripView, area: PaintArea): void {
    const viewBox = `0 0 ${area.widthPx} ${area.heightPx}`;
    if (this.#svg.getAttribute('viewBox') !== viewBox) this.#svg.setAttribute('viewBox', viewBox);
    const named = JSON.stringify([
      view.scale.leftPx,
      view.tracks.map(track => [track.id, track.look === 'wave' ? 0 : mostOf(track)]),
    ]);
    if (named !== this.#named)
      fill(this.#names, ...this.#placed.flatMap(one => namesOf(one, view.scale)));
    this.#named = named;
    placeHead(this.#head, view.playNs, view.scale, area.heightPx);
  }

  #point(event: PointerEvent): void {
    const view = this.#view;
    const track = view && trackAt(this.#placed, event.offsetY);
    this.#tip.hidden = !track || !view || event.offsetX < view.scale.leftPx;
    if (this.#tip.hidden || !track || !view) return;
    const atNs = toNs(view.scale, event.offsetX);
    fill(
      this.#tip,
      h('span', { class: 'strong' }, valueText(track, atNs)),
      h('span', { class: 'quiet' }, `${track.name}, ${cut(track.detail, 60)} · ${moment(atNs)}`),
    );
    const left = Math.min(event.offsetX + 14, this.element.clientWidth - this.#tip.offsetWidth - 8);
    this.#tip.style.left = `${Math.max(4, left)}px`;
    this.#tip.style.top = `${event.offsetY - this.#tip.offsetHeight - 8}px`;
  }
}

/** Puts a playhead where its moment is, or away. */
export function placeHead(
  line: SVGLineElement,
  atNs: number | undefined,
  scale: TimeScale,
  heightPx: number,
): void {
  const x = atNs === undefined ? -1 : toX(scale, atNs);
  const isSeen = x >= scale.leftPx && x <= scale.leftPx + scale.widthPx;
  line.setAttribute('visibility', isSeen ? 'visible' : 'hidden');
  if (!isSeen) return;
  for (const [name, value] of [
    ['x1', x],
    ['x2', x],
    ['y1', 0],
    ['y2', heightPx],
  ] as const)
    line.setAttribute(name, value.toFixed(1));
}

function namesOf({ track, topPx: y, heightPx }: PlacedTrack, scale: TimeScale): SVGElement[] {
  const isNarrow = scale.leftPx < 120;
  const x = scale.leftPx - 12;
  const text = (value: string, dy: number, look?: string): SVGElement =>
    s('text', { class: look, x, y: y + dy, 'text-anchor': 'end' }, value);
  if (track.look !== 'wave' && track.parts !== undefined)
    return [
      text(cut(isNarrow ? track.name : `${track.name} ${track.detail}`, 22), heightPx - 3, 'quiet'),
    ];
  const top =
    track.look === 'wave'
      ? undefined
      : s(
          'text',
          { class: 'quiet most', x: scale.leftPx + 4, y: y + 12 },
          unitText(track, mostOf(track)),
        );
  return [
    text(cut(track.name, isNarrow ? 13 : 22), 17),
    isNarrow ? undefined : text(cut(track.detail, 26), 31, 'quiet'),
    top,
  ].filter(node => node !== undefined);
}

const unitText = ({ unit }: LevelTrack, value: number): string =>
  unit === 'ns'
    ? duration(value)
    : unit === 'count'
      ? count(value)
      : unit === 'cores'
        ? `${Math.round(value * 100)} %`
        : unit === 'limit'
          ? `${Math.round(value * 100)} % of what is bad`
          : share(value, 1);

function valueText(track: Track, atNs: number): string {
  if (track.look === 'wave') return track.name;
  if (track.parts !== undefined)
    return track.parts.map(part => `${part.name} ${valueText(part, atNs)}`).join(' · ');
  const point = pointAt(track.points, atNs);
  if (!point) return 'not known here';
  const target = track.target && pointAt(track.target, atNs);
  return `${unitText(track, point.value)}${target ? `, aims at ${unitText(track, target.value)}` : ''}`;
}
