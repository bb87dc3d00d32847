// How the call came about: from where it was asked for to its first voice, or until it
// stood. One line; opened, the same bar and parts as a turn's ledger, adding up to it.

import type { SessionDetail, Wait } from '@framescope/protocol';
import { isUnresolved, partColor } from '../../draw/palette.ts';
import { addsUp } from '../../state/ledger.ts';
import { cut, h } from '../../ui/dom.ts';
import { duration, ms, share, words } from '../../ui/format.ts';
import { ledgerBar } from './ledger-bar.ts';

/** Named in the line itself: the longest. */
const NAMED_MAX = 3;

/** Undefined when no process told of it. */
export function setupNote({ setup }: SessionDetail): HTMLElement | undefined {
  if (setup === undefined || setup.parts.length === 0) return undefined;
  return h(
    'details',
    { class: 'setup-note' },
    h(
      'summary',
      {},
      h('span', { class: 'badge' }, 'set-up'),
      h('span', {}, `${endText(setup)} ${duration(setup.waitNs)} ± ${duration(setup.errorNs)}: `),
      h('span', { class: 'quiet' }, longestText(setup)),
    ),
    ledgerBar(setup, null),
    partTable(setup),
    h('p', { class: 'quiet' }, notesOf(setup)),
  );
}

const hasVoice = ({ notSeen }: Wait): boolean =>
  !notSeen.some(text => text.startsWith('first voice'));

const endText = (setup: Wait): string =>
  hasVoice(setup) ? 'first voice after' : 'the call stood after';

function longestText({ parts }: Wait): string {
  const longest = parts.toSorted((a, b) => b.exposedNs - a.exposedNs).slice(0, NAMED_MAX);
  return longest.map(part => `${words(cut(part.name, 60))} ${duration(part.exposedNs)}`).join(', ');
}

const notesOf = (setup: Wait): string =>
  [
    `${share(setup.resolved, 1)} resolved`,
    ...setup.notSeen.map(text => `not seen: ${cut(words(text), 80)}`),
  ].join('; ');

const partTable = (setup: Wait): HTMLElement =>
  h(
    'div',
    { class: 'scroll-x' },
    h(
      'table',
      { class: 'ledger', 'aria-label': 'Parts of the set-up' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...['Part', 'ms', '±', 'saves'].map((text, i) =>
            h('th', { scope: 'col', class: i > 0 ? 'right' : undefined }, text),
          ),
        ),
      ),
      h('tbody', {}, ...setup.parts.map(partRow)),
      h(
        'tfoot',
        {},
        h(
          'tr',
          {},
          h('td', {}, addsUp(setup) ? 'Adds up' : 'Does not add up'),
          h('td', { class: 'right', 'data-setup-ns': setup.waitNs }, ms(setup.waitNs)),
          h('td', { class: 'right' }, ms(setup.errorNs)),
          h('td'),
        ),
      ),
    ),
  );

function partRow({ name, owner, exposedNs, errorNs, savesNs }: Wait['parts'][number]): HTMLElement {
  const swatch = h('span', {
    class: `swatch${isUnresolved(name) ? ' hatched' : ''}`,
    'aria-hidden': 'true',
  });
  swatch.style.backgroundColor = partColor(name);
  return h(
    'tr',
    { 'data-setup-part': cut(name, 80) },
    h('td', {}, swatch, words(cut(name, 60)), h('span', { class: 'owner' }, cut(owner, 40))),
    h('td', { class: 'right strong' }, ms(exposedNs)),
    h('td', { class: 'right quiet' }, ms(errorNs)),
    h('td', { class: 'right quiet' }, ms(savesNs)),
  );
}
