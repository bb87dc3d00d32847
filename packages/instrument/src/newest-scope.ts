// Which scope the program made last: what adapters use that were given none.

import type { Scope } from './framescope.ts';

/** Weak: a scope that was only forgotten is not kept for this. */
let newest: WeakRef<Scope> | undefined;

export function noteScope(scope: Scope): void {
  newest = new WeakRef(scope);
}

/** It was shut down: it takes no session any more. */
export function forgetScope(scope: Scope): void {
  if (newest?.deref() === scope) newest = undefined;
}

/** The scope made last, unless it was shut down. */
export const newestScope = (): Scope | undefined => newest?.deref();
