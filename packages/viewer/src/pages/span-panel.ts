// One span whole: times, attributes, events, links, and its JSON.

import type { Attributes, Span } from '@framescope/protocol';
import { formatRoute } from '../state/route.ts';
import { cut, h } from '../ui/dom.ts';
import { duration } from '../ui/format.ts';

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const JSON_LENGTH_MAX = 200_000;

export function spanPanel(span: Span, traceId: string, close: () => void): HTMLElement[] {
  const text = JSON.stringify(span, null, 2).slice(0, JSON_LENGTH_MAX);
  const json = h('pre', { class: 'json', tabindex: '0', hidden: true }, text);
  const toggle = h('button', { class: 'button', type: 'button', 'aria-pressed': 'false' }, 'JSON');
  toggle.addEventListener('click', () => {
    json.hidden = !json.hidden;
    toggle.setAttribute('aria-pressed', String(!json.hidden));
  });
  const x = { class: 'button bare icon', type: 'button', 'aria-label': 'Close', onclick: close };
  return [
    h('div', { class: 'panel-head' }, h('h2', {}, cut(span.name, 80)), toggle, h('button', x, '✕')),
    h('section', {}, pairs(factsOf(span)), json),
    h('section', {}, h('h2', {}, 'Attributes'), attributes(span.attributes)),
    ...events(span),
    ...links(span),
    h('section', {}, h('h2', {}, 'Resource'), attributes(span.resource)),
    h('section', { class: 'quiet mono' }, `trace ${traceId}`),
  ];
}

function factsOf(span: Span): [string, string][] {
  const { code, message } = span.status;
  const status = code === 2 ? `error: ${message || 'no message'}` : code === 1 ? 'ok' : 'unset';
  return [
    ['Starts', `${duration(span.startNs)} into the trace`],
    ['Length', duration(span.durationNs)],
    ['Status', status],
    ['Service', span.service],
    ['Kind', KINDS[span.kind] ?? String(span.kind)],
    ['Scope', span.scope],
    ['Span', span.spanId],
    ['Parent', span.parentSpanId ?? '–'],
  ];
}

function events(span: Span): HTMLElement[] {
  if (span.events.length === 0) return [];
  const lines = span.events.slice(0, 200).map(event => {
    const title = `${duration(event.atNs)}  ${cut(event.name, 80)}`;
    return h('div', {}, h('p', { class: 'strong' }, title), attributes(event.attributes));
  });
  return [h('section', {}, h('h2', {}, 'Events'), ...lines)];
}

function links(span: Span): HTMLElement[] {
  if (span.links.length === 0) return [];
  const lines = span.links.slice(0, 100).map(({ traceId, spanId }) => {
    const href = formatRoute({ page: 'trace', id: traceId, span: spanId });
    return h('p', {}, h('a', { class: 'link mono', href }, traceId));
  });
  return [h('section', {}, h('h2', {}, 'Links'), ...lines)];
}

export function attributes(values: Attributes): HTMLElement {
  const entries = Object.entries(values).map(([key, value]): [string, string] => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return entries.length === 0 ? h('p', { class: 'quiet' }, 'None') : pairs(entries);
}

function pairs(entries: readonly (readonly [string, string])[]): HTMLElement {
  const rows = entries.map(([key, value]) =>
    h('tr', {}, h('td', { class: 'quiet' }, cut(key, 120)), h('td', {}, cut(value, 2_000))),
  );
  return h('table', { class: 'plain' }, h('tbody', {}, ...rows));
}
