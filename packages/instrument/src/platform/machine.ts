// What `#platform` gives. Which file that is says package.json ("imports"): a
// bundler for pages takes `browser/`, Node `node/`, a type checker this one.
// So adapters can begin a scope of their own without knowing where they run.

import type { Machine } from '../ports.ts';

/** Clock, timers, HTTP and environment of where this runs. */
export declare const makeMachine: () => Machine;
