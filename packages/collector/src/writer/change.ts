// A change that people ask for, done by the store that it concerns, and what is told of it.

import { StoreError } from '../store/errors.ts';
import type { Changed, ToChange } from './messages.ts';

/** Answers `done: undefined` when the disk refuses. */
export function changeIn<Name extends string>(
  store: { readonly [N in Name]: (...args: never[]) => unknown },
  { id, name, args }: ToChange<Name>,
): Changed {
  const work = store[name].bind(store) as (...args: readonly unknown[]) => unknown;
  try {
    return { type: 'changed', id, done: { answer: work(...args) } };
  } catch (problem) {
    if (!(problem instanceof StoreError) || !problem.isRetryable) throw problem;
    return { type: 'changed', id, done: undefined };
  }
}
