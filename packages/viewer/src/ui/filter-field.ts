// A field for the filter language: completes keys and values as they are typed,
// and says what is wrong where. A combobox to screen readers; Enter applies.

import {
  completeFilter,
  parseFilter,
  type FilterCompletion,
  type FilterVocabulary,
} from '@framescope/protocol';
import { cut, fill, h } from './dom.ts';

export interface FilterField {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  /** Shows another text without applying it. */
  set(text: string): void;
}

const SHOWN_MAX = 8;
let fields = 0;

/** `vocabulary` is asked for at the first focus; `apply` gets texts that parse, and the empty one. */
export function filterField(
  text: string,
  vocabulary: () => Promise<FilterVocabulary>,
  apply: (text: string) => void,
): FilterField {
  return new Field(text, vocabulary, apply);
}

class Field implements FilterField {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  readonly #list: HTMLElement;
  readonly #problem: HTMLElement;
  readonly #ask: () => Promise<FilterVocabulary>;
  readonly #apply: (text: string) => void;
  readonly #id = `filter-${++fields}`;
  #vocabulary: FilterVocabulary | undefined;
  #shown: readonly FilterCompletion[] = [];
  #at = -1;
  #applied: string;

  constructor(text: string, ask: () => Promise<FilterVocabulary>, apply: (text: string) => void) {
    this.#ask = ask;
    this.#apply = apply;
    this.#applied = text;
    this.#list = h('ul', {
      class: 'completions',
      role: 'listbox',
      id: this.#id,
      'aria-label': 'Completions',
      hidden: true,
    });
    this.#problem = h('p', { class: 'filter-problem', role: 'status', hidden: true });
    this.input = h('input', {
      class: 'filter',
      type: 'text',
      value: text,
      placeholder: 'Filter: region:eu-west v2v>800ms',
      'aria-label': 'Filter',
      role: 'combobox',
      'aria-autocomplete': 'list',
      'aria-expanded': 'false',
      'aria-controls': this.#id,
      autocomplete: 'off',
      spellcheck: 'false',
    });
    this.element = h('div', { class: 'filter-field' }, this.input, this.#list, this.#problem);
    this.#listen();
  }

  set(text: string): void {
    this.#applied = text;
    if (document.activeElement !== this.input) this.input.value = text;
  }

  #listen(): void {
    this.input.addEventListener('focus', () => void this.#learn());
    this.input.addEventListener('input', () => this.#complete());
    this.input.addEventListener('blur', () => this.#hide());
    this.input.addEventListener('keydown', event => this.#key(event));
  }

  async #learn(): Promise<void> {
    try {
      this.#vocabulary ??= await this.#ask();
    } catch {
      return; // Without a vocabulary there is no completion; the filter works all the same.
    }
    if (document.activeElement === this.input) this.#complete();
  }

  #complete(): void {
    const cursor = this.input.selectionStart ?? this.input.value.length;
    this.#shown = this.#vocabulary
      ? completeFilter(this.input.value, cursor, this.#vocabulary).slice(0, SHOWN_MAX)
      : [];
    this.#at = -1;
    this.#draw();
    this.#judge(false);
  }

  #draw(): void {
    this.#list.hidden = this.#shown.length === 0;
    this.input.setAttribute('aria-expanded', String(!this.#list.hidden));
    if (this.#at < 0) this.input.removeAttribute('aria-activedescendant');
    else this.input.setAttribute('aria-activedescendant', `${this.#id}-${this.#at}`);
    fill(
      this.#list,
      ...this.#shown.map((one, i) => {
        const option = h(
          'li',
          { role: 'option', id: `${this.#id}-${i}`, 'aria-selected': String(i === this.#at) },
          h('span', {}, cut(one.text, 60)),
          h('span', { class: 'quiet' }, cut(one.help, 60)),
        );
        // Before the blur that a click would bring.
        option.addEventListener('pointerdown', event => {
          event.preventDefault();
          this.#take(one);
        });
        return option;
      }),
    );
  }

  #hide(): void {
    this.#shown = [];
    this.#at = -1;
    this.#draw();
  }

  #take(one: FilterCompletion): void {
    const { value } = this.input;
    this.input.value = value.slice(0, one.from) + one.text + value.slice(one.to);
    const cursor = one.from + one.text.length;
    this.input.setSelectionRange(cursor, cursor);
    this.#complete();
  }

  #key(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = this.#shown[this.#at];
    if (step !== undefined && this.#shown.length > 0) {
      this.#at = (this.#at + step + this.#shown.length) % this.#shown.length;
      this.#draw();
    } else if (event.key === 'Tab' && !event.shiftKey && this.#tabTakes(chosen)) {
      this.#take(chosen ?? this.#shown[0]!);
    } else if (event.key === 'Enter') {
      if (chosen) this.#take(chosen);
      else this.#submit();
    } else if (event.key === 'Escape' && this.#shown.length > 0) {
      this.#hide();
      event.stopPropagation();
    } else return;
    event.preventDefault();
  }

  /** What was begun or chosen is completed; else Tab goes on, or nobody would get past this field by keyboard. */
  #tabTakes(chosen: FilterCompletion | undefined): boolean {
    const first = chosen ?? this.#shown[0];
    if (!first) return false;
    const begun = this.input.value.slice(first.from, first.to);
    return begun !== first.text && (chosen !== undefined || begun !== '');
  }

  #submit(): void {
    const text = this.input.value.trim();
    if (!this.#judge(true)) return;
    this.#hide();
    if (text === this.#applied) return;
    this.#applied = text;
    this.#apply(text);
  }

  /** True when the text can be used. While it is typed an unfinished end is no fault. */
  #judge(isWhole: boolean): boolean {
    const text = this.input.value.trim();
    const found = text === '' ? undefined : parseFilter(text);
    const isWrong = found !== undefined && !found.ok && (isWhole || found.at < text.length - 1);
    this.#problem.hidden = !isWrong;
    this.input.setAttribute('aria-invalid', String(isWrong));
    if (isWrong && found && !found.ok)
      this.#problem.textContent = `At ${found.at + 1}: ${found.problem}`;
    return !isWrong;
  }
}
