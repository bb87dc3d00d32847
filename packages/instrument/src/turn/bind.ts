// `turn.bind(listener)`: what an emitter or a timer calls later runs inside the
// span all the same.

import type { LiveSpan } from '../export/span-sink.ts';

type Callback = (this: never, ...args: never[]) => unknown;

/** The same function, run inside `span` whenever it is called; what is no function stays as it is. */
export function bindTo<F extends Callback>(span: LiveSpan, listener: F): F {
  if (typeof listener !== 'function') return listener;
  const inside = function (this: unknown, ...args: unknown[]): unknown {
    return span.run(() => Reflect.apply(listener, this, args) as unknown);
  };
  return inside as unknown as F;
}
