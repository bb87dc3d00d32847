// One collector: writer, readers, and the port they are reached on.

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { ClockName } from './assemble/clock/session-clocks.ts';
import { monotonicNs, systemClock } from './receive/clock.ts';
import { makeApp } from './serve/app.ts';
import { Connections } from './serve/connections.ts';
import { LiveHub } from './serve/live.ts';
import { Health } from './serve/metrics.ts';
import { SqliteReader } from './store/sqlite/reader.ts';
import { DataFolder } from './store/sqlite/volume-files.ts';
import { VERSION } from './version.ts';
import type { WriterOptions } from './writer/messages.ts';
import {
  startInlineWriter,
  startWriterThread,
  type Writer,
  type WriterEvents,
} from './writer/writer.ts';

const MB = 1024 * 1024;

/** What `--max-size` is when nobody says. */
export const MAX_BYTES_DEFAULT: number = 10 * 1024 * MB;

/** Limits of headline measures, ns: what callers notice. */
export const BUDGETS_DEFAULT: Readonly<Record<string, number>> = {
  voice_to_voice: 800_000_000,
  frame: 300_000_000,
};

/** Requests that are answered after a call to stop; longer ones are cut off. */
const DRAIN_MS = 5_000;

/** Longer than any exporter's or probe's interval: a cold connection would disturb clock probes. */
const KEEP_ALIVE_MS = 65_000;

export interface CollectorOptions {
  /** Folder of the data; made when it is missing. */
  readonly data: string;
  /** Default 127.0.0.1. Anything that is not this machine needs `allowRemote`. */
  readonly host?: string;
  /** 0, the default, picks a free one. */
  readonly port?: number;
  /** Required to listen beyond this machine, since there are no tokens yet. */
  readonly allowRemote?: boolean;
  readonly maxBytes?: number;
  /** Names that the Host header may have beside localhost and IP addresses. */
  readonly allowedHosts?: readonly string[];
  /** Limits by measure, ns; those not named keep their default. */
  readonly budgets?: Readonly<Record<string, number>>;
  /** `inline` writes in the calling thread: for tests that run from source. */
  readonly writer?: 'thread' | 'inline';
  /** Folder of a built viewer; default: the one in the package. */
  readonly viewerFolder?: string;
  readonly log?: (message: string, error?: unknown) => void;
  /** The collector can no longer store: close it. Default: log it. */
  readonly onCrash?: (error: Error) => void;
}

export interface Collector {
  /** `http://127.0.0.1:4318` */
  readonly url: string;
  readonly port: number;
  /** Answers what it has taken, commits, and lets go of port and files. */
  close(): Promise<void>;
}

/** The port is taken. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
  readonly port: number;

  constructor(host: string, port: number, cause: unknown) {
    const holder =
      port === 4317 || port === 4318
        ? ' Jaeger and the OpenTelemetry Collector listen there too, or another Framescope does.'
        : '';
    super(
      `port ${port} on ${host} is in use.${holder} Use another with --port, e.g. --port 4418.`,
      {
        cause,
      },
    );
    this.port = port;
  }
}

/** Refused, because anybody who reaches the address could read and write. */
export class RemoteBindError extends Error {
  override readonly name = 'RemoteBindError';

  constructor(host: string) {
    super(
      `--host ${host} is reachable from other machines, and this version has no tokens yet: anybody ` +
        `there could read and write all calls. If that is what you want, add --allow-remote; ` +
        `else put a proxy with authentication before 127.0.0.1.`,
    );
  }
}

/** Starts a collector. @throws {StoreError | PortInUseError | RemoteBindError} */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const host = options.host ?? '127.0.0.1';
  if (!isLoopback(host) && options.allowRemote !== true) throw new RemoteBindError(host);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  // The port first: it fails more often than the store, and writes nothing.
  server.on('request', tellToComeAgain);
  await listen(server, host, options.port ?? 0);
  try {
    return await compose(server, host, options);
  } catch (problem) {
    server.close();
    throw problem;
  }
}

async function compose(
  server: Server,
  host: string,
  options: CollectorOptions,
): Promise<Collector> {
  const log = options.log ?? (() => undefined);
  const clock = systemClock(randomUUID);
  const health = new Health();
  const late: { reader?: SqliteReader; live?: LiveHub } = {};
  const events: WriterEvents = {
    onChanges: changes => late.live?.publish(changes),
    onVolumes: () => late.reader?.refresh(),
    onCounts: counts => health.writer(counts),
    onCrash: error => {
      health.storing(false);
      log('the writer stopped', error);
      options.onCrash?.(error);
    },
  };
  const budgets = { ...BUDGETS_DEFAULT, ...options.budgets };
  const writer = await startWriter(options, { clock, budgets }, events);
  const reader = new SqliteReader(options.data);
  // Milliseconds in a thousandth place: rises from start to start, exact for centuries.
  const live = new LiveHub(reader, Date.now() * 1_000);
  late.reader = reader;
  late.live = live;
  const folder = new DataFolder(options.data);
  server.off('request', tellToComeAgain);
  server.on(
    'request',
    makeApp({
      writer,
      health,
      live,
      context: { reader, nowUnixNs: () => BigInt(Date.now()) * 1_000_000n, budgets },
      clock,
      nowNs: monotonicNs,
      dataBytes: () => folder.totalBytes(),
      version: VERSION,
      allowedHosts: options.allowedHosts ?? [],
      ...(options.viewerFolder !== undefined && { viewerFolder: options.viewerFolder }),
      log,
    }),
  );
  const connections = new Connections(server);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${urlHost(host)}:${port}`,
    port,
    close: onlyOnce(() => stop({ server, connections, live, writer, reader })),
  };
}

/** Whoever comes while the store opens (senders, after a `kill -9`) would else wait for ever. */
const tellToComeAgain: RequestListener = (_request, response) =>
  void response.writeHead(503, { 'Retry-After': '1', Connection: 'close' }).end();

function startWriter(
  options: CollectorOptions,
  known: { clock: ClockName; budgets: Readonly<Record<string, number>> },
  events: WriterEvents,
): Promise<Writer> {
  const writerOptions: WriterOptions = {
    folder: options.data,
    maxBytes: options.maxBytes ?? MAX_BYTES_DEFAULT,
    ...known,
  };
  if (options.writer !== 'inline') return startWriterThread(writerOptions, events);
  const now = { unixNs: () => BigInt(Date.now()) * 1_000_000n, ns: monotonicNs };
  return Promise.resolve().then(() => startInlineWriter(writerOptions, events, now));
}

async function stop(parts: {
  server: Server;
  connections: Connections;
  live: LiveHub;
  writer: Writer;
  reader: SqliteReader;
}): Promise<void> {
  const closed = new Promise<void>(resolve => parts.server.close(() => resolve()));
  parts.live.close();
  parts.connections.stop();
  const cut = setTimeout(() => parts.server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(cut);
  await parts.writer.close();
  parts.reader.close();
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (problem) {
    const code = problem instanceof Error && 'code' in problem ? problem.code : '';
    if (code === 'EADDRINUSE') throw new PortInUseError(host, port, problem);
    throw new Error(`cannot listen on ${host}, port ${port}: ${String(code)}`, { cause: problem });
  }
}

function onlyOnce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** An address that a browser on this machine can open. */
const urlHost = (host: string): string =>
  host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
