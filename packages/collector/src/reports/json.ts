// Reading what strangers wrote: a value of the type that is expected, or nothing. What a
// report cannot do without is asked for by its reader, which says what is missing.

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object to read from, whatever stood there. */
export const objectAt = (from: Json, key: string): Json => {
  const value = from[key];
  return isObject(value) ? value : {};
};

export const listAt = (from: Json, key: string): Json[] => {
  const value = from[key];
  return Array.isArray(value) ? value.filter(isObject) : [];
};

export const numbersAt = (from: Json, key: string): number[] => {
  const value = from[key];
  return Array.isArray(value) ? value.filter(one => typeof one === 'number') : [];
};

export const textAt = (from: Json, key: string): string | undefined => {
  const value = from[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

export const numberAt = (from: Json, key: string): number | undefined => {
  const value = from[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
};

/** A time as Unix ms: a number of them, or a date. */
export const unixMsAt = (from: Json, key: string): number | undefined => {
  const value = from[key];
  const ms = typeof value === 'string' ? Date.parse(value) : value;
  return typeof ms === 'number' && isUnixMs(ms) ? ms : undefined;
};

/** 2001 to 2096: seconds and nanoseconds are none. */
export const isUnixMs = (ms: number): boolean => ms > 1e12 && ms < 4e12;

/** Those that are there, under other names. */
export function taken(
  from: Json,
  names: Readonly<Record<string, string>>,
): Record<string, string | number | boolean> {
  const found: Record<string, string | number | boolean> = {};
  for (const [name, key] of Object.entries(names)) {
    const value = from[key];
    if (typeof value === 'string' && value !== '') found[name] = value.slice(0, 256);
    else if (typeof value === 'number' || typeof value === 'boolean') found[name] = value;
  }
  return found;
}

/** The same of figures: numbers alone, by the names they have. */
export function figuresOf(from: Json, names: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of names) {
    const value = numberAt(from, name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}
