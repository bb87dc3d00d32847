// Limits of measures, edited where they are shown.

import type { MeasureInfo } from '@framescope/protocol';
import { ApiError } from '../../data/api.ts';
import type { BudgetBook } from '../../state/budgets.ts';
import { inputOf, limitText, rowsOf, sourceText, type BudgetRow } from '../../state/budget-edit.ts';
import { cut, fill, h } from '../../ui/dom.ts';
import { ago } from '../../ui/format.ts';
import { wordsOf } from '../annotate.ts';

export class BudgetsSection {
  readonly element: HTMLElement = h('section', { class: 'card block', id: 'budgets' });
  readonly #book: BudgetBook;
  readonly #said = h('p', { role: 'status' });
  #rows: BudgetRow[] = [];
  #measures: readonly MeasureInfo[] = [];
  /** Of the list that the rows were made from. */
  #revision = -1;

  constructor(book: BudgetBook) {
    this.#book = book;
  }

  /** `measures` are offered to be given a limit. */
  show(measures: readonly MeasureInfo[]): void {
    this.#measures = measures;
    this.#take();
  }

  /** Limits changed somewhere: rows that nobody edits follow. */
  #take(): void {
    const list = this.#book.list;
    if (list && list.revision !== this.#revision) {
      this.#rows = rowsOf(list.items);
      this.#revision = list.revision;
    }
    this.#draw();
  }

  #draw(): void {
    const list = this.#book.list;
    const changed =
      list?.changedUnixNs == null
        ? ''
        : ` Last changed here ${ago(list.changedUnixNs, Date.now())}.`;
    const form = h(
      'form',
      {},
      h(
        'div',
        { class: 'scroll-x' },
        h(
          'table',
          { class: 'budgets' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ...['Measure', 'Limit', 'From', 'Take away'].map(text =>
                h('th', { scope: 'col' }, text),
              ),
            ),
          ),
          h('tbody', {}, ...this.#rows.map((row, i) => this.#row(row, i))),
        ),
      ),
      h(
        'div',
        { class: 'form-line' },
        this.#adder(),
        h('span', { class: 'spring' }),
        h('button', { class: 'button primary' }, 'Save'),
      ),
      this.#said,
    );
    form.addEventListener('submit', event => {
      event.preventDefault();
      void this.#save();
    });
    fill(
      this.element,
      h('h2', {}, 'Budgets'),
      h(
        'p',
        { class: 'quiet' },
        `What a wait, a part of it or a frame may take. They apply at once, on every page and in exports.${changed}`,
      ),
      form,
    );
  }

  #row(row: BudgetRow, i: number): HTMLElement {
    const title = this.#titleOf(row.measure);
    const input = h('input', {
      class: 'filter limit',
      value: row.text,
      'aria-label': `Limit of ${title}`,
      placeholder: 'none',
      size: 9,
      autocomplete: 'off',
    });
    input.addEventListener('input', () => (this.#rows[i] = { ...row, text: input.value }));
    const back = row.source === 'page' && row.otherwiseNs !== null;
    const text = back ? 'Undo' : 'Off';
    return h(
      'tr',
      {},
      h(
        'td',
        {},
        h('div', {}, cut(title, 60)),
        h('div', { class: 'sub mono' }, cut(row.measure, 60)),
      ),
      h('td', {}, input),
      h('td', { class: 'quiet' }, sourceText(row)),
      h(
        'td',
        { class: 'right' },
        h(
          'button',
          {
            class: 'button bare',
            type: 'button',
            'aria-label': `${text}: ${title}`,
            title: back ? 'Back to what file or default say' : 'No limit for this measure',
            onclick: () => {
              this.#rows[i] = { ...row, text: back ? limitText(row.otherwiseNs) : '' };
              this.#draw();
            },
          },
          text,
        ),
      ),
    );
  }

  #titleOf(measure: string): string {
    return this.#measures.find(one => one.name === measure)?.title ?? FAMILIES[measure] ?? measure;
  }

  /** A measure that has no limit of its own yet. */
  #adder(): HTMLElement {
    const have = new Set(this.#rows.map(row => row.measure));
    const names = [...Object.keys(FAMILIES), ...this.#measures.map(one => one.name)].filter(
      name => !have.has(name),
    );
    const select = h(
      'select',
      { class: 'select', 'aria-label': 'Give another measure a limit' },
      h('option', { value: '' }, 'Another measure…'),
      ...names.map(name => h('option', { value: name }, cut(this.#titleOf(name), 60))),
    );
    select.addEventListener('change', () => {
      if (select.value === '') return;
      this.#rows.push({ measure: select.value, text: '', source: 'page', otherwiseNs: null });
      this.#draw();
      this.element.querySelector<HTMLInputElement>('tbody tr:last-child input')?.focus();
    });
    return select;
  }

  async #save(): Promise<void> {
    // A row that was added and left empty sets nothing.
    const rows = this.#rows.filter(row => row.text.trim() !== '' || row.otherwiseNs !== null);
    const edit = inputOf(rows);
    if (!edit.ok) return this.#say(`${this.#titleOf(edit.measure)}: ${edit.problem}.`, true);
    try {
      await this.#book.save(edit.input);
      this.#take();
      this.#say('Saved; it applies now.', false);
    } catch (error) {
      const isConflict = error instanceof ApiError && error.status === 412;
      if (!isConflict) return this.#say(wordsOf(error), true);
      await this.#book.load().catch(() => undefined);
      this.#take();
      this.#say('Somebody else changed them meanwhile: these are theirs. Please edit again.', true);
    }
  }

  #say(text: string, isBad: boolean): void {
    this.#said.className = isBad ? 'bad' : 'good';
    this.#said.textContent = text;
  }
}

/** Families that have a limit together. */
const FAMILIES: Readonly<Record<string, string>> = {
  voice_to_voice: 'Voice to voice (every definition)',
  time_to_answer: 'Time to answer (every definition)',
  greeting: 'Greeting',
  resume: 'Silence inside an answer',
  frame: 'Frame age (every hop)',
};
