// Which measure, which range.

import { TURN_FEATURES, type Heatmap, type MeasureInfo } from '@framescope/protocol';
import type { TailView } from '../../state/route.ts';
import { cut, h } from '../../ui/dom.ts';
import { count } from '../../ui/format.ts';

const GROUPS: readonly (readonly [string, (name: string) => boolean])[] = [
  ['What the caller waits', name => /^(voice_to_voice|time_to_answer)/.test(name)],
  ['Parts of the wait', name => name.startsWith('part.')],
  ['Frames', name => name.startsWith('frame.')],
  ['Flow of a stream', name => /^(slack|underrun|lead|gap|rtf|oldest)\./.test(name)],
  ['Other', () => true],
];

export function measurePicker(
  measures: readonly MeasureInfo[],
  chosen: string,
  pick: (name: string) => void,
): HTMLElement {
  const left = new Set(measures);
  const groups = GROUPS.map(([label, isIn]) => {
    const group = h('optgroup', { label });
    for (const one of left)
      if (isIn(one.name)) {
        left.delete(one);
        group.append(
          h(
            'option',
            { value: one.name, title: one.definition, selected: one.name === chosen },
            `${cut(one.title, 60)} (${count(one.n)})`,
          ),
        );
      }
    return group;
  });
  const select = h(
    'select',
    { class: 'select', 'aria-label': 'Measure' },
    ...groups.filter(group => group.children.length > 0),
  );
  select.addEventListener('change', () => pick(select.value));
  return select;
}

const RANGES = ['15m', '1h', '6h', '24h', '7d'] as const;

export function rangePicker(
  view: TailView,
  map: Heatmap,
  pick: (patch: Partial<TailView>) => void,
): HTMLElement {
  const columnS = map.columnNs / 1e9;
  const choose = (range: string | undefined): void =>
    pick({ range, fromUnixNs: undefined, toUnixNs: undefined });
  const isAuto = view.range === undefined && view.fromUnixNs === undefined;
  return h(
    'div',
    { class: 'group', role: 'group', 'aria-label': `Range; a column is ${columnS.toFixed(0)} s` },
    h(
      'button',
      {
        class: 'button',
        type: 'button',
        'aria-pressed': String(isAuto),
        title: 'The last hour, or a day if that holds fewer than 500 turns',
        onclick: () => choose(undefined),
      },
      'Auto',
    ),
    ...RANGES.map(range =>
      h(
        'button',
        {
          class: 'button',
          type: 'button',
          'aria-pressed': String(view.range === range),
          onclick: () => choose(range),
        },
        range,
      ),
    ),
  );
}

/** What sessions of voice products usually differ in; any other attribute goes into the filter. */
const OF_CALLS = ['region', 'release', 'host', 'client', 'codec', 'service', 'zone'];
/** What the turns of one call differ in: what became of them, and what they were made with. */
const OF_TURNS = ['outcome', 'worst', ...Object.keys(TURN_FEATURES)];

export function groupPicker(
  chosen: string | undefined,
  pick: (group: string | undefined) => void,
): HTMLElement {
  const isListed = chosen === undefined || [...OF_CALLS, ...OF_TURNS].includes(chosen);
  const groups: readonly (readonly [string, readonly string[]])[] = [
    ['What calls differ in', isListed ? OF_CALLS : [chosen, ...OF_CALLS]],
    ['What turns differ in', OF_TURNS],
  ];
  const select = h(
    'select',
    { class: 'select', 'aria-label': 'One heatmap for each' },
    h('option', { value: '', selected: chosen === undefined }, 'All together'),
    ...groups.map(([label, names]) =>
      h(
        'optgroup',
        { label },
        ...names.map(name =>
          h('option', { value: name, selected: name === chosen }, `By ${cut(name, 40)}`),
        ),
      ),
    ),
  );
  select.addEventListener('change', () => pick(select.value || undefined));
  return select;
}
