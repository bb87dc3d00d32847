// The words that our JSON Schemas are written in.

export interface Schema {
  readonly [keyword: string]: unknown;
}

export const text: Schema = { type: 'string' };
export const flag: Schema = { type: 'boolean' };
export const count: Schema = { type: 'integer', minimum: 0 };
export const ns: Schema = { type: 'integer', description: 'nanoseconds' };
export const share: Schema = { type: 'number', minimum: 0, maximum: 1 };
export const number: Schema = { type: 'number' };
export const unixNs: Schema = {
  type: 'string',
  pattern: '^-?\\d+$',
  description: 'Unix time in nanoseconds',
};
export const attributes: Schema = { type: 'object', additionalProperties: true };

export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
export const list = (items: Schema): Schema => ({ type: 'array', items });
export const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
export const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values });
export const object = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
});
/** An object of which some properties may be absent. */
export const partly = (
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>>,
): Schema => ({ ...object(required), properties: { ...required, ...optional } });
export const page = (of: string): Schema =>
  object({ items: list(ref(of)), nextCursor: orNull(text) });

/** Speech over the agent; all but the onset since it. */
export const bargeIn: Schema = object({
  onsetNs: ns,
  detectNs: orNull(ns),
  decideNs: orNull(ns),
  cancelNs: orNull(ns),
  stopNs: orNull(ns),
  unheardNs: orNull(ns),
  outcome: oneOf('interrupted', 'resumed', 'echo'),
});
