// Attributes that are bytes. Everything between the door and the way out knows text, numbers
// and booleans only, so bytes are text there: base64 behind a mark that no program writes.
// What goes out again as OTLP has bytes once more; people see the base64.

import type { Attributes, AttributeValue } from '@framescope/protocol';

const MARK = '\0base64,';

export const bytesText = (base64: string): string => MARK + base64;

/** The base64 of a value that is bytes; undefined for all others. */
export const base64Of = (value: AttributeValue): string | undefined =>
  typeof value === 'string' && value.startsWith(MARK) ? value.slice(MARK.length) : undefined;

/** As people see it: bytes as their base64. The same object where there are none. */
export function shownAttributes(attributes: Attributes): Attributes {
  const isPlain = Object.values(attributes).every(value => shownValue(value) === value);
  if (isPlain) return attributes;
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [key, shownValue(value)]),
  );
}

/** The same value where no bytes are in it. */
export function shownValue(value: AttributeValue): AttributeValue {
  if (typeof value !== 'object' || value === null) return base64Of(value) ?? value;
  if (!isList(value)) return shownAttributes(value);
  return value.every(one => shownValue(one) === one) ? value : value.map(shownValue);
}

const isList = (value: object): value is readonly AttributeValue[] => Array.isArray(value);
