// What if a part took less: each wait recomputed through its graph by the
// collector, and beside the gain what it would cost in turns cut off.

import type { Quantiles, WhatIf } from '@framescope/protocol';
import { ApiError, api, type Query } from '../../data/api.ts';
import { cut, fill, h } from '../../ui/dom.ts';
import { count, duration, ms, plural, words } from '../../ui/format.ts';
import { throttled } from '../page.ts';

const STEPS_MS = { min: 20, max: 600, step: 20, start: 100 } as const;

/** A section with a part to choose, a slider, and the answer. `query` says of what. */
export function whatIf(query: Query, parts: readonly string[]): HTMLElement {
  const names = parts.filter(name => name !== 'unattributed');
  const part = h(
    'select',
    { class: 'select', 'aria-label': 'Part' },
    ...names.map(name => h('option', { value: name }, words(cut(name, 40)))),
  );
  const slider = h('input', {
    type: 'range',
    min: STEPS_MS.min,
    max: STEPS_MS.max,
    step: STEPS_MS.step,
    value: STEPS_MS.start,
    'aria-label': 'Shorter by, milliseconds',
  });
  const by = h('output', {}, `${STEPS_MS.start} ms shorter`);
  const answer = h('div', { role: 'status' });
  const ask = throttled(250, () => void load());
  let asked = 0;
  const load = async (): Promise<void> => {
    const mine = ++asked;
    try {
      const byNs = Number(slider.value) * 1e6;
      const found = await api.whatIf({ ...query, part: part.value, byNs });
      if (mine === asked) fill(answer, ...answerOf(found));
    } catch (error) {
      if (mine !== asked) return;
      const text = error instanceof ApiError ? error.message : String(error);
      fill(answer, h('p', { class: 'warn' }, cut(text, 300)));
    }
  };
  slider.addEventListener('input', () => {
    by.textContent = `${slider.value} ms shorter`;
    ask();
  });
  part.addEventListener('change', ask);
  ask();
  return h(
    'section',
    { class: 'what-if' },
    h('h2', {}, 'What if'),
    h('div', { class: 'what-if-tools' }, part, slider, by),
    answer,
  );
}

const ROWS: readonly (readonly [string, (q: Quantiles) => number | null])[] = [
  ['p50', q => q.p50Ns],
  ['p95', q => q.p95Ns],
  ['p99', q => q.p99Ns],
];

function answerOf(found: WhatIf): HTMLElement[] {
  if (found.refused !== null)
    return [h('p', { class: 'warn', 'data-refused': '' }, cut(found.refused, 300))];
  const rows = ROWS.map(([name, pick]) => {
    const [before, after] = [pick(found.before), pick(found.after)];
    const gain = before === null || after === null ? '–' : `−${ms(before - after)} ms`;
    return h(
      'tr',
      {},
      h('td', {}, name),
      h('td', { class: 'right quiet' }, duration(before)),
      h('td', { class: 'right strong' }, duration(after)),
      h('td', { class: 'right good' }, gain),
    );
  });
  const { cutOffs } = found;
  const price =
    cutOffs &&
    `${count(cutOffs.turns)} of ${plural(cutOffs.of, 'turn')} had a pause that would have been taken for the end.`;
  const unknown =
    found.unknownCount > 0 &&
    `${plural(found.unknownCount, 'wait')} left as it is: its graph cannot say.`;
  return [
    h('table', { class: 'why' }, h('tbody', {}, ...rows)),
    ...[price, unknown].flatMap(text => (text ? [h('p', { class: 'quiet' }, text)] : [])),
    ...(found.part === 'endpointing' && cutOffs === null
      ? [
          h(
            'p',
            { class: 'warn' },
            'No pauses are recorded, so nobody knows whom a shorter window would cut off.',
          ),
        ]
      : []),
  ];
}
