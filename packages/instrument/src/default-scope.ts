// The scope of those who have none in their hands: an adapter that was given a
// client and nothing else. It is the one that the program made last; where there
// is none, one is made from the environment, once.

import { makeMachine } from '#platform';
import { Scope } from './framescope.ts';
import { newestScope } from './newest-scope.ts';
import type { Machine } from './ports.ts';

const made = new Map<string, Scope>();

/** @param role What this process is, where the program has said nothing. */
export function defaultScope(role: string): Scope {
  const known = newestScope() ?? made.get(role);
  if (known !== undefined) return known;
  // Typed by what was built, whose classes are others to the compiler than these.
  const scope = new Scope({ role }, makeMachine() as unknown as Machine);
  made.set(role, scope);
  return scope;
}
