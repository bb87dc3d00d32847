// What stands over the cells in SVG: axes, percentile lines, the budget, marks
// on the slowest, and names for it all.

import type { Annotation, Heatmap, Quantiles } from '@framescope/protocol';
import { timeFormat } from 'd3-time-format';
import { scaleTime } from 'd3-scale';
import { columnX, layoutLine, type HeatFrame } from '../../layout/heatmap.ts';
import { logTicks, toY } from '../../layout/time-scale.ts';
import { s } from '../../ui/dom.ts';
import { duration, share, unixMs } from '../../ui/format.ts';
import { loadNames } from './load-names.ts';

const LINES = [
  ['p50', (q: Quantiles): number | null => q.p50Ns, '', 'p50'],
  ['p95', (q: Quantiles): number | null => q.p95Ns, '', 'p95'],
  ['p99', (q: Quantiles): number | null => q.p99Ns, '2 3', 'p99'],
  ['p999', (q: Quantiles): number | null => q.p999Ns, '1 4', 'p99.9'],
] as const;

const STRIP_NAMES: Readonly<Record<string, string>> = {
  never: 'no answer',
  lost: 'lost',
  over: 'over 20 s',
};

export function overlay(
  map: Heatmap,
  frame: HeatFrame,
  marks: readonly Annotation[],
): SVGElement[] {
  return [
    ...markLines(map, frame, marks),
    ...burnNames(frame),
    ...loadNames(frame),
    ...latencyAxis(frame, map),
    ...timeAxis(map, frame),
    ...percentiles(map, frame),
    ...budget(map, frame),
    ...exemplars(map, frame),
  ];
}

/** Deploys and incidents: a line through the cells, an incident as long as it lasted. */
function markLines(map: Heatmap, frame: HeatFrame, marks: readonly Annotation[]): SVGElement[] {
  const xOf = markX(map, frame);
  return marks.flatMap(mark => {
    const x = xOf(mark.atUnixNs);
    const end =
      mark.endUnixNs === null ? x : Math.min(xOf(mark.endUnixNs), frame.leftPx + frame.widthPx);
    const left = Math.max(x, frame.leftPx);
    const area =
      end > left
        ? [
            s('rect', {
              class: 'mark-area',
              x: left,
              y: frame.scale.topPx,
              width: end - left,
              height: frame.axisPx - frame.scale.topPx,
            }),
          ]
        : [];
    const isIn = x >= frame.leftPx && x <= frame.leftPx + frame.widthPx;
    const line = { class: `mark-line ${mark.kind === 'incident' ? 'incident' : ''}`, x1: x, x2: x };
    return isIn ? [...area, s('line', { ...line, y1: frame.scale.topPx, y2: frame.axisPx })] : area;
  });
}

/** Where a moment stands, in pixels; beyond the map too. */
export const markX =
  (map: Heatmap, frame: HeatFrame) =>
  (atUnixNs: string): number =>
    frame.leftPx +
    (Number(BigInt(atUnixNs) - BigInt(map.fromUnixNs)) / (map.columnNs * map.columns)) *
      frame.widthPx;

function burnNames({ burn, leftPx, widthPx }: HeatFrame): SVGElement[] {
  if (!burn) return [];
  return [
    s('text', { x: leftPx - 8, y: burn.top + 12, 'text-anchor': 'end' }, 'over'),
    s('text', { x: leftPx - 8, y: burn.top + 25, 'text-anchor': 'end' }, 'budget'),
    s('text', { class: 'end', x: leftPx + widthPx + 6, y: burn.top + 11 }, share(burn.most, 1)),
  ];
}

function latencyAxis(frame: HeatFrame, map: Heatmap): SVGElement[] {
  const right = frame.leftPx + frame.widthPx;
  // In a small one each second decade's step is enough.
  const steps = logTicks(frame.scale).filter(
    (_, i, all) => frame.scale.heightPx >= all.length * 16 || i % 2 === all.length % 2,
  );
  const ticks = steps.flatMap(ns => {
    const y = Math.round(toY(frame.scale, ns)) + 0.5;
    return [
      s('line', {
        class: 'grid',
        x1: frame.leftPx,
        x2: right,
        y1: y,
        y2: y,
        'stroke-opacity': 0.55,
      }),
      s('text', { x: frame.leftPx - 8, y: y + 4, 'text-anchor': 'end' }, tickText(ns)),
    ];
  });
  const over = map.measure.kind === 'frame' ? 'over 5 s' : STRIP_NAMES['over']!;
  const strips = frame.strips.map(strip =>
    s(
      'text',
      { x: frame.leftPx - 8, y: strip.top + 11, 'text-anchor': 'end' },
      strip.name === 'over' ? over : STRIP_NAMES[strip.name]!,
    ),
  );
  return [...ticks, ...strips];
}

const tickText = (ns: number): string =>
  ns >= 1e9
    ? `${ns / 1e9} s`
    : ns >= 1e6
      ? `${Math.round(ns / 1e6)} ms`
      : `${Math.round(ns / 1e3)} µs`;

function timeAxis(map: Heatmap, frame: HeatFrame): SVGElement[] {
  const from = unixMs(map.fromUnixNs);
  const to = unixMs(map.toUnixNs);
  const bottom = frame.axisPx;
  const scale = scaleTime()
    .domain([from, to])
    .range([frame.leftPx, frame.leftPx + frame.widthPx]);
  const text = timeFormat(
    to - from > 36 * 3_600_000 ? '%-d %b %H:%M' : to - from < 600_000 ? '%H:%M:%S' : '%H:%M',
  );
  const ticks = scale.ticks(Math.max(2, Math.floor(frame.widthPx / 110))).flatMap(at => {
    const x = Math.round(scale(at)) + 0.5;
    return [
      s('line', { class: 'axis-line', x1: x, x2: x, y1: bottom, y2: bottom + 5 }),
      s('text', { x, y: bottom + 19, 'text-anchor': 'middle' }, text(at)),
    ];
  });
  return [
    s('line', {
      class: 'axis-line',
      x1: frame.leftPx,
      x2: frame.leftPx + frame.widthPx,
      y1: bottom + 0.5,
      y2: bottom + 0.5,
    }),
    ...ticks,
  ];
}

function percentiles(map: Heatmap, frame: HeatFrame): SVGElement[] {
  const ends: { y: number; text: string }[] = [];
  const shapes = LINES.flatMap(([key, pick, dash, name]) => {
    const values = map.quantiles.map(pick);
    const runs = layoutLine(values, frame);
    const d = runs.map(run => pathOf(run)).join('');
    const last = runs.at(-1)?.at(-1);
    if (!last) return [];
    ends.push({ y: last[1], text: name });
    return [
      s('path', { class: 'halo', d }),
      s('path', {
        class: `line ${key}`,
        d,
        stroke: 'currentColor',
        'stroke-dasharray': dash || undefined,
      }),
    ];
  });
  if (frame.widthPx < 500) return shapes;
  // Lines end at different times: the names keep their order all the same, the slowest on top.
  ends.reverse();
  ends.forEach((end, i) => {
    if (i > 0) end.y = Math.max(end.y, ends[i - 1]!.y + 15);
  });
  return [
    ...shapes,
    ...ends.map(end =>
      s('text', { class: 'end', x: frame.leftPx + frame.widthPx + 6, y: end.y + 4 }, end.text),
    ),
  ];
}

/** A run of one point is drawn as a short dash: a value between two gaps must show. */
function pathOf(run: readonly [number, number][]): string {
  const [[x, y] = [0, 0]] = run;
  if (run.length === 1) return `M${(x - 3).toFixed(1)},${y.toFixed(1)}h6`;
  return `M${run.map(point => `${point[0].toFixed(1)},${point[1].toFixed(1)}`).join('L')}`;
}

function budget(map: Heatmap, frame: HeatFrame): SVGElement[] {
  const { budgetNs } = map.measure;
  if (budgetNs === null) return [];
  const y = Math.round(toY(frame.scale, budgetNs)) + 0.5;
  const over = map.overBudget.reduce((sum, n) => sum + n, 0);
  const isSmall = frame.scale.heightPx < 260;
  const above = `${share(over, map.total.n)} above`;
  const text = isSmall ? above : `budget ${duration(budgetNs)} · ${above}`;
  return [
    s('line', {
      class: 'budget',
      x1: frame.leftPx,
      x2: frame.leftPx + frame.widthPx,
      y1: y,
      y2: y,
    }),
    s('text', { class: 'budget-text', x: frame.leftPx + 8, y: y - 6 }, text),
  ];
}

/** Rings on the slowest; at most one every 14 px, the slower of two. */
function exemplars(map: Heatmap, frame: HeatFrame): SVGElement[] {
  const spots = new Map<number, { x: number; y: number; ns: number }>();
  for (const one of map.exemplars) {
    const x = columnX(frame, one.column + 0.5);
    const slot = Math.floor(x / 14);
    if ((spots.get(slot)?.ns ?? 0) >= one.valueNs) continue;
    spots.set(slot, {
      x,
      y: toY(frame.scale, Math.min(one.valueNs, frame.scale.maxNs)),
      ns: one.valueNs,
    });
  }
  return [...spots.values()].map(({ x, y }) =>
    s('circle', { class: 'mark', cx: x, cy: y, r: 3.5 }),
  );
}
