// What stands out, in words: a strip on Sessions and Tail, and the head of Places.
// A sentence leads to the calls in which it can be seen.

import type { Finding } from '@framescope/protocol';
import { api, type Query } from '../data/api.ts';
import { formatRoute, sessionRoute } from '../state/route.ts';
import { cut, fill, h } from '../ui/dom.ts';
import { count } from '../ui/format.ts';
import { throttled } from './page.ts';

/** Sentences of a strip; the others are on Places. */
const STRIP_MAX = 3;

const KIND: Readonly<Record<Finding['kind'], string>> = {
  handover: 'Hand-over',
  far: 'Far',
  overload: 'Overload',
  queue: 'Queue',
  uneven: 'Spread',
  cut: 'Pieces',
  jitter_buffer: 'Buffer',
  starvation: 'Ran dry',
  unknown: 'Unknown',
};

/** Takes no room until there is something to say; asks again at most every ten seconds. */
export class FindingsStrip {
  readonly element: HTMLElement = h('section', {
    class: 'findings',
    'aria-label': 'What stands out',
    hidden: true,
  });
  readonly again: { (): void; cancel(): void } = throttled(10_000, () => void this.#load());
  #query: Query = {};

  /** Of this range; absent ends as the API chooses them. */
  ask(query: Query): void {
    this.#query = query;
    this.again();
  }

  close(): void {
    this.again.cancel();
  }

  async #load(): Promise<void> {
    try {
      const { items } = await api.findings(this.#query);
      this.element.hidden = items.length === 0;
      const shown = items.slice(0, STRIP_MAX);
      const more = items.length - shown.length;
      fill(
        this.element,
        h('h2', {}, 'What stands out'),
        findingList(shown),
        h(
          'a',
          { href: '/places' },
          more > 0 ? `${count(more)} more, and where calls run` : 'Where calls run',
        ),
      );
    } catch {
      // The page it stands on says what is wrong with the collector.
    }
  }
}

export const findingList = (items: readonly Finding[], isLong = false): HTMLElement =>
  h('ul', { class: 'finding-list' }, ...items.map(item => finding(item, isLong)));

function finding({ kind, title, detail, sessionKeys }: Finding, isLong: boolean): HTMLElement {
  const [first] = sessionKeys;
  return h(
    'li',
    {},
    h('span', { class: `badge kind-${kind}` }, KIND[kind]),
    h(
      'span',
      { class: 'finding' },
      first === undefined || isLong
        ? h('span', { class: 'strong' }, cut(title, 300))
        : h(
            'a',
            { href: formatRoute(sessionRoute(first)), title: cut(detail, 600) },
            cut(title, 300),
          ),
      isLong && h('span', { class: 'quiet' }, ` ${cut(detail, 600)}`),
      isLong && sessionKeys.length > 0 && ' ',
      isLong && sessionKeys.length > 0 && calls(sessionKeys),
    ),
  );
}

const calls = (keys: readonly string[]): HTMLElement =>
  h(
    'span',
    { class: 'calls' },
    keys.length === 1 ? 'call' : 'calls',
    ...keys.map((key, i) =>
      h('a', { href: formatRoute(sessionRoute(key)), 'aria-label': `Call ${i + 1}` }, `${i + 1}`),
    ),
  );
