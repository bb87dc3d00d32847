// The turns of a cell, slowest first, each one click from the timeline.

import type { Tail, TailItem } from '@framescope/protocol';
import { formatRoute, sessionRoute } from '../../state/route.ts';
import { cut, h } from '../../ui/dom.ts';
import { count, duration, plural, share, wallTime, words } from '../../ui/format.ts';

/** As a section of the panel. `more` asks for the rest. */
export function tailList(tail: Tail, noun: string): HTMLElement {
  return h(
    'section',
    { class: 'turn-lines' },
    h('h2', {}, `${plural(tail.n, noun)}, slowest first`),
    ...(tail.items.length === 0
      ? [h('p', { class: 'quiet' }, `No ${noun} falls into this place.`)]
      : tail.items.map(line)),
    ...(tail.n > tail.items.length
      ? [h('p', { class: 'quiet' }, `and ${count(tail.n - tail.items.length)} more`)]
      : []),
  );
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
    item.worstPart.exposedNs > 0 &&
    `${words(cut(item.worstPart.name, 40))} ${duration(item.worstPart.exposedNs)} (${share(item.worstPart.exposedNs, item.valueNs)})`;
  return h(
    'a',
    { class: 'turn-line', href: formatRoute(route) },
    h('b', {}, `${item.censored ? '≥ ' : ''}${duration(item.valueNs)}`),
    h('span', { class: 'cell-name' }, cut(item.sessionId, 60)),
    h(
      'span',
      { class: 'sub' },
      [wallTime(item.atUnixNs, Date.now()), item.censored && 'never answered', part || item.hop]
        .filter(Boolean)
        .join(' · '),
    ),
  );
}
