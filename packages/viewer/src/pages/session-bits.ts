// Pieces that several pages show of a session: badge, strip of turns.

import type { SessionSummary, StripBar } from '@framescope/protocol';
import { h, s } from '../ui/dom.ts';
import { duration } from '../ui/format.ts';

const STATUS = {
  live: ['Live', 'live'],
  idle: ['Idle', ''],
  ended: ['Ended', ''],
  broken_off: ['Broken off', 'broken'],
} as const;

export function statusBadge(status: SessionSummary['status']): HTMLElement {
  const [text, look] = STATUS[status];
  return h('span', { class: `badge ${look}` }, text);
}

export function syntheticBadge(
  session: Pick<SessionSummary, 'synthetic'>,
): HTMLElement | undefined {
  return session.synthetic === null
    ? undefined
    : h(
        'span',
        { class: 'badge', title: 'Generated, not a real call' },
        session.synthetic.slice(0, 40),
      );
}

/** Kept: a mark beside the name, said to those who do not see it. */
export function pinMark(session: Pick<SessionSummary, 'pinned'>): HTMLElement | undefined {
  return session.pinned
    ? h(
        'span',
        {
          class: 'pin',
          role: 'img',
          'aria-label': 'Kept',
          title: 'Kept: retention passes it over',
        },
        '◆',
      )
    : undefined;
}

const STRIP_PX = { width: 160, height: 30 };

/** For a bar's height where nobody set a limit. */
const USUAL_NS = 800e6;

/** One bar a turn, as tall as its wait; the dashed line is the budget (null: none). Hollow: never answered. */
export function strip(bars: readonly StripBar[], limitNs: number | null): SVGElement {
  const { width, height } = STRIP_PX;
  const budgetNs = limitNs ?? Infinity;
  const capNs = (limitNs ?? USUAL_NS) * 2.5;
  const step = Math.min(10, width / Math.max(1, bars.length));
  const shapes = bars.map((bar, i) => {
    const ns = bar.waitNs ?? 0;
    const tall = bar.waitNs === null ? 2 : Math.max(3, (Math.min(ns, capNs) / capNs) * height);
    const isNever = ['abandoned', 'failed', 'none', 'interrupted_before'].includes(bar.outcome);
    const look = isNever ? 'none' : ns > budgetNs * 1.5 ? 'far' : ns > budgetNs ? 'over' : 'calm';
    return s('rect', {
      class: look,
      x: i * step,
      y: height - tall,
      width: Math.max(1, step - 1.5),
      height: tall,
      rx: 1,
    });
  });
  const line = height - height / 2.5;
  const worst = Math.max(0, ...bars.map(bar => bar.waitNs ?? 0));
  return s(
    'svg',
    {
      class: 'strip',
      preserveAspectRatio: 'xMinYMid meet',
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': `${bars.length} turns, slowest ${duration(worst)}${limitNs === null ? '' : `, budget ${duration(limitNs)}`}`,
    },
    limitNs === null ? undefined : s('line', { x1: 0, x2: width, y1: line, y2: line }),
    ...shapes,
  );
}
