// The keys, on one sheet.

import { h } from '../ui/dom.ts';

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [['/'], 'Find a call, turn or trace'],
  [['W', 'S'], 'Zoom in, zoom out (or the wheel)'],
  [['A', 'D'], 'Earlier, later (or drag); Alt and the wheel scrolls the lanes'],
  [['F'], 'Fit the selected turn, or the whole call'],
  [['L'], 'Follow a live call'],
  [['[', ']'], 'Previous, next turn'],
  [[',', '.'], 'Previous, next late or lost frame'],
  [['E'], 'Why slow: the slowest of a heatmap'],
  [['←', '→', '↑', '↓'], 'From cell to cell of a heatmap; Enter opens one'],
  [['M'], 'Keep the call: retention passes it over'],
  [['R'], 'Raw or corrected clocks'],
  [['Space'], 'Play or pause the recording'],
  [['J', 'K'], 'Five seconds back, on'],
  [['Esc'], 'Close the panel, let go of the frame'],
  [['?'], 'This sheet'],
];

export function makeHelp(): HTMLDialogElement {
  const dialog = h('dialog', { class: 'help', 'aria-label': 'Keys' });
  const close = h(
    'button',
    {
      class: 'button bare icon',
      type: 'button',
      'aria-label': 'Close',
      onclick: () => dialog.close(),
    },
    '✕',
  );
  dialog.append(
    h('header', {}, h('h2', {}, 'Keys'), close),
    h(
      'dl',
      {},
      ...KEYS.flatMap(([keys, text]) => [
        h('dt', {}, ...keys.map(key => h('kbd', {}, key))),
        h('dd', {}, text),
      ]),
    ),
  );
  return dialog;
}
