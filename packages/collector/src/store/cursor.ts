// Cursors of lists: whole numbers in text that callers hand back as it is.

const NUMBERS = /^-?\d{1,19}(\.-?\d{1,19})*$/;

/** A cursor that was not made here. */
export class CursorError extends Error {
  override readonly name = 'CursorError';

  constructor(cursor: string) {
    super(`cursor "${cursor.slice(0, 40)}" is not one that an earlier page gave`);
  }
}

export const cursorOf = (...numbers: readonly (bigint | number)[]): string => numbers.join('.');

/** The numbers of a cursor; undefined when there is none. */
export function numbersOf(cursor: string | undefined, count: number): bigint[] | undefined {
  if (cursor === undefined) return undefined;
  const parts = cursor.split('.');
  if (!NUMBERS.test(cursor) || parts.length !== count) throw new CursorError(cursor);
  return parts.map(part => BigInt.asIntN(64, BigInt(part)));
}
