// A dialog over the page: a head with its name and a way out, closed by Escape as browsers do.

import { fill, h, type Child } from './dom.ts';

export interface Dialog {
  readonly element: HTMLDialogElement;
  /** Shows it with this content. */
  open(...content: readonly Child[]): void;
  close(): void;
}

/** `name` is its heading. The element takes itself out of the page when it closes. */
export function makeDialog(name: string, look = ''): Dialog {
  const body = h('div', { class: 'dialog-body' });
  const element = h(
    'dialog',
    { class: `help ${look}`, 'aria-label': name },
    h(
      'header',
      {},
      h('h2', {}, name),
      h(
        'button',
        {
          class: 'button bare icon',
          type: 'button',
          'aria-label': 'Close',
          onclick: () => element.close(),
        },
        '✕',
      ),
    ),
    body,
  );
  element.addEventListener('close', () => element.remove());
  // Beside it, not in it: a press on the ground behind closes.
  element.addEventListener('click', event => {
    if (event.target === element) element.close();
  });
  return {
    element,
    open: (...content) => {
      fill(body, ...content);
      document.body.append(element);
      element.showModal();
    },
    close: () => element.close(),
  };
}
