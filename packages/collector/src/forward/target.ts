// One place that spans are handed on to, as `--forward` names it.
//
//   otlp+http://host:4318?send=turns,promoted&header=x-team:voice
//   otlp+https://…   otlp+grpc://host:4317   otlp+grpcs://…
//
// Parameters: send (turns, promoted, all), delay (seconds), queue (size), header (name:value, may
// be repeated), compression (gzip, none), ca (PEM file), from (start: what is stored already, too).

import { createHash } from 'node:crypto';

export type SendKind = 'turns' | 'promoted' | 'all';

export interface ForwardTarget {
  /** Names its folder in the queue; from protocol, host and filter, so that it outlives a restart. */
  readonly id: string;
  /** For people: without headers, which may hold secrets. */
  readonly name: string;
  readonly protocol: 'http' | 'grpc';
  readonly isTls: boolean;
  /** `host:port`. */
  readonly authority: string;
  /** Of HTTP: where `/v1/traces` stands. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly send: ReadonlySet<SendKind>;
  /** Between arrival and handing on: time for the marks of other processes, and for the ledger. */
  readonly delayMs: number;
  readonly queueBytesMax: number;
  readonly isGzip: boolean;
  /** File of the certificate authority; absent: those of the system. */
  readonly caFile?: string;
  readonly fromStart: boolean;
}

/** What is wrong with a target; the message says how to write it. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
}

const SCHEMES: Readonly<Record<string, { protocol: 'http' | 'grpc'; isTls: boolean }>> = {
  'otlp+http:': { protocol: 'http', isTls: false },
  'otlp+https:': { protocol: 'http', isTls: true },
  'otlp+grpc:': { protocol: 'grpc', isTls: false },
  'otlp+grpcs:': { protocol: 'grpc', isTls: true },
};

const PARAMETERS = ['send', 'delay', 'queue', 'header', 'compression', 'ca', 'from'] as const;

/** Records and live state come each second; the slowest process has sent a second one by then. */
const DELAY_S_DEFAULT = 5;
const DELAY_S_MAX = 3_600;

const MB = 1024 * 1024;
const QUEUE_MB_DEFAULT = 64;

/** @throws {TargetError} */
export function readTarget(text: string): ForwardTarget {
  const url = parse(text);
  const scheme = SCHEMES[url.protocol];
  if (!scheme)
    throw new TargetError(
      `"${shown(text)}": expected otlp+http://, otlp+https://, otlp+grpc:// or otlp+grpcs://`,
    );
  const unknown = [...url.searchParams.keys()].find(key => !PARAMETERS.includes(key as 'send'));
  if (unknown !== undefined)
    throw new TargetError(`"${unknown}" is no parameter of it; there are ${PARAMETERS.join(', ')}`);
  const port = url.port || (scheme.protocol === 'http' ? '4318' : '4317');
  const authority = `${url.hostname}:${port}`;
  const send = readSend(url.searchParams.get('send') ?? 'turns,promoted');
  const path = url.pathname.replace(/\/+$/, '');
  const name = `${url.protocol}//${authority}${path}`;
  const identity = `${name}?${[...send].toSorted().join(',')}`;
  const caFile = url.searchParams.get('ca');
  return {
    id: createHash('sha256').update(identity).digest('hex').slice(0, 12),
    name,
    ...scheme,
    authority,
    path,
    headers: readHeaders(url),
    send,
    delayMs: numberIn(url, { name: 'delay', max: DELAY_S_MAX, otherwise: DELAY_S_DEFAULT }) * 1_000,
    queueBytesMax: readSize(url.searchParams.get('queue')),
    isGzip: oneOf(url, 'compression', ['gzip', 'none']) === 'gzip',
    ...(caFile !== null && { caFile }),
    fromStart: oneOf(url, 'from', ['now', 'start']) === 'start',
  };
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new TargetError(
      `"${shown(text)}" is no URL; write e.g. otlp+http://127.0.0.1:14318?send=turns,promoted`,
      { cause },
    );
  }
}

function readSend(text: string): ReadonlySet<SendKind> {
  const kinds = text.split(',').filter(Boolean);
  for (const kind of kinds)
    if (kind !== 'turns' && kind !== 'promoted' && kind !== 'all')
      throw new TargetError(`send=${kind}: expected turns, promoted or all, with commas between`);
  if (kinds.length === 0) throw new TargetError('send= names nothing to send');
  return new Set(kinds as SendKind[]);
}

function readHeaders(url: URL): Record<string, string> {
  const headers: Record<string, string> = {};
  const { username, password } = url;
  if (username !== '')
    headers['authorization'] =
      `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
  for (const header of url.searchParams.getAll('header')) {
    const match = /^([A-Za-z0-9-]+): *([\x20-\x7e]+)$/.exec(header);
    if (!match) throw new TargetError('header= must be name:value, in printable ASCII');
    headers[match[1]!.toLowerCase()] = match[2]!;
  }
  return headers;
}

function numberIn(url: URL, of: { name: string; max: number; otherwise: number }): number {
  const text = url.searchParams.get(of.name);
  const value = text === null ? of.otherwise : Number(text);
  if (text === '' || !(value >= 0 && value <= of.max))
    throw new TargetError(`${of.name}=${text}: expected a number from 0 to ${of.max}`);
  return value;
}

function readSize(text: string | null): number {
  if (text === null) return QUEUE_MB_DEFAULT * MB;
  const match = /^(\d{1,6})MB$/i.exec(text);
  const megabytes = Number(match?.[1]);
  if (!(megabytes >= 1)) throw new TargetError(`queue=${text}: expected a size such as 64MB`);
  return megabytes * MB;
}

function oneOf<const T extends string>(url: URL, name: string, values: readonly [T, T]): T {
  const text = url.searchParams.get(name) ?? values[0];
  const value = values.find(one => one === text);
  if (value === undefined)
    throw new TargetError(`${name}=${text}: expected ${values.join(' or ')}`);
  return value;
}

/** Without what may be a secret. */
const shown = (text: string): string =>
  text
    .split('?')[0]!
    .replace(/\/\/[^@/]*@/, '//…@')
    .slice(0, 120);
