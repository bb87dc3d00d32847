// A comparison as sections: what changed in a sentence, the distributions, the
// percentiles, the parts.

import type { Comparison } from '@framescope/protocol';
import { layoutDistribution } from '../../layout/distribution.ts';
import { logTicks } from '../../layout/time-scale.ts';
import { cut, h, s } from '../../ui/dom.ts';
import { duration, ms, plural, share, words } from '../../ui/format.ts';

export function comparisonSections(found: Comparison): HTMLElement[] {
  return [
    h('section', { class: 'card block' }, verdict(found), distribution(found)),
    h('section', { class: 'card block' }, h('h2', {}, 'Percentiles'), changes(found)),
    ...(found.parts.length > 0
      ? [h('section', { class: 'card block' }, h('h2', {}, 'Parts, on average'), parts(found))]
      : []),
  ];
}

function verdict({ a, b, distance, measure }: Comparison): HTMLElement {
  const { gap, atNs, noise } = distance;
  const isReal = noise !== null && gap > noise;
  const text =
    a.count.turns === 0 || b.count.turns === 0
      ? 'One side is empty: nothing to compare.'
      : noise === null
        ? 'Too few calls to tell a difference from chance.'
        : isReal
          ? `They differ: ${share(gap, 1)} more of one lie below ${duration(atNs)}. Chance alone would do ${share(noise, 1)}.`
          : `No difference beyond chance (gap ${share(gap, 1)}, chance alone ${share(noise, 1)}).`;
  const side = (name: string, one: Comparison['a']): string =>
    `${name}: ${plural(one.count.turns, 'turn')} in ${plural(one.count.sessions, 'call')}, ${share(one.overBudget, one.count.turns)} over budget`;
  return h(
    'div',
    { 'data-differs': String(isReal) },
    h('p', { class: 'big' }, text),
    h('p', { class: 'quiet' }, `${measure.title}. ${side('A', a)}. ${side('B', b)}.`),
  );
}

const BOX = { widthPx: 1000, heightPx: 150 } as const;

function distribution(found: Comparison): SVGElement {
  const outline = layoutDistribution(found.distribution, BOX);
  const scale = { minNs: outline.minNs, maxNs: outline.maxNs, topPx: 0, heightPx: 1 };
  const ticks = logTicks(scale).flatMap(ns => {
    const x = outline.xOf(ns);
    return [
      s('line', { class: 'grid', x1: x, x2: x, y1: 0, y2: BOX.heightPx }),
      s('text', { x, y: BOX.heightPx + 16, 'text-anchor': 'middle' }, duration(ns)),
    ];
  });
  return s(
    'svg',
    {
      class: 'distribution',
      viewBox: `-20 0 ${BOX.widthPx + 40} ${BOX.heightPx + 22}`,
      role: 'img',
      'aria-label': `Distributions of A and B from ${duration(outline.minNs)} to ${duration(outline.maxNs)}`,
    },
    ...ticks,
    s('path', { class: 'of-a', d: outline.a }),
    s('path', { class: 'of-b', d: outline.b }),
  );
}

const NAMES = { p50: 'p50', p95: 'p95', p99: 'p99', p999: 'p99.9' } as const;

const signed = (ns: number | null): string =>
  ns === null ? '–' : `${ns > 0 ? '+' : ''}${ms(ns)} ms`;

/** Whether the bounds of a change keep clear of none. */
function lookOf(lowNs: number | null, highNs: number | null): string {
  if (lowNs === null || highNs === null || (lowNs <= 0 && highNs >= 0)) return 'quiet';
  return lowNs > 0 ? 'warn strong' : 'good strong';
}

const bounds = (lowNs: number | null, highNs: number | null): string =>
  lowNs === null || highNs === null ? '' : `${ms(lowNs)} … ${ms(highNs)}`;

function table(heads: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  return h(
    'div',
    {
      class: 'scroll-x',
      tabindex: '0',
      role: 'region',
      'aria-label': `${heads[0]}s beside each other`,
    },
    h(
      'table',
      { class: 'compare-table' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...heads.map((head, i) =>
            h('th', { scope: 'col', class: i > 0 ? 'right' : undefined }, head),
          ),
        ),
      ),
      h('tbody', {}, ...rows),
    ),
  );
}

interface Line {
  readonly name: string;
  readonly a: string;
  readonly b: string;
  readonly deltaNs: number | null;
  readonly lowNs: number | null;
  readonly highNs: number | null;
}

function line({ name, a, b, deltaNs, lowNs, highNs }: Line): HTMLElement {
  return h(
    'tr',
    {},
    h('td', {}, name),
    h('td', { class: 'right' }, a),
    h('td', { class: 'right' }, b),
    h('td', { class: `right ${lookOf(lowNs, highNs)}` }, signed(deltaNs)),
    h('td', { class: 'right quiet' }, bounds(lowNs, highNs)),
  );
}

function changes(found: Comparison): HTMLElement {
  const rows = found.changes.map(one =>
    line({ ...one, name: NAMES[one.quantile], a: duration(one.aNs), b: duration(one.bNs) }),
  );
  return table(['Percentile', 'A', 'B', 'B − A', '95 of 100'], rows);
}

function parts(found: Comparison): HTMLElement {
  const rows = found.parts.map(one =>
    line({
      ...one,
      name: words(cut(one.name, 60)),
      a: duration(one.aMeanNs),
      b: duration(one.bMeanNs),
    }),
  );
  return table(['Part', 'A', 'B', 'B − A', '95 of 100'], rows);
}
