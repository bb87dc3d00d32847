// Tables of Places: ways, who is answered where, hand-overs.

import type {
  FleetHandover,
  FleetLink,
  FleetVendor,
  Leg,
  PlaceName,
  Places,
  Restart,
  ServedRegion,
} from '@framescope/protocol';
import { formatRoute, sessionRoute } from '../../state/route.ts';
import { cut, h } from '../../ui/dom.ts';
import { count, duration, plural, share, wallTime } from '../../ui/format.ts';
import { spark } from './charts.ts';

type Cell = string | Node;

interface Column<T> {
  readonly head: string;
  readonly title?: string;
  readonly isText?: boolean;
  readonly of: (item: T) => Cell;
}

export function table<T>(
  label: string,
  columns: readonly Column<T>[],
  items: readonly T[],
): HTMLElement {
  const look = (column: Column<T>): string | undefined => (column.isText ? undefined : 'right');
  return h(
    'div',
    { class: 'card scroll-x', tabindex: '0', role: 'region', 'aria-label': label },
    h(
      'table',
      { 'aria-label': label },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...columns.map(column =>
            h('th', { scope: 'col', class: look(column), title: column.title }, column.head),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        ...items.map(item =>
          h('tr', {}, ...columns.map(column => h('td', { class: look(column) }, column.of(item)))),
        ),
      ),
    ),
  );
}

const region = (name: string | null): Cell =>
  name === null ? h('em', { class: 'quiet' }, 'unknown') : cut(name, 40);

const end = (service: string, name: string | null): HTMLElement =>
  h('span', {}, cut(service, 40), ' ', h('span', { class: 'badge' }, region(name)));

export const legTable = (legs: readonly Leg[]): HTMLElement =>
  table<Leg>(
    'Ways between places',
    [
      { head: 'From', isText: true, of: leg => end(leg.fromService, leg.fromRegion) },
      { head: 'To', isText: true, of: leg => end(leg.toService, leg.toRegion) },
      { head: 'Stream', isText: true, of: leg => cut(leg.stream, 24) },
      { head: 'One way p50', of: leg => duration(leg.oneWay.p50Ns) },
      { head: 'p95', of: leg => duration(leg.oneWay.p95Ns) },
      { head: 'p99', of: leg => duration(leg.oneWay.p99Ns) },
      {
        head: '± clocks',
        title: 'What the clocks at both ends leave open',
        of: leg => (leg.errorNs === null ? 'never compared' : duration(leg.errorNs)),
      },
      {
        head: 'Round trip',
        title: 'Median of exchanges on the media path',
        of: leg => duration(leg.rttNs),
      },
      {
        head: 'Jitter',
        title: 'Mean change from one frame to the next',
        of: leg => duration(leg.jitterNs),
      },
      { head: 'Lost', of: leg => count(leg.lost) },
      { head: 'Frames', of: leg => count(leg.oneWay.n) },
      { head: 'Calls', of: leg => count(leg.sessions) },
      {
        head: 'Over time, p50 and p95',
        isText: true,
        of: leg =>
          spark([leg.overTime.p95Ns, leg.overTime.p50Ns], 'One-way delay over time, p50 and p95'),
      },
    ],
    legs,
  );

/** Connections whose far end may not be traced, by the word of the media stacks at the near one. */
export const linkTable = (links: readonly FleetLink[]): HTMLElement =>
  table<FleetLink>(
    'Connections as media stacks see them (getStats)',
    [
      { head: 'At', isText: true, of: one => end(one.service, one.region) },
      { head: 'Stream', isText: true, of: one => cut(one.stream, 24) },
      { head: 'Round trip, mean', of: one => duration(one.rttNs) },
      { head: 'worst call', of: one => duration(one.rttMaxNs) },
      { head: 'Jitter', title: 'Of packets’ arrival (RTCP)', of: one => duration(one.jitterNs) },
      {
        head: 'Packets lost',
        of: one =>
          one.packets + one.packetsLost === 0
            ? '–'
            : `${count(one.packetsLost)} (${share(one.packetsLost, one.packets + one.packetsLost)})`,
      },
      { head: 'Calls', of: one => count(one.sessions) },
    ],
    links,
  );

/** Services that are asked: what is measured of the way, and what they say of their work. */
export const vendorTable = (vendors: readonly FleetVendor[]): HTMLElement =>
  table<FleetVendor>(
    'Services that are asked, and their own word',
    [
      { head: 'Asked by', isText: true, of: one => end(one.service, one.region) },
      {
        head: 'Service',
        isText: true,
        of: one =>
          one.vendor === null ? h('em', { class: 'quiet' }, 'unknown') : cut(one.vendor, 40),
      },
      { head: 'For', isText: true, of: one => cut(one.stage, 24) },
      { head: 'Round trip p50', of: one => duration(one.rtt.p50Ns) },
      { head: 'p95', of: one => duration(one.rtt.p95Ns) },
      {
        head: 'Its work p50',
        title: 'By its own word, where that can be so',
        of: one => duration(one.processing.p50Ns),
      },
      { head: 'p95', of: one => duration(one.processing.p95Ns) },
      { head: 'Requests', of: one => count(one.requests) },
      {
        head: 'told nothing',
        title: 'No header or message of its work: unknown, not guessed',
        of: one => count(one.silent),
      },
      {
        head: 'cannot be so',
        title: 'Said that it took longer than the whole request: not believed',
        of: one => h('span', { class: one.unlikely > 0 ? 'warn' : undefined }, count(one.unlikely)),
      },
    ],
    vendors,
  );

const callLink = (key: string, text: string): HTMLElement =>
  h('a', { href: formatRoute(sessionRoute(key)) }, cut(text, 40));

export const servedTable = (served: readonly ServedRegion[]): HTMLElement =>
  table<ServedRegion>(
    'Calls by where callers are and where they are answered',
    [
      { head: 'Caller in', isText: true, of: one => region(one.callerRegion) },
      { head: 'Answered in', isText: true, of: one => region(one.agentRegion) },
      { head: 'Calls', of: one => count(one.sessions) },
      { head: 'Turns', of: one => count(one.turns) },
      { head: 'V2V p50', title: 'Median of the calls’ medians', of: one => duration(one.p50Ns) },
      { head: 'Worst', of: one => duration(one.worstNs) },
      { head: 'Over budget', of: one => count(one.overBudget) },
      {
        head: 'Worst calls',
        isText: true,
        of: one =>
          h(
            'span',
            { class: 'calls' },
            ...one.worst.map(worst => callLink(worst.key, duration(worst.waitNs))),
          ),
      },
    ],
    served,
  );

export const placeText = ({ service, instance, host, region: where }: PlaceName): string => {
  const isRandom = instance !== null && /^[0-9a-f]{16}$/.test(instance);
  const own = instance !== null && !isRandom ? instance : (host ?? instance ?? '?');
  return cut(`${service} ${own}${where === null || own.includes(where) ? '' : ` (${where})`}`, 80);
};

const restartTable = (restarts: readonly Restart[]): HTMLElement =>
  table<Restart>(
    'Restarts: processes whose calls went on elsewhere',
    [
      { head: 'At', isText: true, of: one => wallTime(one.atUnixNs, Date.now()) },
      { head: 'Process', isText: true, of: one => placeText(one.place) },
      { head: 'Calls moved', of: one => count(one.calls) },
      { head: 'Sound lost, median', of: one => duration(one.gapMedianNs) },
      { head: 'Most', of: one => duration(one.gapMaxNs) },
    ],
    restarts,
  );

/** The connection was lost and came back; the process stayed. */
const isItself = ({ from, to }: FleetHandover): boolean =>
  JSON.stringify(from) === JSON.stringify(to);

const handoverTable = (handovers: readonly FleetHandover[]): HTMLElement =>
  table<FleetHandover>(
    'Hand-overs',
    [
      {
        head: 'Call',
        isText: true,
        of: one =>
          h(
            'a',
            { href: formatRoute(sessionRoute(one.sessionKey, { atUnixNs: one.atUnixNs })) },
            cut(one.sessionId, 44),
          ),
      },
      { head: 'At', isText: true, of: one => wallTime(one.atUnixNs, Date.now()) },
      { head: 'From', isText: true, of: one => placeText(one.from) },
      {
        head: 'To',
        isText: true,
        of: one => (isItself(one) ? 'itself, reconnected' : placeText(one.to)),
      },
      { head: 'Said goodbye', isText: true, of: one => (one.wasTold ? 'yes' : 'no') },
      { head: 'Frames lost', of: one => count(one.gapFrames) },
      { head: 'Sound lost', of: one => duration(one.gapNs) },
      {
        head: 'Agent without the user',
        title: 'Until the process that decides turns heard the user again',
        of: one => duration(one.authorityNs),
      },
    ],
    handovers,
  );

export const handoverSection = ({ handovers, restarts }: Places): HTMLElement =>
  h(
    'section',
    { class: 'block card' },
    h('h2', {}, 'Hand-overs'),
    handovers.length === 0
      ? h(
          'p',
          { class: 'quiet' },
          'No call in this range went on over another process, or lost its connection.',
        )
      : h(
          'div',
          { class: 'stack' },
          h(
            'p',
            {},
            `${plural(handovers.length, 'hand-over')} in ${plural(restarts.length, 'restart')}. What went missing is counted where frames arrive.`,
          ),
          restartTable(restarts),
          handoverTable(handovers),
        ),
  );
