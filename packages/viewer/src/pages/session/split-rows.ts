// A service's part in the ledger, split: the way to it, its queue, its work, and what
// nobody knows, with the reason.

import type { PartSplit } from '@framescope/protocol';
import type { LedgerRow } from '../../state/ledger.ts';
import { cut, h } from '../../ui/dom.ts';
import { ms } from '../../ui/format.ts';

const OWNER: Readonly<Record<PartSplit['pieces'][number]['name'], string>> = {
  network: 'there and back, measured here',
  queue: 'by its own word',
  compute: 'by its own word',
  unknown: 'nobody told',
};

export function splitRows({ name, split }: LedgerRow): HTMLElement[] {
  if (split === undefined) return [];
  const { vendor, pieces, note } = split;
  return pieces.map((piece, i) => {
    const isUnknown = piece.name === 'unknown';
    const why = isUnknown && note !== null ? note : OWNER[piece.name];
    return h(
      'tr',
      { class: 'split', 'data-split': `${cut(name, 80)} ${piece.name}` },
      h(
        'td',
        {},
        piece.name,
        h(
          'span',
          { class: 'owner' },
          i === 0 && vendor !== null ? `${cut(vendor, 40)}: ${cut(why, 160)}` : cut(why, 160),
        ),
      ),
      h('td', { class: 'right quiet' }, ms(piece.exposedNs)),
      h('td', { colspan: 5 }),
    );
  });
}
