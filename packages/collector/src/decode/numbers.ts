// Numbers of the wire that JSON and a double cannot hold are kept as text, the same for both encodings.

import type { AttributeValue } from '@framescope/protocol';

/** 64-bit integers beyond 2^53 become decimal text. */
export const safeInteger = (value: bigint): AttributeValue =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value.toString();

/** JSON knows no NaN and no infinity: they are kept as text. */
export const finite = (value: number): AttributeValue =>
  Number.isFinite(value) ? value : String(value);
