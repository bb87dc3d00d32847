// The advisor: what other buffers, frames and pieces would have done.

import type { Advice, AdviceKind, AdvicePoint } from '@framescope/protocol';
import { h } from '../../ui/dom.ts';
import { count, duration, plural, share } from '../../ui/format.ts';
import { adviceChart } from './charts.ts';
import { table } from './tables.ts';

const KINDS: readonly (readonly [AdviceKind, string])[] = [
  ['jitter_buffer', 'Jitter buffer'],
  ['frame', 'Frames sent'],
  ['chunk', 'Pieces to the recogniser'],
  ['sentence', 'Text to the voice'],
];

export function adviceSection(advice: Advice, choose: (kind: AdviceKind) => void): HTMLElement {
  const { kind, sessions, frames, refusal, today, points } = advice;
  return h(
    'section',
    { class: 'block card', 'aria-label': 'Advisor' },
    h('h2', {}, 'Advisor'),
    h(
      'div',
      { class: 'group', role: 'group', 'aria-label': 'What is tried' },
      ...KINDS.map(([name, text]) =>
        h(
          'button',
          {
            class: 'button',
            type: 'button',
            'aria-pressed': String(name === kind),
            onclick: () => choose(name),
          },
          text,
        ),
      ),
    ),
    refusal !== null || today === null
      ? h('p', { class: 'quiet' }, `It cannot be said: ${refusal ?? 'nothing was seen'}.`)
      : h(
          'div',
          { class: 'stack' },
          h('p', { class: 'big' }, advice.advice),
          h(
            'p',
            { class: 'quiet' },
            `${plural(frames, kind === 'sentence' ? 'answer' : 'frame')} of ${plural(sessions.length, 'call')}, as they came, replayed. Intervals resample utterances.`,
          ),
          adviceChart(points, today),
          pointTable([today, ...points]),
        ),
  );
}

const gainText = (point: AdvicePoint, q: number): string => {
  const gain = point.gain.find(one => one.q === q);
  if (gain === undefined) return '–';
  const half = (gain.highNs - gain.lowNs) / 2;
  return `${gain.ns > 0 ? '+' : ''}${duration(gain.ns)}${half > 0 ? ` ± ${duration(half)}` : ''}`;
};

const pointTable = (points: readonly AdvicePoint[]): HTMLElement =>
  table<AdvicePoint>(
    'Settings',
    [
      { head: 'Setting', isText: true, of: one => one.setting },
      { head: 'Delay, mean', of: one => duration(one.delayMeanNs) },
      { head: 'p50', of: one => duration(one.delayP50Ns) },
      { head: 'p95', of: one => duration(one.delayP95Ns) },
      { head: 'p99', of: one => duration(one.delayP99Ns) },
      { head: 'Underruns', of: one => count(one.underruns) },
      { head: 'Share', of: one => share(one.underrunShare, 1) },
      { head: 'Gain p50', title: 'Less delay than today', of: one => gainText(one, 0.5) },
      { head: 'Gain p95', of: one => gainText(one, 0.95) },
      { head: 'Gain p99', of: one => gainText(one, 0.99) },
    ],
    points,
  );
