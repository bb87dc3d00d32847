// Flags and their FRAMESCOPE_* twins → options. One table: parsing, `--help`
// and the check for twins all come from it.

import { readFileSync } from 'node:fs';
import { MAX_BYTES_DEFAULT, type CollectorOptions } from './collector.ts';
import { readRetention } from './retention-flag.ts';
import { parseClickHouseUrl, type ClickHouseSettings } from './store/clickhouse/settings.ts';
import type { Retention } from './store/store.ts';
import { readTarget, TargetError, type ForwardTarget } from './forward/target.ts';

/** The command line (or a variable) is wrong; the message says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface Flag {
  /** What stands for the value in `--help`; absent: a switch. */
  readonly value?: string;
  readonly help: string;
  readonly default?: string;
}

const FLAGS = {
  host: { value: 'ADDRESS', help: 'Address to listen on.', default: '127.0.0.1' },
  port: { value: 'PORT', help: 'Port for everything; 0 picks a free one.', default: '4318' },
  'grpc-port': {
    value: 'PORT|off',
    help: 'Port of OTLP/gRPC. Default: 4317 beside 4318, a free one with --port 0, else off.',
  },
  'ingest-port': {
    value: 'PORT',
    help: 'A further port that takes telemetry and serves nothing else.',
  },
  data: {
    value: 'DIR',
    help: 'Folder of the data; made when missing.',
    default: './framescope-data',
  },
  store: {
    value: 'URL',
    help: 'Keep the data in ClickHouse: clickhouse://user:password@host:8123/database?cluster=NAME.',
  },
  'max-size': {
    value: 'SIZE',
    help: 'Oldest data goes when the folder is larger, e.g. 500MB, 10GB.',
    default: '10GB',
  },
  retention: {
    value: 'KIND=AGE,…',
    help: 'How long kinds are kept: frames=7d,spans=30d,turns=400d,recordings=1d; else as room allows.',
  },
  'max-memory': {
    value: 'SIZE',
    help: 'Beyond it senders are told to come again.',
    default: '2GB',
  },
  budgets: {
    value: 'FILE',
    help: 'JSON: measure → limit in ms, e.g. {"voice_to_voice": 800, "frame": 300}.',
  },
  'allowed-host': {
    value: 'NAME',
    help: 'A name this collector is reached by, beside localhost and IP addresses; may be repeated.',
  },
  recordings: {
    value: 'keep|drop',
    help: 'Sound that LiveKit Agents upload: kept beside the calls, or let go.',
    default: 'drop',
  },
  redact: {
    value: 'LIST',
    help: 'Never write these: transcripts, or attributes such as customer.*; with commas between.',
  },
  forward: {
    value: 'URL',
    help: 'Hand spans on: otlp+http://host:4318?send=turns,promoted, otlp+grpc://…; may be repeated.',
  },
  'cors-origin': {
    value: 'ORIGIN',
    help: 'Pages of it may send telemetry, e.g. https://app.example; may be repeated.',
  },
  token: {
    value: 'SECRET',
    help: 'Senders must show it. Without --read-token it reads as well. 16 characters or more.',
  },
  'read-token': { value: 'SECRET', help: 'The API, the pages and /metrics need it.' },
  'livekit-key': {
    value: 'KEY',
    help: 'LIVEKIT_API_KEY of the agents: their tokens are checked, and let them write here.',
  },
  'livekit-secret': { value: 'SECRET', help: 'LIVEKIT_API_SECRET that belongs to it.' },
  'vapi-secret': {
    value: 'SECRET',
    help: 'Of its credential: checks what comes to /webhooks/vapi.',
  },
  'retell-key': {
    value: 'SECRET',
    help: 'The API key that signs webhooks: checks what comes to /webhooks/retell.',
  },
  'elevenlabs-secret': {
    value: 'SECRET',
    help: 'Of the webhook: checks what comes to /webhooks/elevenlabs.',
  },
  'tls-cert': { value: 'FILE', help: 'Certificate chain (PEM): HTTPS, and TLS for gRPC.' },
  'tls-key': { value: 'FILE', help: 'Its private key (PEM).' },
  'allow-remote': {
    help: 'Listen beyond this machine without --token: anybody there can read and write.',
  },
  'log-format': { value: 'text|json', help: 'Form of the log on stderr.', default: 'text' },
  help: { help: 'Print this.' },
  version: { help: 'Print the version.' },
} as const satisfies Readonly<Record<string, Flag>>;

type FlagName = keyof typeof FLAGS;

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'serve';
      readonly options: CollectorOptions;
      readonly logFormat: 'text' | 'json';
    };

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a command line (without `node` and the script). @throws {UsageError} */
export function readCommand(args: readonly string[], environment: Environment): Command {
  const given = readArguments(args);
  if (given.has('help')) return { kind: 'help' };
  if (given.has('version')) return { kind: 'version' };
  for (const name of Object.keys(FLAGS) as FlagName[]) {
    const value = environment[twinOf(name)];
    if (value !== undefined && value !== '' && !given.has(name))
      given.set(name, twinValues(name, value));
  }
  return serveCommand(given);
}

export const helpText = (): string =>
  `Framescope: collector and viewer for real-time voice traces.

Usage: framescope [serve] [flags]

  Takes OTLP (traces, logs, metrics) over HTTP at /v1/…, and serves the viewer, the API
  (/api/v1) and /metrics on the same port. OTLP over gRPC has a port of its own.

Flags of serve; each has a twin in the environment, e.g. --max-size FRAMESCOPE_MAX_SIZE:
${Object.entries<Flag>(FLAGS).map(flagHelp).join('\n')}

Commands on a data folder (--data DIR); the first two while no collector runs on it:
  framescope prune [--max-size SIZE] [--retention KIND=AGE,…]   deletes what is beyond them, now
  framescope rebuild                  makes sessions, turns and charts anew from what was received
  framescope sql QUERY [--volume N]   answers a question to meta.db (or to a volume), as JSON lines
  framescope integrity                reads everything, and says what cannot be read
`;

function flagHelp([name, flag]: readonly [string, Flag]): string {
  const left = `  --${name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
  const otherwise = flag.default === undefined ? '' : ` (${flag.default})`;
  return `${left.padEnd(26)} ${flag.help}${otherwise}`;
}

function readArguments(args: readonly string[]): Map<FlagName, readonly string[]> {
  const given = new Map<FlagName, readonly string[]>();
  const rest = args[0] === 'serve' ? args.slice(1) : [...args];
  while (rest.length > 0) {
    const argument = rest.shift()!;
    const [name, inline] = flagOf(argument, args[0] === argument);
    const takesValue = 'value' in FLAGS[name];
    if (!takesValue && inline !== undefined) throw new UsageError(`--${name} takes no value`);
    const value = takesValue ? (inline ?? rest.shift()) : '';
    if (value === undefined || (takesValue && inline === undefined && value.startsWith('--')))
      throw new UsageError(`--${name} needs a value: --${name} ${(FLAGS[name] as Flag).value}`);
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return given;
}

/** Read elsewhere (maintenance.ts, commands/): here they are only named. */
const OTHER_COMMANDS = 'export, import, check, prune, rebuild, sql and integrity';

function flagOf(argument: string, isFirst: boolean): readonly [FlagName, string | undefined] {
  if (argument === '-h') return ['help', undefined];
  if (!argument.startsWith('--'))
    throw new UsageError(
      isFirst
        ? `"${argument}" is not a command; there are serve (the default), ${OTHER_COMMANDS}`
        : `"${argument}" belongs to no flag`,
    );
  const [name = '', ...value] = argument.slice(2).split('=');
  if (!Object.hasOwn(FLAGS, name))
    throw new UsageError(`--${name} is not a flag. Did you mean --${nearestFlag(name)}?`);
  return [name as FlagName, value.length > 0 ? value.join('=') : undefined];
}

function serveCommand(given: ReadonlyMap<FlagName, readonly string[]>): Command {
  const text = (name: FlagName): string | undefined => given.get(name)?.at(-1);
  const logFormat = text('log-format') ?? 'text';
  if (logFormat !== 'text' && logFormat !== 'json')
    throw new UsageError(`--log-format must be text or json, got "${logFormat}"`);
  const budgets = text('budgets');
  return {
    kind: 'serve',
    logFormat,
    options: {
      host: text('host') ?? FLAGS.host.default,
      port: port('port', text('port') ?? FLAGS.port.default),
      grpcPort: grpcPort(text('grpc-port'), text('port') ?? FLAGS.port.default),
      ...(text('ingest-port') !== undefined && {
        ingestPort: port('ingest-port', text('ingest-port')!),
      }),
      ...accessOptions(text),
      corsOrigins: (given.get('cors-origin') ?? []).map(origin),
      redact: (given.get('redact') ?? []).flatMap(redactList),
      ...liveKitOptions(text),
      ...webhookSecrets(text),
      forward: forwardTargets(given.get('forward') ?? []),
      data: text('data') ?? FLAGS.data.default,
      ...(text('store') !== undefined && { clickhouse: clickhouseStore(text('store')!) }),
      ...(text('retention') !== undefined && { retention: retention(text('retention')!) }),
      maxBytes: text('max-size') === undefined ? MAX_BYTES_DEFAULT : readSize(text('max-size')!),
      ...(text('max-memory') !== undefined && {
        maxMemoryBytes: readSize(text('max-memory')!, 'max-memory'),
      }),
      allowedHosts: given.get('allowed-host') ?? [],
      allowRemote: given.has('allow-remote'),
      ...(budgets !== undefined && { budgets: readBudgets(budgets) }),
    },
  };
}

function port(name: FlagName, text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new UsageError(`--${name} must be a number from 0 to 65535, got "${text}"`);
  return Number(text);
}

/** Whoever moved the one port has another collector here: 4317 would be taken as well. */
function grpcPort(text: string | undefined, httpPort: string): number | 'off' {
  if (text === 'off') return 'off';
  if (text !== undefined) return port('grpc-port', text);
  if (httpPort === FLAGS.port.default) return 4_317;
  return httpPort === '0' ? 0 : 'off';
}

/** A shorter one could be guessed. */
const TOKEN_LENGTH_MIN = 16;

function accessOptions(
  text: (name: FlagName) => string | undefined,
): Pick<CollectorOptions, 'token' | 'readToken' | 'tls'> {
  const secret = (name: FlagName): string | undefined => {
    const value = text(name);
    if (value !== undefined && !/^[\x21-\x7e]{16,}$/.test(value))
      throw new UsageError(
        `--${name} must have ${TOKEN_LENGTH_MIN} characters or more, none of them a space`,
      );
    return value;
  };
  const [token, readToken] = [secret('token'), secret('read-token')];
  const [cert, key] = [text('tls-cert'), text('tls-key')];
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--tls-cert and --tls-key belong together: give both, or neither');
  return {
    ...(token !== undefined && { token }),
    ...(readToken !== undefined && { readToken }),
    ...(cert !== undefined &&
      key !== undefined && { tls: { cert: pem('tls-cert', cert), key: pem('tls-key', key) } }),
  };
}

function liveKitOptions(
  text: (name: FlagName) => string | undefined,
): Pick<CollectorOptions, 'liveKit' | 'recordings'> {
  const [key, secret] = [text('livekit-key'), text('livekit-secret')];
  if ((key === undefined) !== (secret === undefined))
    throw new UsageError(
      '--livekit-key and --livekit-secret belong together: give both, or neither',
    );
  const recordings = text('recordings') ?? FLAGS.recordings.default;
  if (recordings !== 'keep' && recordings !== 'drop')
    throw new UsageError(`--recordings must be keep or drop, got "${recordings}"`);
  return {
    recordings,
    ...(key !== undefined && secret !== undefined && { liveKit: { key, secret } }),
  };
}

function webhookSecrets(
  text: (name: FlagName) => string | undefined,
): Pick<CollectorOptions, 'webhookSecrets'> {
  const [vapi, retell, elevenlabs] = [
    text('vapi-secret'),
    text('retell-key'),
    text('elevenlabs-secret'),
  ];
  const known = {
    ...(vapi && { vapi }),
    ...(retell && { retell }),
    ...(elevenlabs && { elevenlabs }),
  };
  return Object.keys(known).length === 0 ? {} : { webhookSecrets: known };
}

function pem(name: FlagName, path: string): Buffer {
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    throw new UsageError(`--${name} ${path}: ${why}`, { cause });
  }
  if (!file.includes('-----BEGIN ')) throw new UsageError(`--${name} ${path}: this is no PEM file`);
  return file;
}

function redactList(text: string): readonly string[] {
  const words = text.split(',').map(word => word.trim());
  const bad = words.find(word => word === '' || /^\*+$/.test(word));
  if (bad !== undefined)
    throw new UsageError(
      `--redact must be transcripts, or names of attributes with commas between, got "${text}"`,
    );
  return words;
}

function forwardTargets(texts: readonly string[]): readonly ForwardTarget[] {
  const targets = texts.map(text => {
    try {
      return readTarget(text);
    } catch (cause) {
      if (!(cause instanceof TargetError)) throw cause;
      throw new UsageError(`--forward ${cause.message}`, { cause });
    }
  });
  const twice = targets.find((one, i) => targets.findIndex(other => other.id === one.id) < i);
  if (twice) throw new UsageError(`--forward ${twice.name} is named twice with the same send=`);
  return targets;
}

function origin(text: string): string {
  if (!/^https?:\/\/[^/\s]+$/.test(text))
    throw new UsageError(
      `--cors-origin must be an origin such as https://app.example, without a path, got "${text}"`,
    );
  return text.toLowerCase();
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** Below this a volume would hold less than one large commit. */
const SIZE_MIN_BYTES = 64e6;

/** A size in bytes. @throws {UsageError} */
export function readSize(text: string, name = 'max-size'): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)b?$/i.exec(text.trim());
  const bytes = match ? Number(match[1]) * (UNITS[match[2]!.toLowerCase()] ?? 1) : Number.NaN;
  if (!(bytes >= SIZE_MIN_BYTES))
    throw new UsageError(`--${name} must be a size of 64MB or more, e.g. 10GB, got "${text}"`);
  return Math.floor(bytes);
}

function clickhouseStore(text: string): ClickHouseSettings {
  const settings = parseClickHouseUrl(text);
  if (!settings.ok) throw new UsageError(`--store: ${settings.problem}`);
  return settings.value;
}

function retention(text: string): Retention {
  const ages = readRetention(text);
  if (typeof ages === 'string') throw new UsageError(`--retention: ${ages}`);
  return ages;
}

function readBudgets(path: string): Record<string, number> {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    throw new UsageError(`--budgets ${path}: ${why}`, { cause });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UsageError(`--budgets ${path}: expected an object, measure → limit in ms`);
  return Object.fromEntries(
    Object.entries(json).map(([measure, limitMs]) => {
      if (typeof limitMs !== 'number' || !(limitMs > 0))
        throw new UsageError(`--budgets ${path}: "${measure}" must be a number of ms above 0`);
      return [measure, Math.round(limitMs * 1e6)];
    }),
  );
}

const twinOf = (name: string): string => `FRAMESCOPE_${name.toUpperCase().replaceAll('-', '_')}`;

/** Flags that may be repeated; their twins are lists with commas. */
const LISTS: ReadonlySet<FlagName> = new Set(['allowed-host', 'cors-origin']);

function twinValues(name: FlagName, value: string): readonly string[] {
  if (name === 'forward') return value.split(/\s+/).filter(Boolean);
  if ('value' in FLAGS[name]) return LISTS.has(name) ? value.split(',') : [value];
  if (value === '1' || value === 'true') return [''];
  throw new UsageError(`${twinOf(name)} must be 1 or true, got "${value}"`);
}

/** The flag that takes the fewest edits. */
export function nearestFlag(name: string): string {
  const distances = Object.keys(FLAGS).map(flag => [editDistance(name, flag), flag] as const);
  return distances.reduce((best, one) => (one[0] < best[0] ? one : best))[1];
}

function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
