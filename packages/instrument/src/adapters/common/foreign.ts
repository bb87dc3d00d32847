// Reading what others sent: a path into an object of unknown shape, and the
// value only if it is of the kind that is wanted.

/** The value at `path`; `undefined` where the path ends early. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const name of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = Reflect.get(here, name);
  }
  return here;
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** A finite number; digits in a string count (Twilio writes numbers so). */
export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  if (typeof found === 'number') return Number.isFinite(found) ? found : undefined;
  if (typeof found !== 'string' || !/^-?\d{1,15}(\.\d{1,9})?$/.test(found)) return undefined;
  return Number(found);
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** A map that forgets its oldest entry instead of growing. */
export class BoundedMap<T> {
  readonly #items = new Map<string, T>();
  readonly #sizeMax: number;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get(key: string | undefined): T | undefined {
    return key === undefined ? undefined : this.#items.get(key);
  }

  /** Answers what had to go. */
  set(key: string, item: T): T | undefined {
    this.#items.set(key, item);
    if (this.#items.size <= this.#sizeMax) return undefined;
    const [oldest] = this.#items;
    if (oldest === undefined) return undefined;
    this.#items.delete(oldest[0]);
    return oldest[1];
  }

  delete(key: string): void {
    this.#items.delete(key);
  }

  values(): T[] {
    return [...this.#items.values()];
  }

  /** Oldest first. */
  entries(): [string, T][] {
    return [...this.#items];
  }

  get size(): number {
    return this.#items.size;
  }
}
