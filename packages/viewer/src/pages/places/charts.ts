// The small charts of Places: lines over time, latency against load, delay
// against underruns. SVG, since they are few.

import type { AdvicePoint, LoadCurve } from '@framescope/protocol';
import { linePath, roundTicks } from '../../layout/lines.ts';
import { h, s } from '../../ui/dom.ts';
import { duration, ms } from '../../ui/format.ts';

const SPARK = { widthPx: 132, heightPx: 24 };

/** Lines of one scale over each other; the last is the strongest. */
export function spark(lines: readonly (readonly (number | null)[])[], label: string): SVGElement {
  const max = Math.max(0, ...lines.flat().map(value => value ?? 0));
  return s(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${SPARK.widthPx} ${SPARK.heightPx}`,
      width: SPARK.widthPx,
      height: SPARK.heightPx,
      role: 'img',
      'aria-label': label,
    },
    ...lines.map((values, i) =>
      s('path', {
        class: i === lines.length - 1 ? 'main' : 'far',
        d: linePath(values, { ...SPARK, max }),
      }),
    ),
  );
}

const CHART = { widthPx: 560, heightPx: 240, leftPx: 62, bottomPx: 40, topPx: 16, rightPx: 96 };

interface Axes {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly parts: SVGElement[];
}

interface AxesInput {
  readonly xMax: number;
  readonly yMax: number;
  readonly xText: (value: number) => string;
  readonly yText: (value: number) => string;
  readonly xTitle: string;
  readonly yTitle: string;
}

function axes(input: AxesInput): Axes {
  const { widthPx, heightPx, leftPx, bottomPx, topPx, rightPx } = CHART;
  const [xs, ys] = [roundTicks(input.xMax, 6), roundTicks(input.yMax)];
  const [xTop, yTop] = [xs.at(-1)!, ys.at(-1)!];
  const x = (value: number): number => leftPx + (value / xTop) * (widthPx - leftPx - rightPx);
  const y = (value: number): number =>
    heightPx - bottomPx - (value / yTop) * (heightPx - bottomPx - topPx);
  const parts = [
    ...ys.flatMap(value => [
      s('line', { class: 'grid', x1: leftPx, x2: widthPx - rightPx, y1: y(value), y2: y(value) }),
      s('text', { x: leftPx - 8, y: y(value) + 4, 'text-anchor': 'end' }, input.yText(value)),
    ]),
    ...xs.map(value =>
      s(
        'text',
        { x: x(value), y: heightPx - bottomPx + 18, 'text-anchor': 'middle' },
        input.xText(value),
      ),
    ),
    s(
      'text',
      {
        x: (leftPx + widthPx - rightPx) / 2,
        y: heightPx - 4,
        'text-anchor': 'middle',
        class: 'title',
      },
      input.xTitle,
    ),
    s('text', { x: 2, y: 11, class: 'title' }, input.yTitle),
  ];
  return { x, y, parts };
}

const chart = (label: string, ...parts: SVGElement[]): HTMLElement =>
  h(
    'div',
    { class: 'chart scroll-x' },
    s(
      'svg',
      {
        viewBox: `0 0 ${CHART.widthPx} ${CHART.heightPx}`,
        width: CHART.widthPx,
        height: CHART.heightPx,
        role: 'img',
        'aria-label': label,
      },
      ...parts,
    ),
  );

/** Median with its interval for each bin of calls, and where it begins to rise. */
export function curveChart({ service, points, kneeCalls }: LoadCurve): HTMLElement {
  const xMax = Math.max(1, ...points.map(one => one.callsTo));
  const yMax = Math.max(...points.map(one => one.interval.highNs ?? one.p50Ns));
  const { x, y, parts } = axes({
    xMax,
    yMax,
    xText: value => (Number.isInteger(value) ? String(value) : ''),
    yText: value => duration(value),
    xTitle: 'calls at once on the instance',
    yTitle: 'median wait',
  });
  const middle = (bin: LoadCurve['points'][number]): number => (bin.callsFrom + bin.callsTo) / 2;
  return chart(
    `Wait against calls at once on an instance of ${service}`,
    ...parts,
    ...points.flatMap(bin => [
      s('line', {
        class: 'interval',
        x1: x(middle(bin)),
        x2: x(middle(bin)),
        y1: y(bin.interval.lowNs),
        y2: y(bin.interval.highNs ?? bin.p50Ns),
      }),
      s(
        'circle',
        { class: 'point', cx: x(middle(bin)), cy: y(bin.p50Ns), r: 4 },
        s(
          'title',
          {},
          `${bin.callsFrom}–${bin.callsTo} calls: p50 ${duration(bin.p50Ns)}, p95 ${duration(bin.p95Ns)}, n ${bin.n}`,
        ),
      ),
    ]),
    ...(kneeCalls === null
      ? []
      : [
          s('line', {
            class: 'knee',
            x1: x(kneeCalls),
            x2: x(kneeCalls),
            y1: CHART.topPx,
            y2: CHART.heightPx - CHART.bottomPx,
          }),
          s(
            'text',
            { class: 'knee-text', x: x(kneeCalls) + 6, y: CHART.topPx + 10 },
            `knee: ${kneeCalls} calls`,
          ),
        ]),
  );
}

/** Each setting as a point; today's as a ring with its name. */
export function adviceChart(points: readonly AdvicePoint[], today: AdvicePoint): HTMLElement {
  const all = [...points, today];
  const { x, y, parts } = axes({
    xMax: Math.max(...all.map(one => one.delayMeanNs)),
    yMax: Math.max(0.001, ...all.map(one => one.underrunShare)),
    xText: value => ms(value),
    yText: value => `${Number((value * 100).toPrecision(3))} %`,
    xTitle: 'delay of a frame, mean, ms',
    yTitle: 'frames not there in their turn',
  });
  return chart(
    'Delay against underruns of each setting',
    ...parts,
    ...points.flatMap(one => [
      s(
        'circle',
        {
          class: `point ${one.policy === 'adaptive' ? 'other' : ''}`,
          cx: x(one.delayMeanNs),
          cy: y(one.underrunShare),
          r: 4,
        },
        s('title', {}, `${one.setting}: ${duration(one.delayMeanNs)}, ${one.underruns} underruns`),
      ),
      s('text', { x: x(one.delayMeanNs) + 7, y: y(one.underrunShare) - 5 }, one.setting),
    ]),
    s('circle', { class: 'today', cx: x(today.delayMeanNs), cy: y(today.underrunShare), r: 8 }),
    s(
      'text',
      { class: 'today-text', x: x(today.delayMeanNs) + 11, y: y(today.underrunShare) + 14 },
      `today: ${today.setting}`,
    ),
  );
}
