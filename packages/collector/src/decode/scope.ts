// The instrumentation scope of a span as one text: its name, and behind a NUL each its
// version, its attributes as JSON and the schema URLs of scope and resource, up to the
// last that it has. Scopes are few, and one text is one number in columns; the URL of the
// resource lies here too, since it says which names were meant and not whose spans they are.

import type { Attributes } from '@framescope/protocol';

const SEPARATOR = '\0';

export interface ScopeName {
  readonly scope: string;
  /** Absent: none said. */
  readonly scopeVersion?: string;
  /** Absent: none. */
  readonly scopeAttributes?: Attributes;
  /** URL of the conventions that a scope's spans follow; absent: none said. */
  readonly scopeSchemaUrl?: string;
  /** The same of the resource. */
  readonly resourceSchemaUrl?: string;
}

/** A NUL in a text would part it: it becomes U+FFFD. */
export function scopeText(said: ScopeName): string {
  const { scope, scopeVersion, scopeAttributes, scopeSchemaUrl, resourceSchemaUrl } = said;
  const hasAttributes = scopeAttributes !== undefined && Object.keys(scopeAttributes).length > 0;
  const parts = [
    scope,
    scopeVersion ?? '',
    hasAttributes ? JSON.stringify(scopeAttributes) : '',
    scopeSchemaUrl ?? '',
    resourceSchemaUrl ?? '',
  ];
  while (parts.length > 1 && parts.at(-1) === '') parts.pop();
  return parts.map(one => one.replaceAll(SEPARATOR, '\ufffd')).join(SEPARATOR);
}

/** Attributes by their JSON: many spans have the same. Cleared rather than aged. */
const read = new Map<string, Attributes>();
const READ_MAX = 256;

export function scopeOf(text: string): ScopeName {
  if (!text.includes(SEPARATOR)) return { scope: text };
  const [scope = '', scopeVersion = '', json = '', scopeSchemaUrl = '', resourceSchemaUrl = ''] =
    text.split(SEPARATOR);
  return {
    scope,
    ...(scopeVersion !== '' && { scopeVersion }),
    ...(json !== '' && { scopeAttributes: attributesOf(json) }),
    ...(scopeSchemaUrl !== '' && { scopeSchemaUrl }),
    ...(resourceSchemaUrl !== '' && { resourceSchemaUrl }),
  };
}

function attributesOf(json: string): Attributes {
  let attributes = read.get(json);
  if (attributes !== undefined) return attributes;
  if (read.size >= READ_MAX) read.clear();
  // Ours: it was written above.
  attributes = JSON.parse(json) as Attributes;
  read.set(json, attributes);
  return attributes;
}
