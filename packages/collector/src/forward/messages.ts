// What passes between the main thread and the thread that hands spans on.

import type { ForwardStatus } from './forwarder.ts';
import type { StorePlace } from '../store/engine.ts';
import type { ForwardTarget } from './target.ts';

export interface ForwardOptions {
  readonly place: StorePlace;
  readonly targets: readonly ForwardTarget[];
  readonly budgets: Readonly<Record<string, number>>;
}

export type ToForward =
  /** Volumes were opened or dropped. */
  | { readonly type: 'volumes' }
  | { readonly type: 'limits'; readonly limits: Readonly<Record<string, number>> }
  | { readonly type: 'close' };

export type FromForward =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'status'; readonly status: readonly ForwardStatus[] }
  | { readonly type: 'log'; readonly message: string }
  | { readonly type: 'closed' };
