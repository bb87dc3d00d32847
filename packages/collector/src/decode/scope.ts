// The instrumentation scope of a span as one text: its name, and behind a NUL each its
// version and its attributes as JSON, where it has them. Scopes are few, and one text is
// one number in columns.

import type { Attributes } from '@framescope/protocol';

const SEPARATOR = '\0';

export interface ScopeName {
  readonly scope: string;
  /** Absent: none said. */
  readonly scopeVersion?: string;
  /** Absent: none. */
  readonly scopeAttributes?: Attributes;
}

/** A NUL in a name would part it: it becomes U+FFFD. */
export function scopeText(name: string, version = '', attributes?: Attributes): string {
  const hasMore = attributes !== undefined && Object.keys(attributes).length > 0;
  const parts = [name, ...(version !== '' || hasMore ? [version] : [])].map(one =>
    one.replaceAll(SEPARATOR, '\ufffd'),
  );
  if (hasMore) parts.push(JSON.stringify(attributes));
  return parts.join(SEPARATOR);
}

/** Attributes by their JSON: many spans have the same. Cleared rather than aged. */
const read = new Map<string, Attributes>();
const READ_MAX = 256;

export function scopeOf(text: string): ScopeName {
  if (!text.includes(SEPARATOR)) return { scope: text };
  const [scope = '', scopeVersion = '', json] = text.split(SEPARATOR);
  return {
    scope,
    ...(scopeVersion !== '' && { scopeVersion }),
    ...(json !== undefined && { scopeAttributes: attributesOf(json) }),
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
