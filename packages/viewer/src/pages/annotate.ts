// A mark on the time axis, made or looked at: a form, and what one says with what can
// be done about it.

import type { Annotation } from '@framescope/protocol';
import { api } from '../data/api.ts';
import { KINDS } from '../state/annotations.ts';
import { makeDialog } from '../ui/dialog.ts';
import { cut, h } from '../ui/dom.ts';
import { unixMs, wallTime } from '../ui/format.ts';

const TEXT_MAX = 500;

/** Asks for a mark at about `atUnixMs` and keeps it; `made` is called when it is there. */
export function askForMark(atUnixMs: number, made: (mark: Annotation) => void): void {
  const dialog = makeDialog('Mark this time');
  const kind = h(
    'select',
    { class: 'select', 'aria-label': 'Kind' },
    ...KINDS.map(name => h('option', { value: name }, name)),
  );
  const text = h('input', {
    class: 'filter',
    'aria-label': 'Text',
    placeholder: 'Release 2.5.0, carrier outage, …',
    maxlength: TEXT_MAX,
    required: true,
  });
  const at = h('input', {
    type: 'datetime-local',
    class: 'filter',
    step: 1,
    value: localSecond(atUnixMs),
    required: true,
  });
  const problem = h('p', { class: 'bad', role: 'alert' });
  const form = h(
    'form',
    { class: 'form' },
    h('label', {}, h('span', {}, 'Kind'), kind),
    h('label', {}, h('span', {}, 'What happened'), text),
    h('label', {}, h('span', {}, 'When'), at),
    problem,
    h('div', { class: 'form-end' }, h('button', { class: 'button primary' }, 'Mark')),
  );
  form.addEventListener('submit', event => {
    event.preventDefault();
    const ms = Date.parse(at.value);
    if (!Number.isFinite(ms)) return void (problem.textContent = 'This is no time.');
    const input = {
      atUnixNs: `${ms}000000`,
      endUnixNs: null,
      kind: kind.value,
      text: text.value.trim(),
      attributes: {},
    };
    api.annotate(input).then(
      mark => {
        dialog.close();
        made(mark);
      },
      (error: unknown) => (problem.textContent = wordsOf(error)),
    );
  });
  dialog.open(form);
  text.focus();
}

export interface MarkActions {
  compare(mark: Annotation): void;
  removed(mark: Annotation): void;
}

export function showMark(mark: Annotation, actions: MarkActions): void {
  const dialog = makeDialog(`${cut(mark.kind, 40)}: ${wallTime(mark.atUnixNs, Date.now())}`);
  const problem = h('p', { class: 'bad', role: 'alert' });
  const attributes = Object.entries(mark.attributes);
  const until =
    mark.endUnixNs === null
      ? undefined
      : h('p', { class: 'quiet' }, `until ${wallTime(mark.endUnixNs, Date.now())}`);
  const remove = (): void =>
    void api.removeAnnotation(mark.id).then(
      () => {
        dialog.close();
        actions.removed(mark);
      },
      (error: unknown) => (problem.textContent = wordsOf(error)),
    );
  dialog.open(
    h('p', { class: 'big-text' }, cut(mark.text, TEXT_MAX)),
    until,
    ...attributes.map(([name, value]) =>
      h('p', { class: 'quiet' }, `${cut(name, 60)}: ${cut(value, 200)}`),
    ),
    problem,
    h(
      'div',
      { class: 'form-end' },
      h('button', { class: 'button', type: 'button', onclick: remove }, 'Take it away'),
      h(
        'button',
        {
          class: 'button primary',
          type: 'button',
          onclick: () => {
            dialog.close();
            actions.compare(mark);
          },
        },
        'Compare before and after',
      ),
    ),
  );
}

export const wordsOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** As `datetime-local` writes it, to the second. */
function localSecond(ms: number): string {
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Shape of a kind: told apart without its colour. */
export const shapeOf = (kind: string): string =>
  kind === 'deploy' ? '▲' : kind === 'incident' ? '◆' : '●';

/** `▲ 2.5.0`, short. */
export const labelOf = (mark: Pick<Annotation, 'kind' | 'text'>, max = 24): string =>
  `${shapeOf(mark.kind)} ${cut(mark.text, max)}`;

export const markMs = (mark: Annotation): number => unixMs(mark.atUnixNs);
