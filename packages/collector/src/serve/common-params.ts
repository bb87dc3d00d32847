// Parameters that several routes take.

export const OFFSET_MAX: number = Number.MAX_SAFE_INTEGER;

export const key: { readonly name: string; readonly description: string } = {
  name: 'key',
  description: 'The 13-character key of a session.',
};
export const limit = {
  kind: 'integer',
  min: 1,
  max: 500,
  default: 100,
  description: 'Items in one page.',
} as const;
export const cursor = {
  kind: 'text',
  lengthMax: 100,
  description: '`nextCursor` of the page before.',
} as const;
export const fromUnix = { kind: 'unixNs', description: 'Start of the range, Unix ns.' } as const;
export const toUnix = { kind: 'unixNs', description: 'End of the range, Unix ns.' } as const;
export const offset = (
  description: string,
): {
  readonly kind: 'integer';
  readonly min: number;
  readonly max: number;
  readonly description: string;
} => ({ kind: 'integer', min: -OFFSET_MAX, max: OFFSET_MAX, description });
const measure = {
  kind: 'text',
  lengthMax: 1_000,
  description: 'Name from /measures; default: the best covered voice-to-voice.',
} as const;
export const filter = {
  kind: 'filter',
  description:
    'Only what passes, e.g. `region:eu-* v2v>800ms`; words are looked for in what was said.',
} as const;
export const range: {
  readonly measure: typeof measure;
  readonly from: typeof fromUnix;
  readonly to: typeof toUnix;
  readonly filter: typeof filter;
} = { measure, from: fromUnix, to: toUnix, filter };

/** A property that is left out when its value is undefined. */
export const given = <K extends string, V>(
  name: K,
  value: V | undefined,
): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: V };

type Defined<T> = {
  readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

/** Without the properties that are undefined. */
export const defined = <T extends object>(values: T): Defined<T> =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as unknown as Defined<T>;

export const rangeOf = (
  from: bigint | undefined,
  to: bigint | undefined,
): { readonly fromUnixNs?: bigint; readonly toUnixNs?: bigint } => ({
  ...given('fromUnixNs', from),
  ...given('toUnixNs', to),
});
