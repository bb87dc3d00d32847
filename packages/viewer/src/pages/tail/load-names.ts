// Names, units and words of the rows of load beneath the heatmap.

import { barAt, type LoadRow } from '../../layout/load-rows.ts';
import type { HeatFrame } from '../../layout/heatmap.ts';
import { cut, h, s } from '../../ui/dom.ts';
import { count, duration, wallTime } from '../../ui/format.ts';

const NAMES = { calls: 'calls', late: 'loop late', CPU: 'CPU', queue: 'queue' } as const;
const WORDS = {
  calls: 'calls at once',
  late: 'event loop late',
  CPU: 'of a core',
  queue: 'waiting in the deepest queue',
} as const;

export function loadNames({ loads, leftPx, widthPx }: HeatFrame): SVGElement[] {
  return loads.flatMap(({ row, top, height }) => {
    const y = top + height / 2 + 4;
    return [
      s('text', { x: leftPx - 8, y, 'text-anchor': 'end' }, NAMES[row.name]),
      s('text', { class: 'end', x: leftPx + widthPx + 6, y }, valueText(row.name, row.most)),
    ];
  });
}

const valueText = (name: LoadRow['name'], value: number): string =>
  name === 'late'
    ? duration(value)
    : name === 'CPU'
      ? `${Math.round(value * 100)} %`
      : count(value);

/** What a row says at a share of the map's time. */
export function loadTip(row: LoadRow, at: number, atUnixNs: string): HTMLElement[] {
  const bar = barAt(row, at);
  const when = wallTime(atUnixNs, Date.now());
  if (!bar) return [h('span', { class: 'quiet' }, `nobody told of a load · ${when}`)];
  return [
    h('span', { class: 'strong' }, `${valueText(row.name, bar.value)} ${WORDS[row.name]}`),
    h('span', { class: 'quiet' }, `${cut(bar.who, 60)} · ${when}`),
  ];
}
