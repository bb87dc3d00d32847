// A call that sent spans and no frames: what there is of it, and how to see more.

import type { SessionDetail } from '@framescope/protocol';
import { formatRoute } from '../../state/route.ts';
import { h } from '../../ui/dom.ts';
import { plural } from '../../ui/format.ts';
import { attributes } from '../span-panel.ts';

export function spansOnly(session: SessionDetail): HTMLElement {
  const links = session.traceIds.toReversed().map(id => {
    const href = formatRoute({ page: 'trace', id, span: undefined });
    return h(
      'a',
      { class: 'line', href },
      h('span', { class: 'grow mono' }, h('div', {}, id)),
      h('span', { class: 'quiet' }, 'Trace'),
    );
  });
  return h(
    'div',
    { class: 'page' },
    h(
      'div',
      { class: 'page-head' },
      h(
        'p',
        { class: 'quiet' },
        `This call sent ${plural(session.spanCount, 'span')} and no frames so far. With marks at its hops it would be drawn here from mouth to ear.`,
      ),
    ),
    h(
      'div',
      { class: 'tiles' },
      h('section', { class: 'card tile' }, h('h2', {}, plural(links.length, 'trace')), ...links),
      h(
        'section',
        { class: 'card tile' },
        h('h2', {}, 'Attributes'),
        h('div', { class: 'line' }, attributes(session.attributes)),
      ),
    ),
  );
}
