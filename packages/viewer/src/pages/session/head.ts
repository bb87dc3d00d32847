// The call's name and figures, the timeline's tools, and what the pointer says of a frame.

import type { SessionDetail } from '@framescope/protocol';
import { hasOneClock, type Lanes } from '../../layout/lanes.ts';
import { pathOf, rateOf } from '../../layout/lineage.ts';
import type { ChosenFrame } from '../../layout/train.ts';
import type { Viewport } from '../../state/viewport.ts';
import { cut, h } from '../../ui/dom.ts';
import {
  clock,
  count,
  duration,
  kilohertz,
  moment,
  plural,
  share,
  wallTime,
  words,
} from '../../ui/format.ts';
import { statusBadge, syntheticBadge } from '../session-bits.ts';
import { handoverNote } from './handover-note.ts';
import { setupNote } from './setup-note.ts';

/** Lines of what was bent and left out. */
const LINES_SHOWN_MAX = 12;

export function sessionHead(session: SessionDetail, togglePin: () => void): HTMLElement[] {
  const fact = (name: string, value: string, look = '', isLesser = false): HTMLElement =>
    h(
      'div',
      { class: isLesser ? 'lesser' : undefined },
      h('dt', {}, name),
      h('dd', { class: look }, value),
    );
  const v2v = session.voiceToVoice;
  const { lost, expected } = session.frames;
  const dropped = Object.values(session.dropped).reduce((sum, n) => sum + n, 0);
  return [
    h(
      'div',
      { class: 'title' },
      h('h1', { title: cut(session.id, 400) }, cut(session.id, 80)),
      statusBadge(session.status),
      h(
        'button',
        {
          class: 'button pin-button',
          type: 'button',
          'aria-pressed': String(session.pinned === true),
          title: session.pinned
            ? 'Kept whole: retention passes it over. Press to let it go (M)'
            : 'Keep this call, whatever retention takes (M)',
          onclick: togglePin,
        },
        session.pinned ? '◆ Kept' : '◇ Keep',
      ),
      ...[syntheticBadge(session)].filter(one => one !== undefined),
    ),
    h(
      'dl',
      { class: 'facts' },
      fact('started', wallTime(session.startUnixNs, Date.now()), '', true),
      fact('length', clock(session.durationNs)),
      fact('turns', count(session.turnCount)),
      fact(`voice to voice${v2v ? ` (${v2v.definition})` : ''} p50`, duration(v2v?.p50Ns)),
      fact('p95', duration(v2v?.p95Ns)),
      fact(
        'over budget',
        count(session.overBudgetCount),
        session.overBudgetCount > 0 ? 'warn' : '',
      ),
      fact('barge-ins', count(session.bargeInCount), '', session.bargeInCount === 0),
      fact('lost frames', expected === 0 ? '–' : `${count(lost)} (${share(lost, expected)})`),
      fact('clocks', clocksText(session)),
    ),
    ...[handoverNote(session), setupNote(session), lineageMenu(session)].filter(
      one => one !== undefined,
    ),
    ...sourceBadges(session),
    ...(dropped > 0
      ? [
          h(
            'span',
            {
              class: 'badge warn',
              title: Object.entries(session.dropped)
                .map(([why, n]) => `${cut(why, 60)}: ${n}`)
                .join('\n'),
            },
            `${plural(dropped, 'record')} dropped`,
          ),
        ]
      : []),
  ];
}

const clocksText = (session: SessionDetail): string =>
  hasOneClock(session)
    ? 'one'
    : `± ${duration(Math.max(0, ...session.processes.map(one => one.clock.errorNs ?? 0)))}`;

/** Whose telemetry was recognised, and what of it was not understood or not drawn. */
function sourceBadges({ sources = [] }: SessionDetail): HTMLElement[] {
  return sources.flatMap(({ name, notes }) => [
    h('span', { class: 'badge' }, `spans of ${cut(name, 40)}`),
    ...notes.map(note => h('span', { class: 'quiet', 'data-note': name }, cut(note, 240))),
  ]);
}

const GAPS = { conceal: 'made up', drop: 'thrown away', silence: 'silent' } as const;

/** What the marks on the lanes say, in words: opened when asked for. */
function lineageMenu({ streams }: SessionDetail): HTMLElement | undefined {
  const lines = streams.flatMap(({ name, sampleRate, lineage }): string[] => {
    if (!lineage) return [];
    const gaps = Object.entries(GAPS).flatMap(([kind, word]) => {
      const all = lineage.gaps.filter(gap => gap.kind === kind);
      const ticks = all.reduce((sum, gap) => sum + gap.endTick - gap.startTick, 0);
      return ticks > 0 ? [`${duration((ticks / sampleRate) * 1e9)} ${word}`] : [];
    });
    const bent = new Map(lineage.segments.map(one => [pathOf(one), rateOf(one, sampleRate)]));
    const bends = [...bent].map(([path, rate]) =>
      rate === sampleRate ? `spliced at ${path}` : `${kilohertz(rate)} at ${path}`,
    );
    const most = lineage.gapCount > lineage.gaps.length ? ' (of the last 500 ranges)' : '';
    return [...gaps.map(gap => gap + most), ...bends].map(text => `${cut(name, 24)}: ${text}`);
  });
  if (lines.length === 0) return undefined;
  return h(
    'details',
    { class: 'menu' },
    h('summary', { class: 'badge' }, `bends and gaps: ${lines.length}`),
    h(
      'ul',
      { class: 'menu-list plain-list' },
      ...lines.slice(0, LINES_SHOWN_MAX).map(line => h('li', {}, cut(line, 90))),
    ),
  );
}

/** `0:04.719 – 0:07.827 · 3.11 s` */
export const windowText = ({ fromNs, toNs }: Viewport): string =>
  `${moment(Math.max(0, fromNs))} – ${moment(toNs)}  ·  ${duration(toNs - fromNs)}`;

export interface ToolbarInput {
  readonly view: Viewport;
  readonly isLive: boolean;
  readonly isFollowing: boolean;
  readonly isRaw: boolean;
  readonly turnText: string;
  act(key: string): void;
}

export function toolbar(input: ToolbarInput): HTMLElement[] {
  const tool = (key: string, text: string, label: string): HTMLElement =>
    h(
      'button',
      {
        class: 'button',
        type: 'button',
        title: `${label} (${key.toUpperCase()})`,
        'aria-label': label,
        onclick: () => input.act(key),
      },
      text,
    );
  const pressed = (key: string, text: string, label: string, isPressed: boolean): HTMLElement =>
    h(
      'button',
      {
        class: 'button',
        type: 'button',
        title: `${label} (${key.toUpperCase()})`,
        'aria-pressed': String(isPressed),
        onclick: () => input.act(key),
      },
      text,
    );
  return [
    h(
      'div',
      { class: 'group', role: 'group', 'aria-label': 'Zoom and pan' },
      tool('a', '←', 'Earlier'),
      tool('s', '−', 'Zoom out'),
      tool('w', '+', 'Zoom in'),
      tool('d', '→', 'Later'),
    ),
    tool('f', 'Fit', 'Fit the turn, or the whole call'),
    h(
      'div',
      { class: 'group', role: 'group', 'aria-label': 'Turns' },
      tool('[', '‹', 'Previous turn'),
      h('button', { class: 'button', type: 'button', disabled: true }, input.turnText),
      tool(']', '›', 'Next turn'),
    ),
    h(
      'div',
      { class: 'group', role: 'group', 'aria-label': 'Late and lost frames' },
      tool(',', '‹', 'Previous late or lost frame'),
      h('button', { class: 'button', type: 'button', disabled: true }, 'late'),
      tool('.', '›', 'Next late or lost frame'),
    ),
    h('span', { class: 'spring' }),
    h('output', { 'aria-label': 'Window' }, windowText(input.view)),
    pressed(
      'r',
      input.isRaw ? 'Raw clocks' : 'Corrected clocks',
      'Raw or corrected clocks',
      input.isRaw,
    ),
    ...(input.isLive ? [pressed('l', 'Follow', 'Follow the live call', input.isFollowing)] : []),
  ];
}

/** The frame under the pointer, hop by hop. */
export function frameTip(frame: ChosenFrame, lanes: Lanes): HTMLElement[] {
  const rows = frame.points.map(point => {
    const station = lanes.stations[point.station]!;
    const leg = point.legNs === undefined ? '' : `+${duration(point.legNs)}`;
    return h(
      'tr',
      {},
      h('td', { class: 'quiet' }, `${cut(station.role, 12)} ${words(cut(station.name, 20))}`),
      h('td', { class: 'right' }, moment(point.atNs)),
      h('td', { class: 'right strong' }, leg),
      h(
        'td',
        { class: 'right quiet' },
        point.errorNs > 100_000 ? `± ${duration(point.errorNs)}` : '',
      ),
    );
  });
  const last = frame.points.at(-1)!;
  const rate = lanes.stations[last.station]!.sampleRate;
  const first = lanes.stations[frame.points[0]!.station]!;
  const age = first.direction === 'up' ? 'old at the last hop' : 'since the first hop';
  return [
    h(
      'span',
      { class: 'strong' },
      `${cut(frame.stream, 24)}, sample ${count(frame.tick + 1)}${frame.isLost ? ' — lost after this' : ''}`,
    ),
    h(
      'span',
      { class: 'quiet' },
      `${moment((frame.tick / rate) * 1e9)} of media · ${duration(last.latencyNs)} ${age}`,
    ),
    h('table', {}, h('tbody', {}, ...rows)),
  ];
}
