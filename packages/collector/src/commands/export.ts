// framescope export: a session, or all of a range, from a running collector into a file.

import { writeFileSync } from 'node:fs';
import type { Api } from './api.ts';
import type { Done } from './commands.ts';

export interface ExportOptions {
  /** Key or `session.id`; absent: all sessions of the range. */
  readonly session?: string;
  readonly from?: string;
  readonly to?: string;
  readonly filter?: string;
  readonly format: 'otlp' | 'perfetto' | 'html';
  /** Absent or `-`: standard output. */
  readonly out?: string;
}

export async function exportSessions(api: Api, options: ExportOptions): Promise<Done> {
  const keys =
    options.session === undefined
      ? await keysOfRange(api, options)
      : [await keyOf(api, options.session)];
  if (keys.length === 0) return { lines: [], errors: ['no session there'], code: 1 };
  if (options.format !== 'otlp' && keys.length > 1)
    return {
      lines: [],
      errors: [
        `--format ${options.format} takes one session; these are ${keys.length}: name one with --session`,
      ],
      code: 2,
    };
  const text =
    options.format === 'otlp'
      ? await otlpOf(api, keys)
      : await textOf(api, keys[0]!, options.format);
  if (options.out === undefined || options.out === '-')
    return { lines: [text], errors: [], code: 0 };
  writeFileSync(options.out, text);
  const what = keys.length === 1 ? '1 session' : `${keys.length} sessions`;
  return { lines: [], errors: [`${what}, ${text.length} characters, in ${options.out}`], code: 0 };
}

const textOf = (api: Api, key: string, format: string): Promise<string> =>
  api.text(`/api/v1/export/${key}?format=${format}`);

async function otlpOf(api: Api, keys: readonly string[]): Promise<string> {
  const resourceSpans: unknown[] = [];
  for (const key of keys) {
    const one = (await api.get(`/api/v1/export/${key}`)) as { resourceSpans: unknown[] };
    resourceSpans.push(...one.resourceSpans);
  }
  return JSON.stringify({ resourceSpans });
}

/** By its key, or the newest of its `session.id`. */
export async function keyOf(api: Api, session: string): Promise<string> {
  const found = (await api.get(`/api/v1/search?q=${encodeURIComponent(session)}`)) as {
    items: readonly { kind: string; title: string; sessionKey: string | null }[];
  };
  const hit = found.items.find(
    one => one.kind === 'session' && (one.title === session || one.sessionKey === session),
  );
  if (hit?.sessionKey == null) throw new Error(`there is no session "${session}"`);
  return hit.sessionKey;
}

export async function keysOfRange(
  api: Api,
  { from, to, filter }: Pick<ExportOptions, 'from' | 'to' | 'filter'>,
): Promise<string[]> {
  const keys: string[] = [];
  const query = new URLSearchParams({ limit: '500' });
  for (const [name, value] of Object.entries({ from, to, filter }))
    if (value !== undefined) query.set(name, value);
  for (;;) {
    const page = (await api.get(`/api/v1/sessions?${query.toString()}`)) as {
      items: readonly { key: string }[];
      nextCursor: string | null;
    };
    keys.push(...page.items.map(one => one.key));
    if (page.nextCursor === null) return keys;
    query.set('cursor', page.nextCursor);
  }
}
