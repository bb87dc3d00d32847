// Checks of the shape of JSON that we did not write: small readers that are
// put together like the type they prove. The first problem is thrown with its
// path and caught at the door (`readShape`).

import { decoded, rejected, type Decoded } from '@framescope/protocol';

/** Proves a value, or throws a ShapeProblem that names `path`. */
export type Shape<T> = (value: unknown, path: string) => T;

class ShapeProblem extends Error {
  override readonly name = 'ShapeProblem';
  readonly path: string;

  constructor(path: string, problem: string) {
    super(problem);
    this.path = path;
  }
}

export function readShape<T>(shape: Shape<T>, value: unknown, path: string): Decoded<T> {
  try {
    return decoded(shape(value, path));
  } catch (problem) {
    if (problem instanceof ShapeProblem) return rejected(problem.path, problem.message);
    throw problem;
  }
}

const fail = (path: string, expected: string): never => {
  throw new ShapeProblem(path, `expected ${expected}`);
};

export const text =
  (lengthMax: number): Shape<string> =>
  (value, path) =>
    typeof value === 'string' && value.length <= lengthMax
      ? value
      : fail(path, `a string of at most ${lengthMax} characters`);

export const pattern =
  (regex: RegExp, what: string): Shape<string> =>
  (value, path) =>
    typeof value === 'string' && regex.test(value) ? value : fail(path, what);

/** A safe whole number that `unit` brands. */
export const whole =
  <T extends number>(
    unit: (value: number) => T,
    min: number = -Number.MAX_SAFE_INTEGER,
  ): Shape<T> =>
  (value, path) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min
      ? unit(value)
      : fail(path, `a whole number of at least ${min}`);

export const flag: Shape<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : fail(path, 'true or false');

export const oneOf =
  <T extends string | number>(...allowed: readonly T[]): Shape<T> =>
  (value, path) =>
    allowed.find(one => one === value) ?? fail(path, `one of ${allowed.join(', ')}`);

export const listOf =
  <T>(item: Shape<T>, lengthMax: number): Shape<readonly T[]> =>
  (value, path) =>
    Array.isArray(value) && value.length <= lengthMax
      ? value.map((one, index) => item(one, `${path}[${index}]`))
      : fail(path, `a list of at most ${lengthMax}`);

export const mapOf =
  <T>(item: Shape<T>, sizeMax: number): Shape<Readonly<Record<string, T>>> =>
  (value, path) => {
    const source = objectAt(value, path);
    const keys = Object.keys(source);
    if (keys.length > sizeMax) fail(path, `at most ${sizeMax} entries`);
    return Object.fromEntries(keys.map(key => [key, item(source[key], `${path}.${key}`)]));
  };

/** Either shape; the first that fits. */
export const either =
  <A, B>(first: Shape<A>, second: Shape<B>): Shape<A | B> =>
  (value, path) => {
    const result = readShape(first, value, path);
    return result.ok ? result.value : second(value, path);
  };

type Shapes<T> = { readonly [K in keyof T]-?: Shape<Exclude<T[K], undefined>> };

/** Fields named in `optional` may be missing; unknown fields are left out. */
export const object =
  <T extends object>(shapes: Shapes<T>, optional: readonly (keyof T)[] = []): Shape<T> =>
  (value, path) => {
    const source = objectAt(value, path);
    const result: Partial<T> = {};
    for (const key of Object.keys(shapes) as (keyof T & string)[]) {
      const field = source[key];
      if (field === undefined && optional.includes(key)) continue;
      result[key] = shapes[key](field, `${path}.${key}`);
    }
    return result as T;
  };

function objectAt(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail(path, 'an object');
  return value as Readonly<Record<string, unknown>>;
}
