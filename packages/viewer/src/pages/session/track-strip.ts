// The tracks beneath the lanes, on a canvas of their own: the lanes are not painted anew for
// them. Names in SVG at the left, the value under the pointer beside it.

import { drawLevel, drawWave } from '../../draw/tracks.ts';
import { palette } from '../../draw/palette.ts';
import { Surface, type PaintArea } from '../../draw/surface.ts';
import { toNs, toX, type TimeScale } from '../../layout/time-scale.ts';
import {
  levelColumns,
  mostOf,
  pointAt,
  TRACK_GAP_PX,
  TRACK_PX,
  trackAt,
  waveColumns,
  type LevelTrack,
  type Track,
} from '../../layout/tracks.ts';
import { cut, fill, h, s } from '../../ui/dom.ts';
import { count, duration, moment, share } from '../../ui/format.ts';

export interface StripView {
  readonly tracks: readonly Track[];
  readonly scale: TimeScale;
  /** Session time of the playhead; undefined while there is no recording. */
  readonly playNs: number | undefined;
}

export interface StripHost {
  /** A place of the tracks was pressed. */
  seek(atNs: number): void;
}

export class TrackStrip {
  readonly element: HTMLElement = h('div', { class: 'tracks', hidden: true });
  readonly #canvas = h('canvas', { 'aria-hidden': 'true' });
  readonly #svg = s('svg', { 'aria-hidden': 'true' });
  readonly #head = s('line', { class: 'playhead' });
  readonly #names = s('g');
  readonly #tip = h('div', { class: 'track-tip', hidden: true });
  readonly #surface: Surface;
  #view: StripView | undefined;
  #named = '';

  constructor(host: StripHost) {
    this.#surface = new Surface(this.#canvas, (context, area) => this.#paint(context, area));
    this.#svg.append(this.#names, this.#head);
    this.element.append(this.#canvas, this.#svg, this.#tip);
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
    const height = `${n * (TRACK_PX + TRACK_GAP_PX) + 4}px`;
    if (this.element.style.height !== height) this.element.style.height = height;
    this.element.setAttribute('role', 'img');
    this.element.setAttribute(
      'aria-label',
      view.tracks.map(track => `${track.name}, ${track.detail}`).join('; '),
    );
    placeHead(this.#head, view.playNs, view.scale, this.element.clientHeight);
    this.#surface.invalidate();
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
    view.tracks.forEach((track, i) => {
      const at = {
        leftPx: view.scale.leftPx,
        topPx: i * (TRACK_PX + TRACK_GAP_PX) + 2,
        heightPx: TRACK_PX - 2,
      };
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
    });
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
      fill(this.#names, ...view.tracks.flatMap((track, i) => nameOf(track, i, view.scale)));
    this.#named = named;
    placeHead(this.#head, view.playNs, view.scale, area.heightPx);
  }

  #point(event: PointerEvent): void {
    const view = this.#view;
    const index = view && trackAt(view.tracks.length, event.offsetY);
    const track = index === undefined ? undefined : view?.tracks[index];
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

function nameOf(track: Track, i: number, scale: TimeScale): SVGElement[] {
  const isNarrow = scale.leftPx < 120;
  const y = i * (TRACK_PX + TRACK_GAP_PX);
  const x = scale.leftPx - 12;
  const text = (value: string, dy: number, look?: string): SVGElement =>
    s('text', { class: look, x, y: y + dy, 'text-anchor': 'end' }, value);
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
        : share(value, 1);

function valueText(track: Track, atNs: number): string {
  if (track.look === 'wave') return track.name;
  const point = pointAt(track.points, atNs);
  if (!point) return 'not known here';
  const target = track.target && pointAt(track.target, atNs);
  return `${unitText(track, point.value)}${target ? `, aims at ${unitText(track, target.value)}` : ''}`;
}
