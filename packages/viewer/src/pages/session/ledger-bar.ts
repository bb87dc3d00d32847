// The ledger as one bar: parts end to end, the budget as a dashed line, the
// same wait by other definitions as brackets above.

import type { Wait } from '@framescope/protocol';
import { isUnresolved, partColor } from '../../draw/palette.ts';
import { cut, s } from '../../ui/dom.ts';
import { duration, words } from '../../ui/format.ts';

const WIDE = 400;
const BAR = { y: 12, height: 20 } as const;

/** `limitNs`: of this wait; null: nothing is promised. */
export function ledgerBar(wait: Wait, limitNs: number | null): SVGElement {
  const allNs = Math.max(wait.waitNs, (limitNs ?? 0) * 1.05, 1);
  const x = (ns: number): number => (ns / allNs) * WIDE;
  const label = wait.parts.map(part => `${words(part.name)} ${duration(part.exposedNs)}`);
  return s(
    'svg',
    {
      class: 'ledger-bar',
      viewBox: `0 0 ${WIDE} 46`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': cut(label.join(', '), 800),
    },
    hatching(),
    ...partBoxes(wait, x),
    ...others(wait, x),
    ...(limitNs === null ? [] : budgetLine(x(limitNs))),
  );
}

function hatching(): SVGElement {
  const stripe = {
    x1: 0,
    x2: 0,
    y1: 0,
    y2: 5,
    stroke: '#141a26',
    'stroke-opacity': 0.5,
    'stroke-width': 2,
  };
  const tile = {
    id: 'hatch',
    width: 5,
    height: 5,
    patternUnits: 'userSpaceOnUse',
    patternTransform: 'rotate(45)',
  };
  return s('defs', {}, s('pattern', tile, s('line', stripe)));
}

function partBoxes(wait: Wait, x: (ns: number) => number): SVGElement[] {
  let atNs = 0;
  return wait.parts.flatMap(part => {
    const box = { ...BAR, x: x(atNs), width: Math.max(0, x(part.exposedNs) - 0.8) };
    atNs += part.exposedNs;
    const title = s('title', {}, `${words(cut(part.name, 60))}: ${duration(part.exposedNs)}`);
    const fill = s('rect', { ...box, fill: partColor(part.name) }, title);
    return isUnresolved(part.name) ? [fill, s('rect', { ...box, fill: 'url(#hatch)' })] : [fill];
  });
}

function others(wait: Wait, x: (ns: number) => number): SVGElement[] {
  return wait.alternatives.slice(0, 4).map(other => {
    const left = x(other.startNs - wait.startNs);
    const right = x(other.endNs - wait.startNs);
    const title = s('title', {}, `${other.definition}: ${duration(other.endNs - other.startNs)}`);
    const look = { fill: 'none', stroke: 'currentColor', 'stroke-opacity': 0.5 };
    return s('path', { d: `M${left},9v-4H${right}v4`, ...look }, title);
  });
}

function budgetLine(x: number): SVGElement[] {
  return [
    s('line', { class: 'budget', x1: x, x2: x, y1: 8, y2: 36 }),
    s('text', { x, y: 45, 'text-anchor': x > WIDE * 0.8 ? 'end' : 'middle' }, 'budget'),
  ];
}
