// What else the collector page shows: kept calls, marks, targets that spans are handed on to,
// and what was refused or dropped.

import type { Annotation, Pin } from '@framescope/protocol';
import type { ForwardTarget } from '../../data/api.ts';
import type { Health } from '../../data/health.ts';
import { formatRoute, sessionRoute } from '../../state/route.ts';
import { cut, h } from '../../ui/dom.ts';
import { ago, count, duration, plural, wallTime } from '../../ui/format.ts';
import { shapeOf } from '../annotate.ts';

const bytes = (n: number): string =>
  n >= 1e9
    ? `${(n / 1e9).toFixed(2)} GB`
    : n >= 1e6
      ? `${(n / 1e6).toFixed(1)} MB`
      : `${count(Math.round(n / 1e3))} kB`;

function section(
  id: string,
  title: string,
  ...rest: readonly (HTMLElement | undefined)[]
): HTMLElement {
  return h('section', { class: 'card block', id }, h('h2', {}, title), ...rest);
}

function table(heads: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  return h(
    'div',
    { class: 'scroll-x' },
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, ...heads.map(text => h('th', { scope: 'col' }, text)))),
      h('tbody', {}, ...rows),
    ),
  );
}

/** More than this behind, somebody looks for spans in the other tool and does not find them. */
export const LAG_NOTICE_NS = 30e9;

export const isBehind = (one: ForwardTarget): boolean =>
  one.lagNs > LAG_NOTICE_NS || one.droppedCommits > 0;

export function keptSection(pins: readonly Pin[], unpin: (pin: Pin) => void): HTMLElement {
  const rows = pins.map(pin =>
    h(
      'tr',
      {},
      h(
        'td',
        { class: 'cell-name' },
        h('a', { href: formatRoute(sessionRoute(pin.sessionKey)) }, cut(pin.sessionId, 60)),
        pin.note !== '' && h('div', { class: 'sub' }, cut(pin.note, 120)),
      ),
      h('td', { class: 'quiet' }, ago(pin.atUnixNs, Date.now())),
      h(
        'td',
        {},
        pin.isWhole
          ? h('span', { class: 'quiet' }, 'whole')
          : h(
              'span',
              {
                class: 'badge warn',
                title: 'Retention had taken frames or spans before it was pinned',
              },
              'not whole',
            ),
      ),
      h(
        'td',
        { class: 'right' },
        h(
          'button',
          {
            class: 'button bare',
            type: 'button',
            'aria-label': `Let go of ${cut(pin.sessionId, 40)}`,
            onclick: () => unpin(pin),
          },
          'Let go',
        ),
      ),
    ),
  );
  return section(
    'kept',
    'Kept calls',
    h(
      'p',
      { class: 'quiet' },
      'Pinned calls (M on a call) stay whole, whatever retention and the size limit take.',
    ),
    rows.length === 0 ? h('p', {}, 'None yet.') : table(['Call', 'Pinned', 'Kept', 'Let go'], rows),
    rows.length === 0
      ? undefined
      : h(
          'p',
          {},
          h(
            'a',
            { class: 'link', href: '/sessions?filter=pinned%3Atrue' },
            'In the list of sessions',
          ),
        ),
  );
}

export interface MarkHandlers {
  add(): void;
  open(mark: Annotation): void;
}

export function marksSection(marks: readonly Annotation[], handlers: MarkHandlers): HTMLElement {
  const rows = marks
    .toReversed()
    .slice(0, 100)
    .map(mark =>
      h(
        'tr',
        {},
        h('td', { class: 'quiet' }, wallTime(mark.atUnixNs, Date.now())),
        h('td', {}, `${shapeOf(mark.kind)} ${cut(mark.kind, 20)}`),
        h(
          'td',
          { class: 'grow-cell' },
          h(
            'button',
            { class: 'as-link', type: 'button', onclick: () => handlers.open(mark) },
            cut(mark.text, 120),
          ),
        ),
      ),
    );
  return section(
    'marks',
    'Deploys and other marks',
    h(
      'p',
      { class: 'quiet' },
      'Drawn under the heatmap and between sessions; each parts time for a comparison. A pipeline makes one with ',
      h('code', {}, 'POST /api/v1/annotations'),
      '.',
    ),
    rows.length === 0 ? h('p', {}, 'None yet.') : table(['When', 'Kind', 'What'], rows),
    h(
      'div',
      { class: 'form-line' },
      h(
        'button',
        { class: 'button', type: 'button', onclick: () => handlers.add() },
        'Mark a time',
      ),
    ),
  );
}

export function forwardSection(targets: readonly ForwardTarget[]): HTMLElement {
  if (targets.length === 0)
    return section(
      'forward',
      'Handed on',
      h('p', { class: 'quiet' }, 'Spans are handed on to no other tool. To Jaeger, for example:'),
      h('p', {}, h('code', {}, '--forward otlp+http://127.0.0.1:4320')),
    );
  const rows = targets.map(one =>
    h(
      'tr',
      {},
      h(
        'td',
        { class: 'cell-name' },
        h('div', { class: 'mono' }, cut(one.target, 80)),
        h('div', { class: 'sub' }, one.send.map(what => cut(what, 30)).join(', ')),
        one.lastError !== null && h('div', { class: 'sub warn' }, cut(one.lastError, 200)),
      ),
      h(
        'td',
        {},
        h(
          'span',
          { class: `badge ${one.state === 'retrying' || one.state === 'stopped' ? 'warn' : ''}` },
          { idle: 'up to date', sending: 'sending', retrying: 'retrying', stopped: 'stopped' }[
            one.state
          ],
        ),
      ),
      h(
        'td',
        { class: isBehind(one) ? 'right warn strong' : 'right' },
        one.lagNs === 0 ? 'none' : duration(one.lagNs),
      ),
      h('td', { class: 'right' }, count(one.sentSpans)),
      h('td', { class: 'right' }, bytes(one.waitingBytes)),
      h('td', { class: 'right' }, count(one.retries)),
      h(
        'td',
        { class: one.rejectedSpans + one.droppedCommits > 0 ? 'right warn strong' : 'right quiet' },
        one.droppedCommits > 0
          ? `${count(one.rejectedSpans)} + ${plural(one.droppedCommits, 'commit')}`
          : count(one.rejectedSpans),
      ),
    ),
  );
  const heads = [
    'Target',
    'State',
    'Behind',
    'Spans sent',
    'Waiting',
    'Retries',
    'Rejected, dropped',
  ];
  return section('forward', 'Handed on', table(heads, rows));
}

export function healthSection(health: Health): HTMLElement {
  const fact = (name: string, value: string): HTMLElement =>
    h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const rows = health.losses
    .slice(0, 40)
    .map(({ what, count: n }) =>
      h('tr', {}, h('td', {}, cut(what, 120)), h('td', { class: 'right strong' }, count(n))),
    );
  return section(
    'health',
    'Taken and not taken',
    health.isStoring
      ? undefined
      : h(
          'p',
          { class: 'bad strong', role: 'alert' },
          'The collector cannot store: its log says why. Senders are told to keep what they have.',
        ),
    h(
      'dl',
      { class: 'facts' },
      fact('spans', count(health.spans)),
      fact('records', count(health.records)),
      fact('on disk', bytes(health.dataBytes)),
      fact('waiting to be stored', bytes(health.queueBytes)),
      fact('told to come again', count(health.toldToWait)),
      fact('pages that listen', count(health.listeners)),
    ),
    rows.length === 0
      ? h('p', { class: 'good' }, 'Since it started nothing was refused and nothing dropped.')
      : table(['Refused or not kept, since it started', 'Times'], rows),
  );
}
