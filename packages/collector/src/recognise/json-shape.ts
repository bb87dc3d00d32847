// Readers for JSON that strangers wrote: each takes a value and the path of
// where it stood, answers it typed, or throws a `Mismatch` that the decoder at
// the door turns into a refusal. Inside this folder only: behind the door
// nothing throws and nothing doubts.

/** What was wrong, and where. Caught by the decoder that started reading. */
export class Mismatch extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(problem);
    this.path = path;
  }
}

export type Reader<T> = (value: unknown, path: string) => T;

const nameOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

export const text =
  (maxLength: number): Reader<string> =>
  (value, path) => {
    if (typeof value !== 'string') throw new Mismatch(path, `expected text, got ${nameOf(value)}`);
    if (value.length > maxLength)
      throw new Mismatch(path, `${value.length} characters, at most ${maxLength} are taken`);
    return value;
  };

export const matching =
  (pattern: RegExp, what: string): Reader<string> =>
  (value, path) => {
    if (typeof value !== 'string' || !pattern.test(value))
      throw new Mismatch(path, `expected ${what}`);
    return value;
  };

export const oneOf =
  <T extends string>(...names: readonly T[]): Reader<T> =>
  (value, path) => {
    const found = names.find(name => name === value);
    if (found === undefined) throw new Mismatch(path, `expected one of ${names.join(', ')}`);
    return found;
  };

export const bool: Reader<boolean> = (value, path) => {
  if (typeof value !== 'boolean')
    throw new Mismatch(path, `expected true or false, got ${nameOf(value)}`);
  return value;
};

/** A whole number that a double holds exactly. */
export const whole =
  (min: number = Number.MIN_SAFE_INTEGER, max: number = Number.MAX_SAFE_INTEGER): Reader<number> =>
  (value, path) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value))
      throw new Mismatch(path, `expected a whole number, got ${nameOf(value)}`);
    if (value < min || value > max)
      throw new Mismatch(path, `${value} is not within ${min}..${max}`);
    return value;
  };

/** A number from 0 to 1. */
export const share: Reader<number> = (value, path) => {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1))
    throw new Mismatch(path, `expected a number from 0 to 1, got ${nameOf(value)}`);
  return value;
};

export const list =
  <T>(item: Reader<T>, maxLength: number): Reader<T[]> =>
  (value, path) => {
    if (!Array.isArray(value)) throw new Mismatch(path, `expected an array, got ${nameOf(value)}`);
    if (value.length > maxLength)
      throw new Mismatch(path, `${value.length} items, at most ${maxLength} are taken`);
    return value.map((one: unknown, at) => item(one, `${path}[${at}]`));
  };

/** An object's fields as they are; unknown ones are ignored, so that newer senders are understood. */
export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Mismatch(path, `expected an object, got ${nameOf(value)}`);
  return value as Fields;
}

/** A field that must be there. */
export const need = <T>(from: Fields, name: string, path: string, read: Reader<T>): T =>
  read(own(from, name), `${path}.${name}`);

/** `{ name: value }` if the field is there, `{}` if not: spread it into the result. */
export function may<N extends string, T>(
  from: Fields,
  name: N,
  path: string,
  read: Reader<T>,
): { [K in N]?: T } {
  const value = own(from, name);
  if (value === undefined) return {};
  return { [name]: read(value, `${path}.${name}`) } as { [K in N]?: T };
}

/** Own fields only: `__proto__` and `constructor` are nobody's data. */
const own = (from: Fields, name: string): unknown =>
  Object.hasOwn(from, name) ? from[name] : undefined;

/** Attributes of plain values. */
export const attributes =
  (maxCount: number, maxLength: number): Reader<Record<string, string | number | boolean>> =>
  (value, path) => {
    const entries = Object.entries(fields(value, path));
    if (entries.length > maxCount)
      throw new Mismatch(path, `${entries.length} attributes, at most ${maxCount} are taken`);
    return Object.fromEntries(
      entries.map(([key, one]) => [key, plain(one, `${path}.${key}`, maxLength)]),
    );
  };

function plain(value: unknown, path: string, maxLength: number): string | number | boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return text(maxLength)(value, path);
}
