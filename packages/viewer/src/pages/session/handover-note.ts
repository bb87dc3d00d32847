// A session's hand-overs in words, each leading to its moment on the timeline.

import type { Handover, SessionDetail } from '@framescope/protocol';
import { formatRoute, sessionRoute } from '../../state/route.ts';
import { cut, h } from '../../ui/dom.ts';
import { duration, moment, plural } from '../../ui/format.ts';

/** Shown before and behind it. */
const AROUND_NS = 2e9;

/** Undefined when the session had none. */
export function handoverNote(session: SessionDetail): HTMLElement | undefined {
  const { handovers = [] } = session;
  if (handovers.length === 0) return undefined;
  return h(
    'p',
    { class: 'handover-note' },
    h('span', { class: 'badge warn' }, plural(handovers.length, 'hand-over')),
    ...handovers.slice(0, 5).map(handover => line(session, handover)),
  );
}

function line({ key, processes }: SessionDetail, handover: Handover): HTMLElement {
  const { atNs, role, wasTold, gapFrames, gapNs, authorityNs } = handover;
  const name = (at: number): string => {
    const process = processes[at];
    return cut(process?.instance ?? process?.host ?? process?.service ?? '?', 40);
  };
  const window = { fromNs: Math.max(0, atNs - AROUND_NS), toNs: atNs + AROUND_NS };
  const parts = [
    handover.from === handover.to
      ? `${role} ${name(handover.from)} lost its connection and got it back`
      : `${role} ${name(handover.from)} ${wasTold ? 'ended its part' : 'went away without a word'}, ${name(handover.to)} went on`,
    gapFrames === 0 ? 'no frame lost' : `${plural(gapFrames, 'frame')} (${duration(gapNs)}) lost`,
    ...(authorityNs === null
      ? []
      : [`the agent was without the user for ${duration(authorityNs)}`]),
    ...heard(handover),
  ];
  return h(
    'a',
    { href: formatRoute(sessionRoute(key, window)) },
    `${moment(atNs)}: ${parts.join('; ')}`,
  );
}

/** Of a connection that came back: how long nothing arrived. */
function heard({ from, to, directions }: Handover): string[] {
  const silenceNs = Math.max(0, ...directions.map(one => one.silenceNs));
  return from === to && silenceNs > 0 ? [`silent for ${duration(silenceNs)}`] : [];
}
