// What is different about the slow ones: the verdict in words, the parts that grew
// and the attributes they share, inside against outside, each with its interval.

import type { TailAttribute, TailDifference, TailPart, TailWhy } from '@framescope/protocol';
import { partColor } from '../../draw/palette.ts';
import { formatRoute, sessionRoute } from '../../state/route.ts';
import { cut, h, s } from '../../ui/dom.ts';
import { count, duration, ms, plural, share, words } from '../../ui/format.ts';

const PARTS_SHOWN = 8;
const ATTRIBUTES_SHOWN = 8;

/** `noun`: what is counted, one of it. */
export function whySections(
  why: TailWhy,
  noun: string,
  narrow: (name: string, value: string) => void,
): HTMLElement[] {
  return [
    verdict(why, noun),
    ...(why.parts.length > 0 ? [parts(why)] : []),
    ...(why.attributes.length > 0 ? [attributes(why.attributes, narrow)] : []),
  ];
}

function verdict(why: TailWhy, noun: string): HTMLElement {
  const { inside, outside, verdict: found, tooFew } = why;
  return h(
    'section',
    {
      class: `verdict ${found.kind}`,
      'data-verdict': found.kind,
      'data-cause': found.name,
      'data-value': found.value ?? '',
      'data-with': found.with.join(' '),
    },
    h('h2', {}, found.kind === 'none' ? 'No cause stands out' : 'First cause'),
    h('p', { class: 'big' }, cut(found.kind === 'none' && tooFew ? tooFew : found.text, 400)),
    found.kind === 'session' &&
      found.value !== null &&
      h('a', { class: 'button', href: formatRoute(sessionRoute(found.value, {})) }, 'This call'),
    h(
      'p',
      { class: 'quiet' },
      `${plural(inside.turns, noun)} in ${plural(inside.sessions, 'call')} from ${duration(why.fromValueNs)} up, against ${plural(outside.turns, noun)} in ${plural(outside.sessions, 'call')}.`,
    ),
    why.sample !== undefined &&
      h(
        'p',
        { class: 'quiet' },
        `Counts and parts are of all of them; cause and attributes are told from ${count(why.sample.sessions)} of ${plural(why.sample.of, 'call')}.`,
      ),
  );
}

/** `+579 (398 … 759)`: what is known of a difference, bounds by resampled calls. */
function interval({ deltaNs, lowNs, highNs }: TailDifference): string {
  const sign = deltaNs > 0 ? '+' : '';
  return lowNs === null || highNs === null
    ? `${sign}${ms(deltaNs)}`
    : `${sign}${ms(deltaNs)} (${ms(lowNs)} … ${ms(highNs)})`;
}

function parts(why: TailWhy): HTMLElement {
  const shown = why.parts.slice(0, PARTS_SHOWN);
  const reachNs = Math.max(
    1,
    ...shown.flatMap(part => [part.deltaNs, part.highNs ?? 0, -(part.lowNs ?? 0)]),
  );
  return h(
    'section',
    {},
    h('h2', {}, 'Parts: how much longer than usual'),
    h(
      'table',
      { class: 'why' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'Part'),
          h('th', { scope: 'col', class: 'right', title: 'Mean inside − mean of all, ms' }, 'ms'),
          h('th', { scope: 'col', class: 'right', title: 'Of the whole difference' }, 'share'),
        ),
      ),
      h('tbody', {}, ...shown.map(part => partRow(part, reachNs))),
      h(
        'tfoot',
        {},
        h(
          'tr',
          {},
          h('td', {}, 'Adds up to'),
          h('td', { class: 'right' }, interval(why.total)),
          h('td', { class: 'right' }, '100 %'),
        ),
      ),
    ),
  );
}

function partRow(part: TailPart, reachNs: number): HTMLElement {
  const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
  swatch.style.backgroundColor = partColor(part.name);
  const percent = `${part.share < 0 ? '−' : ''}${share(Math.abs(part.share), 1)}`;
  return h(
    'tr',
    {
      title: `${words(part.name)}: ${duration(part.meanInNs)} inside, ${duration(part.meanOutNs)} outside, on average; longer than it usually is at most in ${plural(part.unusual, 'turn')} inside`,
    },
    h(
      'td',
      {},
      swatch,
      words(cut(part.name, 40)),
      part.group !== null && h('span', { class: 'owner' }, `${part.group}, taken together`),
      bar(part, reachNs),
    ),
    h('td', { class: 'right' }, interval(part)),
    h('td', { class: 'right quiet' }, percent),
  );
}

const BAR = { width: 200, height: 8, zero: 40 } as const;

/** The difference as a bar from its zero, its interval as a line over it. */
function bar(part: TailPart, reachNs: number): SVGElement {
  const x = (ns: number): number =>
    BAR.zero + Math.max(-BAR.zero, (ns / reachNs) * (BAR.width - BAR.zero));
  const [left, right] = [Math.min(BAR.zero, x(part.deltaNs)), Math.max(BAR.zero, x(part.deltaNs))];
  return s(
    'svg',
    { class: 'why-bar', viewBox: `0 0 ${BAR.width} ${BAR.height}`, 'aria-hidden': 'true' },
    s('rect', { x: left, y: 1.5, width: right - left, height: 5, fill: partColor(part.name) }),
    s('line', { x1: BAR.zero, x2: BAR.zero, y1: 0, y2: BAR.height }),
    part.lowNs !== null && part.highNs !== null
      ? s('path', { d: `M${x(part.lowNs)},2v4m0,-2H${x(part.highNs)}m0,-2v4` })
      : undefined,
  );
}

function attributes(
  all: readonly TailAttribute[],
  narrow: (name: string, value: string) => void,
): HTMLElement {
  const rows = all.slice(0, ATTRIBUTES_SHOWN).map(one => {
    const text = `${cut(one.name, 40)}: ${cut(one.value, 60)}`;
    const isSure = one.isSure || one.high < 0;
    return h(
      'tr',
      { class: isSure ? undefined : 'quiet' },
      h(
        'td',
        {},
        h(
          'button',
          {
            class: 'as-link',
            type: 'button',
            title: 'Only these',
            'aria-label': `Only ${text}`,
            onclick: () => narrow(one.name, one.value),
          },
          text,
        ),
        pair(one),
      ),
      h(
        'td',
        { class: 'right', title: `${count(one.inside)} of ${count(one.insideOf)}` },
        share(one.inside, one.insideOf),
      ),
      h(
        'td',
        { class: 'right', title: `${count(one.outside)} of ${count(one.outsideOf)}` },
        share(one.outside, one.outsideOf),
      ),
    );
  });
  return h(
    'section',
    {},
    h('h2', {}, 'What they share'),
    h(
      'table',
      { class: 'why' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'Attribute'),
          h('th', { scope: 'col', class: 'right' }, 'inside'),
          h('th', { scope: 'col', class: 'right' }, 'outside'),
        ),
      ),
      h('tbody', {}, ...rows),
    ),
    h('p', { class: 'quiet' }, 'Grey: could be chance. A click keeps only those.'),
  );
}

/** Share inside over share outside, on one scale. */
function pair(one: TailAttribute): SVGElement {
  const width = (part: number, whole: number): number => (whole === 0 ? 0 : (part / whole) * 200);
  return s(
    'svg',
    { class: 'why-bar', viewBox: '0 0 200 8', 'aria-hidden': 'true' },
    s('rect', { class: 'inside', y: 0, height: 3.5, width: width(one.inside, one.insideOf) }),
    s('rect', { class: 'outside', y: 4.5, height: 3.5, width: width(one.outside, one.outsideOf) }),
  );
}
