// Commands that ask a running collector: export, import, check, verify.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startCollector } from '../collector.ts';
import { UsageError } from '../config.ts';
import { apiAt, type Api } from './api.ts';
import { check, reportOf, type CheckOptions, type CheckRow } from './check.ts';
import { exportSessions, keyOf } from './export.ts';
import { importFile } from './import.ts';
import { move } from './move.ts';
import { verify, type VerifyOptions } from './verify.ts';

/** What a command prints (stdout, stderr), and its exit code. */
export interface Done {
  readonly lines: readonly string[];
  readonly errors: readonly string[];
  readonly code: number;
}

const COMMANDS = ['export', 'import', 'check', 'verify'] as const;
type Name = (typeof COMMANDS)[number];

export const isClientCommand = (word: string | undefined): word is Name =>
  COMMANDS.some(name => name === word);

export const CLIENT_HELP = `Commands that ask a running collector (--url URL, default http://127.0.0.1:4318; --token SECRET):
  framescope export [--session ID | --from NS --to NS] [--filter F] [--format otlp|perfetto|html] [--out FILE]
  framescope import FILE              OTLP/JSON, Jaeger's JSON, or the report of a call by Vapi, Retell,
                                      ElevenLabs (their JSON) or Deepgram (events, one a line)
  framescope import --from sqlite:DIR --to clickhouse://user:password@host:8123/database
                   all of a data folder into ClickHouse, with no collector running on the folder; stopped
                   or killed, it goes on where it was when it is called again
  framescope check [--session ID | --from NS --to NS | --file FILE] [--filter F] [--budgets FILE]
                   [--quantile p50|p95|p99] [--certain] [--json FILE] [--tolerance 0.05]
                   [--baseline-from NS --baseline-to NS --baseline-filter F]
      exit code 0: within; 1: beyond a budget or the baseline; 2: wrong use; 3: too few to judge
  framescope verify CALL.wav --session ID [--tolerance-ms 50]
                   silences of a two-channel recording (caller left, agent right), by energy, against the
                   ledgers; exit code 0: they agree; 1: one differs; 2: wrong use; 3: nothing to compare
  Times are Unix nanoseconds, or dates such as 2026-11-23T12:00:00Z.
`;

const FLAGS = {
  url: { type: 'string' },
  token: { type: 'string' },
  session: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  filter: { type: 'string' },
  format: { type: 'string' },
  out: { type: 'string' },
  file: { type: 'string' },
  budgets: { type: 'string' },
  quantile: { type: 'string' },
  certain: { type: 'boolean' },
  json: { type: 'string' },
  tolerance: { type: 'string' },
  'tolerance-ms': { type: 'string' },
  'baseline-from': { type: 'string' },
  'baseline-to': { type: 'string' },
  'baseline-filter': { type: 'string' },
} as const;

type Values = Partial<Record<Exclude<keyof typeof FLAGS, 'certain'>, string>> & {
  readonly certain?: boolean;
};

/** `tell`: what is said while it runs. @throws {UsageError | ApiCallError} */
export async function runClientCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  tell: (line: string) => void,
): Promise<Done> {
  const [name, ...rest] = args;
  const { values, positionals } = read(rest);
  const url = values.url ?? environment['FRAMESCOPE_URL'] ?? 'http://127.0.0.1:4318';
  const api = apiAt(url, values.token ?? environment['FRAMESCOPE_TOKEN']);
  if (name === 'import') {
    const [file] = positionals;
    if (values.from !== undefined || values.to !== undefined)
      return move({ ...movedBetween(values, positionals), tell });
    if (file === undefined)
      throw new UsageError(
        'import needs a file (framescope import FILE) or two stores (--from sqlite:DIR --to clickhouse://…)',
      );
    return importFile(api, file);
  }
  if (name === 'verify') return verify(api, verifyOptions(values, positionals));
  if (positionals.length > 0)
    throw new UsageError(`"${positionals[0]}" is not expected behind ${name}`);
  if (name === 'export')
    return exportSessions(api, {
      ...rangeOf(values),
      ...some(values, 'session', 'out'),
      format: formatOf(values),
    });
  return values.file === undefined ? runCheck(api, values) : checkFile(values.file, values);
}

function movedBetween(
  { from, to }: Values,
  [file]: readonly string[],
): { readonly from: string; readonly to: string } {
  if (from === undefined || to === undefined || file !== undefined)
    throw new UsageError(
      'import takes a file, or both stores: --from sqlite:DIR --to clickhouse://user:password@host:8123/database',
    );
  return { from, to };
}

function verifyOptions(values: Values, [file]: readonly string[]): VerifyOptions {
  if (file === undefined || values.session === undefined)
    throw new UsageError('verify needs both: framescope verify CALL.wav --session ID');
  const toleranceMs = Number(values['tolerance-ms'] ?? 50);
  if (!(toleranceMs >= 0)) throw new UsageError('--tolerance-ms must be 0 or more, e.g. 50');
  return { file, session: values.session, toleranceMs };
}

function read(args: readonly string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({ args: [...args], options: FLAGS, allowPositionals: true });
  } catch (problem) {
    throw new UsageError(problem instanceof Error ? problem.message : String(problem));
  }
}

function formatOf({ format = 'otlp' }: Values): 'otlp' | 'perfetto' | 'html' {
  if (format === 'otlp' || format === 'perfetto' || format === 'html') return format;
  throw new UsageError(`--format must be otlp, perfetto or html, got "${format}"`);
}

const some = <K extends keyof Values>(values: Values, ...names: readonly K[]): Pick<Values, K> =>
  Object.fromEntries(
    names.filter(name => values[name] !== undefined).map(name => [name, values[name]]),
  ) as unknown as Pick<Values, K>;

function rangeOf(values: Values): { from?: string; to?: string; filter?: string } {
  return {
    ...(values.from !== undefined && { from: timeOf('from', values.from) }),
    ...(values.to !== undefined && { to: timeOf('to', values.to) }),
    ...some(values, 'filter'),
  };
}

function timeOf(name: string, text: string): string {
  if (/^\d{1,19}$/.test(text)) return text;
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new UsageError(`--${name} must be Unix nanoseconds or a date, got "${text}"`);
  return `${ms}000000`;
}

async function runCheck(api: Api, values: Values): Promise<Done> {
  const options = checkOptions(values);
  const asked =
    values.session === undefined
      ? options
      : { ...options, filter: withSession(await keyOf(api, values.session), options.filter) };
  return finish(await check(api, asked), values);
}

const withSession = (key: string, filter: string | undefined): string =>
  filter === undefined ? `id:${key}` : `id:${key} (${filter})`;

function finish(rows: readonly CheckRow[], values: Values): Done {
  const done = reportOf(rows);
  if (values.json !== undefined)
    writeFileSync(
      values.json,
      `${JSON.stringify({ ok: done.code === 0, code: done.code, rows }, null, 1)}\n`,
    );
  return done;
}

function checkOptions(values: Values): CheckOptions {
  const { quantile = 'p95' } = values;
  if (quantile !== 'p50' && quantile !== 'p95' && quantile !== 'p99')
    throw new UsageError(`--quantile must be p50, p95 or p99, got "${quantile}"`);
  const tolerance = Number(values.tolerance ?? 0.05);
  if (!(tolerance >= 0))
    throw new UsageError('--tolerance must be a share of 0 or more, e.g. 0.05');
  const hasBaseline = (['baseline-from', 'baseline-to', 'baseline-filter'] as const).some(
    name => values[name] !== undefined,
  );
  return {
    ...rangeOf(values),
    budgets: values.budgets === undefined ? {} : readLimits(values.budgets),
    quantile,
    isCertain: values.certain === true,
    tolerance,
    ...(hasBaseline && { baseline: baselineOf(values) }),
  };
}

function baselineOf(values: Values): NonNullable<CheckOptions['baseline']> {
  const { 'baseline-from': from, 'baseline-to': to, 'baseline-filter': filter } = values;
  return {
    ...(from !== undefined && { from: timeOf('baseline-from', from) }),
    ...(to !== undefined && { to: timeOf('baseline-to', to) }),
    ...(filter !== undefined && { filter }),
  };
}

function readLimits(path: string): Record<string, number> {
  const json = JSON.parse(readFileSync(path, 'utf8')) as unknown;
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UsageError(`--budgets ${path}: expected an object, measure → limit in ms`);
  for (const [measure, limit] of Object.entries(json))
    if (typeof limit !== 'number' || !(limit > 0))
      throw new UsageError(`--budgets ${path}: "${measure}" must be a number of ms above 0`);
  return json as Record<string, number>;
}

/** A collector of its own on a folder of its own, for as long as the check takes. */
async function checkFile(file: string, values: Values): Promise<Done> {
  const folder = mkdtempSync(join(tmpdir(), 'framescope-check-'));
  const collector = await startCollector({ data: folder, port: 0 });
  try {
    const api = apiAt(collector.url);
    const imported = await importFile(api, file);
    if (imported.code !== 0) return { ...imported, code: 2 };
    await untilStill(api);
    return await runCheck(api, values);
  } finally {
    await collector.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Assembled: the same answer twice, half a second apart. */
async function untilStill(api: Api): Promise<void> {
  let before = '';
  for (;;) {
    await sleep(600);
    const now = await api.text('/api/v1/sessions?limit=500');
    if (now === before) return;
    before = now;
  }
}
