// What a page is to the shell, and the states that every page shares.

import type { LiveClient } from '../data/live.ts';
import type { BudgetBook } from '../state/budgets.ts';
import { ApiError } from '../data/api.ts';
import type { Route } from '../state/route.ts';
import { h } from '../ui/dom.ts';

export interface App {
  readonly live: LiveClient;
  readonly budgets: BudgetBook;
  go(route: Route): void;
  /** Writes where the page now stands into the address. */
  note(route: Route): void;
}

export interface Page {
  readonly title: string;
  readonly element: HTMLElement;
  /** Takes another view of the same page; false asks for a new page. */
  update(route: Route): boolean;
  /** Handles a key that no field took; true when it did. */
  key(event: KeyboardEvent): boolean;
  close(): void;
}

export function loading(what: string): HTMLElement {
  return h(
    'div',
    { class: 'state', role: 'status' },
    h('div', { class: 'progress', 'aria-hidden': 'true' }),
    h('p', {}, what),
  );
}

/** `level`: `h1` where nothing else on the page is a heading. */
export function empty(
  title: string,
  text: string,
  code?: string,
  level: 'h1' | 'h2' = 'h2',
): HTMLElement {
  return h(
    'div',
    { class: 'state' },
    h(level, {}, title),
    h('p', {}, text),
    code !== undefined && h('code', {}, code),
  );
}

/** What went wrong, and a way on. */
export function failed(error: unknown, again: () => void, level: 'h1' | 'h2' = 'h2'): HTMLElement {
  const isMissing = error instanceof ApiError && error.kind === 'missing';
  const isAway = error instanceof ApiError && error.kind === 'away';
  const title = isMissing ? 'Not here' : isAway ? 'The collector went away' : 'That did not work';
  const reason = error instanceof Error ? error.message : String(error);
  const text = isAway ? `${reason} This page goes on by itself when it is back.` : reason;
  return h(
    'div',
    { class: 'state', role: 'alert' },
    h(level, {}, title),
    h('p', {}, text),
    h('button', { class: 'button', type: 'button', onclick: again }, 'Try again'),
  );
}

/** Groups calls: at most one every `everyMs`, the last one never dropped. */
export function throttled(everyMs: number, run: () => void): { (): void; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsked = false;
  const tick = (): void => {
    timer = undefined;
    if (!isAsked) return;
    isAsked = false;
    run();
    timer = setTimeout(tick, everyMs);
  };
  const call = (): void => {
    isAsked = true;
    timer ??= setTimeout(tick, 0);
  };
  call.cancel = (): void => clearTimeout(timer);
  return call;
}

/** Runs once nobody has called for `forMs`. */
export function settled(forMs: number, run: () => void): { (): void; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const call = (): void => {
    clearTimeout(timer);
    timer = setTimeout(run, forMs);
  };
  call.cancel = (): void => clearTimeout(timer);
  return call;
}
