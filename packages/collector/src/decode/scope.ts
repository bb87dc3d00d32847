// The instrumentation scope of a span as one text: its name, and its version behind
// a NUL where it has one. Scopes are few, and one text is one number in columns.

const SEPARATOR = '\0';

export interface ScopeName {
  readonly scope: string;
  /** Absent: none said. */
  readonly scopeVersion?: string;
}

/** A NUL in a name would part it: it becomes U+FFFD. */
export function scopeText(name: string, version = ''): string {
  const clean = name.replaceAll(SEPARATOR, '\ufffd');
  return version === '' ? clean : clean + SEPARATOR + version.replaceAll(SEPARATOR, '\ufffd');
}

export function scopeOf(text: string): ScopeName {
  const at = text.indexOf(SEPARATOR);
  return at < 0 ? { scope: text } : { scope: text.slice(0, at), scopeVersion: text.slice(at + 1) };
}
