// Checks a value against the JSON Schema words that our OpenAPI document uses. Fields that the
// schema does not name are problems too: the document would be incomplete.

interface Schema {
  readonly [keyword: string]: unknown;
}

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export function schemaProblems(
  value: unknown,
  schema: object,
  document: Document,
  path: string,
): string[] {
  const words = resolve(schema, document);
  if (Array.isArray(words['anyOf'])) {
    const tries = (words['anyOf'] as object[]).map(one =>
      schemaProblems(value, one, document, path),
    );
    return tries.find(problems => problems.length === 0) ?? tries[0] ?? [];
  }
  if (Array.isArray(words['enum']) && !words['enum'].includes(value))
    return [`${path}: ${String(value)} is none of ${words['enum'].join(', ')}`];
  const type = words['type'];
  if (type === 'object') return objectProblems(value, words, document, path);
  if (type === 'array') {
    if (!Array.isArray(value)) return [`${path}: no list`];
    return value.flatMap((one, i) =>
      schemaProblems(one, words['items'] as object, document, `${path}[${i}]`),
    );
  }
  if (type === 'integer') return Number.isInteger(value) ? [] : [`${path}: no integer`];
  if (type === 'null') return value === null ? [] : [`${path}: not null`];
  return type === undefined || typeof value === type ? [] : [`${path}: no ${String(type)}`];
}

function objectProblems(value: unknown, words: Schema, document: Document, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${path}: no object`];
  const properties = (words['properties'] ?? {}) as Readonly<Record<string, object>>;
  const missing = ((words['required'] ?? []) as string[])
    .filter(name => !(name in value))
    .map(name => `${path}.${name}: missing`);
  const others = Object.entries(value).flatMap(([name, field]) => {
    const schema = properties[name];
    if (schema) return schemaProblems(field, schema, document, `${path}.${name}`);
    return words['additionalProperties'] ? [] : [`${path}.${name}: not in the document`];
  });
  return [...missing, ...others];
}

function resolve(schema: object, document: Document): Schema {
  const words = schema as Schema;
  if (typeof words['$ref'] === 'string') {
    const target = document.components.schemas[words['$ref'].split('/').at(-1)!];
    if (!target) throw new Error(`${words['$ref']} is not in the document`);
    return resolve(target, document);
  }
  if (Array.isArray(words['allOf'])) {
    const parts = (words['allOf'] as object[]).map(part => resolve(part, document));
    return {
      type: 'object',
      properties: Object.assign({}, ...parts.map(part => part['properties'])) as object,
      required: parts.flatMap(part => part['required'] as string[]),
    };
  }
  return words;
}
