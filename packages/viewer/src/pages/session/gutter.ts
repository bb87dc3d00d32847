// Names of the lanes and the time axis, in SVG over the canvas.

import { isAhead, type Lanes } from '../../layout/lanes.ts';
import { nsPerPx, timeTicks, toX, type TimeScale } from '../../layout/time-scale.ts';
import { cut, s } from '../../ui/dom.ts';
import { clock, duration, words } from '../../ui/format.ts';

export interface GutterInput {
  readonly lanes: Lanes;
  readonly scale: TimeScale;
  readonly isTrain: boolean;
  readonly stageNames: readonly string[];
}

/** Names of stations, roles and bands: the same until the lanes change. */
export function gutterNames(input: GutterInput): SVGElement[] {
  return [...stationNames(input), ...roles(input), ...bandNames(input)];
}

/** The error of each clock to scale, where frames are lines: paths. */
export function gutterErrors({ lanes, scale, isTrain }: GutterInput): string[] {
  if (!isTrain) return [];
  const perPx = nsPerPx(scale);
  return lanes.stations.flatMap(station => {
    const px = Math.min(40, station.errorNs / perPx);
    if (px < 1.5) return [];
    return [`M${scale.leftPx - px},${station.y - 3}v6m0,-3h${px * 2}m0,-3v6`];
  });
}

/** The time axis: other times and places in each picture, the same elements. New ones cost ten times as much. */
export class TimeAxis {
  readonly element: SVGGElement = s('g');
  readonly #line = s('line', { class: 'axis-line' });
  readonly #ticks: { readonly line: SVGElement; readonly text: SVGElement; shown: string }[] = [];

  constructor() {
    this.element.append(this.#line);
  }

  show({ lanes, scale }: Pick<GutterInput, 'lanes' | 'scale'>): void {
    const { stepNs, ticks } = timeTicks(scale, 84);
    const y = lanes.axisPx - 4.5;
    const right = scale.leftPx + scale.widthPx;
    const line = { x1: scale.leftPx, x2: right, y1: y, y2: y };
    for (const [name, value] of Object.entries(line)) setAttribute(this.#line, name, value);
    const seen = ticks.filter(at => at >= 0);
    seen.forEach((at, i) => {
      const x = Math.round(toX(scale, at)) + 0.5;
      this.#showTick(i, { x, y, text: tickText(at, stepNs), isEnd: x > right - 24 });
    });
    for (const one of this.#ticks.slice(seen.length)) this.#hide(one);
  }

  #showTick(i: number, tick: { x: number; y: number; text: string; isEnd: boolean }): void {
    const one = (this.#ticks[i] ??= this.#newTick());
    const { x, y, text, isEnd } = tick;
    if (one.shown === '') for (const node of [one.line, one.text]) node.removeAttribute('display');
    for (const [name, value] of Object.entries({ x1: x, x2: x, y1: y - 5, y2: y }))
      setAttribute(one.line, name, value);
    setAttribute(one.text, 'x', x);
    setAttribute(one.text, 'y', y - 9);
    setAttribute(one.text, 'text-anchor', isEnd ? 'end' : 'middle');
    if (one.shown !== text) one.text.textContent = text;
    one.shown = text;
  }

  #hide(one: { readonly line: SVGElement; readonly text: SVGElement; shown: string }): void {
    if (one.shown === '') return;
    for (const node of [one.line, one.text]) node.setAttribute('display', 'none');
    one.shown = '';
  }

  #newTick(): { line: SVGElement; text: SVGElement; shown: string } {
    const one = { line: s('line', { class: 'tick' }), text: s('text'), shown: '' };
    this.element.append(one.line, one.text);
    return one;
  }
}

/** What is as it was is not touched: the browser would style and paint it again. */
function setAttribute(element: SVGElement, name: string, value: string | number): void {
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** As many decimals as the step needs. */
function tickText(atNs: number, stepNs: number): string {
  const digits = stepNs >= 1e9 ? 0 : stepNs >= 1e8 ? 1 : stepNs >= 1e7 ? 2 : 3;
  const msWhole = Math.round(atNs / 1e6);
  const rest =
    digits === 0
      ? ''
      : `.${String(msWhole % 1000)
          .padStart(3, '0')
          .slice(0, digits)}`;
  return `${clock(Math.floor(msWhole / 1000) * 1e9)}${rest}`;
}

const middleOf = (band: { top: number; height: number }): number => band.top + band.height / 2;

function stationNames({ lanes, scale }: GutterInput): SVGElement[] {
  const isNarrow = scale.leftPx < 120;
  return lanes.stations.flatMap((station, i) => {
    const x = scale.leftPx - 12;
    const next = lanes.stations[i + 1];
    const isLast = !next || next.stream !== station.stream;
    const hasRoom = isLast
      ? ![lanes.ledger.top + lanes.ledger.barPx / 2, middleOf(lanes.agent)].some(
          y => y > station.y && y - station.y < 32,
        )
      : next.y - station.y >= 32;
    // Behind a synthesiser that runs ahead of time an age says nothing: the audio waits on purpose.
    const p95 =
      station.p95Ns === null || isAhead(lanes.stations, station)
        ? ''
        : `p95 ${duration(station.p95Ns)}`;
    const error = station.errorNs > 500_000 ? ` ± ${duration(station.errorNs)}` : '';
    return [
      s(
        'text',
        { x, y: station.y + 4, 'text-anchor': 'end' },
        words(cut(station.name, isNarrow ? 12 : 20)),
      ),
      hasRoom && !isNarrow
        ? s(
            'text',
            { class: 'quiet', x, y: station.y + 17, 'text-anchor': 'end' },
            `${p95}${error}`,
          )
        : undefined,
    ].filter(node => node !== undefined);
  });
}

/** A bracket and the name of the role over the hops that it ran. */
function roles({ lanes, scale }: GutterInput): SVGElement[] {
  if (scale.leftPx < 120) return [];
  const groups: { role: string; stream: string; top: number; bottom: number }[] = [];
  for (const station of lanes.stations) {
    const last = groups.at(-1);
    if (last && last.role === station.role && last.stream === station.stream)
      last.bottom = station.y;
    else
      groups.push({
        role: station.role,
        stream: station.stream,
        top: station.y,
        bottom: station.y,
      });
  }
  return [
    ...groups.map(({ top, bottom }) =>
      s('path', { class: 'bracket', d: `M34,${top - 8}h-5V${bottom + 8}h5` }),
    ),
    ...roleNames(groups).map(({ text, y }) =>
      s(
        'text',
        { class: 'quiet', transform: `translate(19 ${y}) rotate(-90)`, 'text-anchor': 'middle' },
        text,
      ),
    ),
  ];
}

/** Of the small text that names are in, a letter: a little more than it takes. */
const LETTER_PX = 6.6;

/** Names lie along their brackets, the longest first; one that has no room beside them is left out. */
export function roleNames(
  groups: readonly { readonly role: string; readonly top: number; readonly bottom: number }[],
): { readonly text: string; readonly y: number }[] {
  const placed: { text: string; y: number; half: number }[] = [];
  for (const { role, top, bottom } of groups.toSorted(
    (a, b) => b.bottom - b.top - (a.bottom - a.top),
  )) {
    const text = cut(role, 14);
    const [y, half] = [(top + bottom) / 2, (text.length * LETTER_PX) / 2];
    if (placed.every(one => Math.abs(one.y - y) >= one.half + half)) placed.push({ text, y, half });
  }
  return placed;
}

function bandNames({ lanes, scale, stageNames }: GutterInput): SVGElement[] {
  const x = scale.leftPx - 12;
  const name = (text: string, y: number, look?: string): SVGElement =>
    s('text', { class: look, x, y, 'text-anchor': 'end' }, text);
  const middle = (band: { top: number; height: number }): number => middleOf(band) + 4;
  const { ledger, stages } = lanes;
  return [
    name('user', middle(lanes.user)),
    name('agent', middle(lanes.agent)),
    name('wait', ledger.top + ledger.barPx / 2 + 4),
    scale.leftPx >= 120 && ledger.height - ledger.barPx >= 18
      ? name('what the caller hears', ledger.top + ledger.barPx + 11, 'quiet')
      : s('g'),
    ...stageNames.map((stage, i) =>
      name(cut(words(stage), 16), stages.top + (i + 0.5) * stages.rowPx + 4, 'quiet'),
    ),
  ];
}
