// What `/metrics` says of handing on, in Prometheus' text format.

import type { ForwardStatus } from '../forward/forwarder.ts';

type Figure = readonly [
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  of: keyof ForwardStatus,
];

const FIGURES: readonly Figure[] = [
  ['waiting_bytes', 'gauge', 'Frozen on disk, not acknowledged.', 'waitingBytes'],
  ['unread_commits', 'gauge', 'Commits of the store that were not looked at yet.', 'unreadCommits'],
  ['sent_spans_total', 'counter', 'Spans that the target acknowledged.', 'sentSpans'],
  ['sent_bodies_total', 'counter', 'Requests that the target acknowledged.', 'sentBodies'],
  ['retries_total', 'counter', 'Requests that were to be sent again.', 'retries'],
  ['rejected_spans_total', 'counter', 'Spans that the target rejected for good.', 'rejectedSpans'],
  [
    'dropped_commits_total',
    'counter',
    'Commits that --max-size took before they could be sent.',
    'droppedCommits',
  ],
];

/** Empty without targets. `restarts`: of the thread that serves all of them. */
export function forwardMetrics(targets: readonly ForwardStatus[], restarts: number): string {
  if (targets.length === 0) return '';
  const lag = family('lag_seconds', 'gauge', 'Age of the oldest span that is not acknowledged.');
  const lines = [lag, ...targets.map(one => sample('lag_seconds', one, one.lagNs / 1e9))];
  lines.push(family('running', 'gauge', '0 while the thread that hands on is dead.'));
  for (const one of targets) lines.push(sample('running', one, one.state === 'stopped' ? 0 : 1));
  lines.push(family('restarts_total', 'counter', 'How often that thread was started again.'));
  lines.push(`framescope_forward_restarts_total ${restarts}\n`);
  for (const [name, type, help, of] of FIGURES) {
    lines.push(family(name, type, help));
    for (const target of targets) lines.push(sample(name, target, Number(target[of])));
  }
  return lines.join('');
}

const family = (name: string, type: string, help: string): string =>
  `# HELP framescope_forward_${name} ${help}\n# TYPE framescope_forward_${name} ${type}\n`;

const sample = (name: string, { target, send }: ForwardStatus, value: number): string =>
  `framescope_forward_${name}{target="${escaped(target)}",send="${send.join(',')}"} ${value}\n`;

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
