// The turns of a cell, slowest first, each one click from the timeline.

import type { Heatmap, Tail, TailItem } from '@framescope/protocol';
import { formatRoute, sessionRoute } from '../../state/route.ts';
import { cut, h } from '../../ui/dom.ts';
import { count, duration, plural, share, wallTime, words } from '../../ui/format.ts';
import { empty } from '../page.ts';

export interface CellInfo {
  readonly map: Heatmap;
  readonly minNs: number;
  readonly maxNs: number;
  readonly fromMs: number;
  readonly isNever: boolean;
}

export function tailList(tail: Tail, cell: CellInfo, close: () => void): HTMLElement[] {
  const noun = cell.map.measure.kind === 'wait' ? 'turn' : 'frame';
  const range = cell.isNever
    ? 'never answered'
    : cell.maxNs > 1e14
      ? `over ${duration(cell.minNs)}`
      : `${duration(cell.minNs)} – ${duration(cell.maxNs)}`;
  return [
    h(
      'div',
      { class: 'panel-head' },
      h('h2', {}, plural(tail.n, noun)),
      h(
        'button',
        { class: 'button bare icon', type: 'button', 'aria-label': 'Close', onclick: close },
        '✕',
      ),
    ),
    h(
      'section',
      { class: 'quiet' },
      `${range}, from ${wallTime(`${Math.round(cell.fromMs)}000000`, Date.now())}. Slowest first.`,
    ),
    ...(tail.items.length === 0
      ? [empty('Nothing here', 'No turn falls into this place.')]
      : tail.items.map(line)),
    ...(tail.n > tail.items.length
      ? [h('section', { class: 'quiet' }, `and ${count(tail.n - tail.items.length)} more`)]
      : []),
  ];
}

function line(item: TailItem): HTMLElement {
  const route =
    item.hop === null
      ? sessionRoute(item.sessionKey, { turn: item.tick })
      : sessionRoute(item.sessionKey, {
          frame: `${item.hop.split('.')[0]}:${item.tick}`,
          atUnixNs: item.atUnixNs,
        });
  const part =
    item.worstPart &&
    `${words(cut(item.worstPart.name, 40))} ${duration(item.worstPart.exposedNs)} (${share(item.worstPart.exposedNs, item.valueNs)})`;
  return h(
    'a',
    { class: 'turn-line', href: formatRoute(route) },
    h('b', {}, `${item.censored ? '≥ ' : ''}${duration(item.valueNs)}`),
    h('span', { class: 'cell-name' }, cut(item.sessionId, 60)),
    h(
      'span',
      { class: 'sub' },
      [wallTime(item.atUnixNs, Date.now()), part ?? item.hop].filter(Boolean).join(' · '),
    ),
  );
}
