// How an adapter looks over the shoulder of a client that is not ours: it
// listens, and wraps methods. What the client does, answers and throws stays as
// it was; what goes wrong in here is counted and stays here; `stop` takes back
// everything.

import { textOf, type Problems } from '../../problems.ts';

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Listener = (...args: unknown[]) => void;

/** Ways in which emitters of the field are listened to, and how that ends. */
const EMITTERS = [
  ['on', 'off'],
  ['addListener', 'removeListener'],
  ['addEventListener', 'removeEventListener'],
] as const;

export class Hooks {
  readonly #where: string;
  readonly #problems: () => Problems;
  readonly #undo: (() => void)[] = [];
  #isStopped = false;

  /** @param problems Asked when there is one to tell: a call that has not begun has no book of them. */
  constructor(where: string, problems: () => Problems) {
    this.#where = where;
    this.#problems = problems;
  }

  /**
   * Calls `after` with the arguments of each call of `target[name]` that did not throw, and `before`
   * ahead of it; `call` is the method itself, unwatched.
   */
  wrap(
    target: unknown,
    name: string,
    after: (args: readonly unknown[]) => void,
    before?: (args: readonly unknown[], call: (...args: readonly unknown[]) => void) => void,
  ): boolean {
    return this.#attempt(`${name}()`, () => {
      const original = methodOf(target, name);
      if (original === undefined) return false;
      const see = (args: readonly unknown[]): void => this.run(() => after(args));
      const foresee = (self: unknown, args: readonly unknown[]): void =>
        this.run(() => before?.(args, (...own) => void Reflect.apply(original, self, own)));
      const wrapped: Method = function (...args) {
        if (before !== undefined) foresee(this, args);
        const answer = Reflect.apply(original, this, args);
        see(args);
        return answer;
      };
      this.#replace(target as object, name, wrapped);
      return true;
    });
  }

  /** Hears `event` of an emitter or event target; false if it is neither. */
  listen(target: unknown, event: string, listener: (...args: readonly unknown[]) => void): boolean {
    return this.#attempt(event, () => {
      const heard: Listener = (...args) => this.run(() => listener(...args));
      for (const [on, off] of EMITTERS) {
        const add = methodOf(target, on);
        if (add === undefined) continue;
        Reflect.apply(add, target, [event, heard]);
        this.#undo.push(() => Reflect.apply(methodOf(target, off) ?? noop, target, [event, heard]));
        return true;
      }
      return false;
    });
  }

  /**
   * Sees each message of a WebSocket before anybody else does; true from `take` keeps it from all
   * others. Of an event target it sees only what listeners that came earlier left.
   */
  intercept(target: unknown, take: (data: unknown, isBinary?: unknown) => boolean): boolean {
    const takes = (data: unknown, isBinary?: unknown): boolean => {
      let isTaken = false;
      this.run(() => {
        isTaken = take(data, isBinary);
      });
      return isTaken;
    };
    return this.#attempt('message', () => {
      const emit = methodOf(target, 'emit');
      if (emit === undefined)
        return this.listen(target, 'message', event => {
          if (takes(propertyOf(event, 'data'))) (event as Event).stopImmediatePropagation();
        });
      this.#replace(target as object, 'emit', function (event, ...args) {
        if (event === 'message' && takes(args[0], args[1])) return true;
        return Reflect.apply(emit, this, [event, ...args]);
      });
      return true;
    });
  }

  /** Does something at `stop`. */
  onStop(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Runs `work` until stopped; a foreign object may throw at any touch. */
  run(work: () => void): void {
    if (this.#isStopped) return;
    try {
      work();
    } catch (cause) {
      this.#problems().report(
        'adapter_event',
        `${this.#where}: an event could not be read (${textOf(cause)}); the client is not affected`,
      );
    }
  }

  /** Takes back what was wrapped and listened to. Again: nothing. */
  stop(): void {
    if (this.#isStopped) return;
    for (const undo of this.#undo.splice(0).toReversed()) this.run(undo);
    this.#isStopped = true;
  }

  #attempt(what: string, work: () => boolean): boolean {
    let isDone = false;
    this.run(() => {
      isDone = work();
    });
    if (!isDone)
      this.#problems().report(
        'adapter_target',
        `${this.#where}: ${what} cannot be followed on what was given; part of the call is not traced`,
      );
    return isDone;
  }

  #replace(target: object, name: string, wrapped: Method): void {
    const own = Object.getOwnPropertyDescriptor(target, name);
    const enumerable = own?.enumerable ?? false;
    Object.defineProperty(target, name, {
      value: wrapped,
      configurable: true,
      writable: true,
      enumerable,
    });
    this.#undo.push(() => {
      // Somebody wrapped it after us: theirs calls ours, which is silent from now on.
      if (methodOf(target, name) !== wrapped) return;
      if (own === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, own);
    });
  }
}

const noop: Method = () => undefined;

function methodOf(target: unknown, name: string): Method | undefined {
  if ((typeof target !== 'object' && typeof target !== 'function') || target === null)
    return undefined;
  const method: unknown = Reflect.get(target, name);
  return typeof method === 'function' ? (method as Method) : undefined;
}

/** A property of anything, `undefined` where there is none; may throw what a getter throws. */
export const propertyOf = (target: unknown, name: string): unknown =>
  typeof target === 'object' && target !== null ? Reflect.get(target, name) : undefined;
