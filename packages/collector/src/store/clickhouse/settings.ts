// Where ClickHouse is, from `--store clickhouse://user:password@host:8123/database?…`.
//
//   cluster=NAME   tables are Replicated and Distributed over that cluster, sharded by session
//   tls=1          HTTPS (also: clickhouses://)
//   spans=NAME     the table of spans; default otel_traces
//
// Keeping by age is `--retention`, as for SQLite; the engine drops what is older by itself (TTL).

import { decoded, rejected, type Decoded } from '@framescope/protocol';

export interface ClickHouseSettings {
  /** `http://host:8123` */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly cluster?: string;
  readonly spansTable: string;
}

/** Names that stand in SQL unquoted. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const KNOWN: ReadonlySet<string> = new Set(['cluster', 'tls', 'spans']);
const PORT = 8123;
const TLS_PORT = 8443;

/** Reads the value of `--store`; the problem says what to write instead. */
export function parseClickHouseUrl(text: string): Decoded<ClickHouseSettings> {
  const url = parsed(text);
  if (url === undefined || url.hostname === '')
    return rejected(
      '--store',
      `${text} is no URL; e.g. clickhouse://default@127.0.0.1:8123/framescope`,
    );
  const unknown = [...url.searchParams.keys()].find(key => !KNOWN.has(key));
  if (unknown !== undefined)
    return rejected('--store', `unknown option ${unknown}; there are ${[...KNOWN].join(', ')}`);
  const database = decodeURIComponent(url.pathname.slice(1)) || 'framescope';
  const cluster = url.searchParams.get('cluster') ?? undefined;
  const spansTable = url.searchParams.get('spans') ?? 'otel_traces';
  for (const [what, name] of [
    ['database', database],
    ['cluster', cluster ?? 'x'],
    ['spans', spansTable],
  ] as const)
    if (!NAME.test(name))
      return rejected('--store', `${what} ${name}: letters, digits and _ only, 64 at most`);
  const isTls = url.protocol === 'clickhouses:' || url.searchParams.get('tls') === '1';
  const port = url.port === '' ? (isTls ? TLS_PORT : PORT) : Number(url.port);
  return decoded({
    url: `${isTls ? 'https' : 'http'}://${url.hostname}:${port}`,
    user: decodeURIComponent(url.username) || 'default',
    password: decodeURIComponent(url.password),
    database,
    spansTable,
    ...(cluster !== undefined && { cluster }),
  });
}

function parsed(text: string): URL | undefined {
  try {
    const url = new URL(text);
    return /^clickhouses?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}
