// How busy each instance was, over time, and what waits did under load.

import type { InstanceLoad, Load } from '@framescope/protocol';
import { spread } from '../../layout/lines.ts';
import { h } from '../../ui/dom.ts';
import { count, duration, plural, wallTime } from '../../ui/format.ts';
import { curveChart, spark } from './charts.ts';
import { placeText, table } from './tables.ts';

const CURVES_MAX = 4;
const LATE_NS = 100e6;

export function loadSection(load: Load): HTMLElement {
  const { instances, curves, fromUnixNs, toUnixNs } = load;
  const nowMs = Date.now();
  return h(
    'section',
    { class: 'block card' },
    h('h2', {}, 'Load'),
    instances.length === 0
      ? h(
          'p',
          { class: 'quiet' },
          'No process told of its load in this range. Processes on Node do it by themselves (option load).',
        )
      : h(
          'div',
          { class: 'stack' },
          h(
            'p',
            { class: 'quiet' },
            `${plural(instances.length, 'instance')}, ${wallTime(fromUnixNs, nowMs)} to ${wallTime(toUnixNs, nowMs)}; the latest event loop first.`,
          ),
          instanceTable(load),
          curveRow(curves),
        ),
  );
}

const number = (value: number | null, text: (value: number) => string): string =>
  value === null ? '–' : text(value);

const instanceTable = ({ instances, columns }: Load): HTMLElement => {
  const lane = (one: InstanceLoad, values: readonly (number | null)[], label: string): SVGElement =>
    spark([spread(one.column, values, columns)], `${label} of ${placeText(one.place)} over time`);
  return table<InstanceLoad>(
    'Load of instances',
    [
      { head: 'Instance', isText: true, of: one => placeText(one.place) },
      { head: 'Calls, most', of: one => number(one.callsMost, count) },
      { head: 'over time', isText: true, of: one => lane(one, one.calls, 'Calls') },
      {
        head: 'Event loop late, most',
        title: 'How much later than asked the event loop came to its timers',
        of: one =>
          h(
            'span',
            { class: (one.lagMaxNs ?? 0) >= LATE_NS ? 'warn strong' : undefined },
            duration(one.lagMaxNs),
          ),
      },
      { head: 'over time', isText: true, of: one => lane(one, one.lagNs, 'Event-loop lag') },
      {
        head: 'CPU, most',
        of: one => number(one.cpuMost, value => `${Math.round(value * 100)} %`),
      },
      { head: 'over time', isText: true, of: one => lane(one, one.cpu, 'CPU') },
      {
        head: 'Queue, deepest',
        of: one =>
          one.queue === null
            ? '–'
            : `${one.queue} ${Math.max(0, ...one.waiting.map(value => value ?? 0))}`,
      },
      { head: 'over time', isText: true, of: one => lane(one, one.waiting, 'Queue') },
      {
        head: 'Memory',
        of: one => {
          const last = one.rssBytes.findLast(value => value !== null);
          return last == null ? '–' : `${Math.round(last / 1e6)} MB`;
        },
      },
    ],
    instances,
  );
};

function curveRow(curves: Load['curves']): HTMLElement {
  const shown = curves
    .filter(curve => curve.points.length > 1)
    .toSorted((a, b) => Number(b.service.includes('agent')) - Number(a.service.includes('agent')))
    .slice(0, CURVES_MAX);
  return h(
    'div',
    { class: 'charts' },
    ...shown.map(curve =>
      h(
        'figure',
        {},
        h(
          'figcaption',
          {},
          h('strong', {}, curve.service),
          curve.kneeCalls === null
            ? ': answers did not become slower beyond doubt with more calls'
            : `: answers become slower from ${plural(curve.kneeCalls, 'call')} at once on`,
        ),
        curveChart(curve),
      ),
    ),
  );
}
