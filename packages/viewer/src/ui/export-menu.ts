// "Export": what this view can be taken away as.

import { h } from './dom.ts';
import { pngOf, rastered, save, stacked, svgOf, type Layers, type Named } from './save.ts';

export interface ExportItem {
  readonly text: string;
  /** A file of the collector's, or what makes one here. */
  readonly take: string | (() => void | Promise<void>);
  /** Asked each time the menu opens: false hides what there is nothing of just now. */
  readonly isThere?: () => boolean;
}

export function exportMenu(items: readonly ExportItem[]): HTMLElement {
  const menu = h('details', { class: 'menu' });
  const close = (): void => menu.removeAttribute('open');
  const entries = items.map(({ text, take }) => {
    if (typeof take === 'string')
      return h('a', { class: 'button bare', href: take, download: '', onclick: close }, text);
    return h(
      'button',
      {
        class: 'button bare',
        type: 'button',
        onclick: () => {
          close();
          void take();
        },
      },
      text,
    );
  });
  menu.append(
    h('summary', { class: 'button' }, 'Export'),
    h('div', { class: 'menu-list' }, ...entries),
  );
  menu.addEventListener('toggle', () => {
    for (const [i, { isThere }] of items.entries()) entries[i]!.hidden = isThere?.() === false;
  });
  menu.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || !menu.open) return;
    close();
    menu.querySelector('summary')?.focus();
    event.stopPropagation();
  });
  return menu;
}

/** The picture as PNG and as SVG. */
export function pictureItems(name: string, layers: () => Layers): ExportItem[] {
  return [
    {
      text: 'Picture (PNG)',
      take: async () => save(`${name}.png`, [await pngOf(layers())], 'image/png'),
    },
    {
      text: 'Picture (SVG)',
      take: () => save(`${name}.svg`, [svgOf(layers())], 'image/svg+xml'),
    },
  ];
}

/** Several pictures as one, as PNG and as SVG; not offered while there are none. */
export function picturesItems(
  text: string,
  name: string,
  pictures: () => readonly Named[],
): ExportItem[] {
  const isThere = (): boolean => pictures().length > 0;
  return [
    {
      text: `${text} (PNG)`,
      isThere,
      take: async () => {
        const { svg, widthPx, heightPx } = stacked(pictures());
        save(`${name}.png`, [await rastered(svg, widthPx * 2, heightPx * 2)], 'image/png');
      },
    },
    {
      text: `${text} (SVG)`,
      isThere,
      take: () => save(`${name}.svg`, [stacked(pictures()).svg], 'image/svg+xml'),
    },
  ];
}
