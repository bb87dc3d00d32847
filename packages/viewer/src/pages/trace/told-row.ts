// One row of the waterfall for those who do not see its canvas.

import { h } from '../../ui/dom.ts';

export interface ToldWords {
  readonly topPx: number;
  readonly label: string;
  readonly level: number;
  readonly isExpanded: boolean | undefined;
  readonly isChosen: boolean;
}

/** One row as the accessible tree has it. */
export class ToldRow {
  readonly element: HTMLElement;

  constructor(id: string) {
    this.element = h('div', { class: 'span', role: 'treeitem', id });
  }

  hide(): void {
    this.element.hidden = true;
  }

  show({ topPx, label, level, isExpanded, isChosen }: ToldWords): void {
    const { element } = this;
    element.hidden = false;
    element.style.transform = `translateY(${topPx}px)`;
    element.setAttribute('aria-label', label);
    element.setAttribute('aria-level', String(level));
    element.setAttribute('aria-selected', String(isChosen));
    if (isExpanded === undefined) element.removeAttribute('aria-expanded');
    else element.setAttribute('aria-expanded', String(isExpanded));
  }
}
