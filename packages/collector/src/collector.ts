// One collector: writer, readers, and the port they are reached on.

import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { ClockName } from './assemble/clock/session-clocks.ts';
import { CallMetrics } from './metrics/call-metrics.ts';
import { inlineAsker, type Asker } from './query/answers.ts';
import { startReaders } from './query/pool.ts';
import { monotonicNs, systemClock } from './receive/clock.ts';
import { TriggerBoard } from './receive/triggers.ts';
import { startForwarding, type Forwarding } from './forward/forwarding.ts';
import type { ForwardTarget } from './forward/target.ts';
import { Admission } from './receive/admission.ts';
import { sampled } from './receive/sampled.ts';
import type { LiveKitKey } from './receive/livekit/token.ts';
import type { WebhookSecrets } from './receive/webhooks/signatures.ts';
import { startGrpc, type GrpcReceiver } from './receive/otlp-grpc.ts';
import { Access } from './serve/access.ts';
import { makeApp, makeIngestApp, type AppPorts } from './serve/app.ts';
import { Connections } from './serve/connections.ts';
import { makeServer, type TlsFiles } from './serve/http-server.ts';
import { ingestSecret } from './serve/secret.ts';
import { LiveHub } from './serve/live.ts';
import { Health } from './serve/metrics.ts';
import type { ClickHouseSettings } from './store/clickhouse/settings.ts';
import { openReader, sharedSecret, type StorePlace } from './store/engine.ts';
import { limitsOf } from './store/budget-items.ts';
import { RecordingStore, RECORDINGS_SHARE } from './store/recordings.ts';
import type { BudgetsGiven, Retention, StoreReader } from './store/store.ts';
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

/** What `--max-memory` is when nobody says: several times what ten minutes of full load take. */
export const MAX_MEMORY_BYTES_DEFAULT: number = 2 * 1024 * MB;

/** Limits of headline measures, ns: what callers notice. */
export const BUDGETS_DEFAULT: Readonly<Record<string, number>> = {
  voice_to_voice: 800_000_000,
  frame: 300_000_000,
};

/** Requests that are answered after a call to stop; longer ones are cut off. */
const DRAIN_MS = 5_000;

export interface CollectorOptions {
  /** Folder of the data; made when it is missing. */
  readonly data: string;
  /** Default 127.0.0.1. Anything that is not this machine needs a `token`. */
  readonly host?: string;
  /** 0, the default, picks a free one. */
  readonly port?: number;
  /** OTLP/gRPC; 0 picks a free one. Default `off`. */
  readonly grpcPort?: number | 'off';
  /** A further port that takes telemetry and serves nothing else. Default: none. */
  readonly ingestPort?: number;
  /** Listens beyond this machine without a token: anybody there can then read and write. */
  readonly allowRemote?: boolean;
  /** What senders of telemetry show; reads as well unless there is a `readToken`. */
  readonly token?: string;
  readonly readToken?: string;
  readonly tls?: TlsFiles;
  /** Origins beside this machine's own whose pages may send telemetry, e.g. `https://app.example`. */
  readonly corsOrigins?: readonly string[];
  /** Everything but the secret and the forward queue is kept there instead of in `data`. */
  readonly clickhouse?: ClickHouseSettings;
  readonly maxBytes?: number;
  /** Of the process: beyond it senders are told to come again (429). */
  readonly maxMemoryBytes?: number;
  /** How long kinds of data are kept; absent: as long as there is room. */
  readonly retention?: Retention;
  /** Sound that is uploaded: `keep` it, or take it and let it go. Default: drop. */
  readonly recordings?: 'keep' | 'drop';
  /** Key of LiveKit's tokens: agents that show one may write. Where writing is open any token will do. */
  readonly liveKit?: LiveKitKey;
  /** By vendor: what signs the reports that come to /webhooks. Without one, who may write may report. */
  readonly webhookSecrets?: WebhookSecrets;
  /** `transcripts`, or names of attributes with `*`: taken out before anything is written. */
  readonly redact?: readonly string[];
  /** Where spans are handed on to, each with its own filter. */
  readonly forward?: readonly ForwardTarget[];
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
  readonly grpcPort: number | undefined;
  readonly ingestPort: number | undefined;
  /** A browser that opens it may read; works once. Absent where reading needs no token. */
  readonly loginUrl: string | undefined;
  /** Answers what it has taken, commits, and lets go of port and files. */
  close(): Promise<void>;
}

type PortUse = 'http' | 'grpc' | 'ingest';

const PORT_ADVICE: Readonly<Record<PortUse, string>> = {
  http: 'Use another with --port, e.g. --port 4418.',
  grpc: 'Move OTLP/gRPC with --grpc-port, e.g. --grpc-port 4417, or do without: --grpc-port off.',
  ingest: 'Use another with --ingest-port, e.g. --ingest-port 4419.',
};

/** The port is taken. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
  readonly port: number;

  constructor(host: string, port: number, use: PortUse, cause: unknown) {
    const holder =
      port === 4317 || port === 4318
        ? ' Jaeger and the OpenTelemetry Collector listen there too, or another Framescope does.'
        : '';
    super(`port ${port} on ${host} is in use.${holder} ${PORT_ADVICE[use]}`, { cause });
    this.port = port;
  }
}

/** Refused, because anybody who reaches the address could read and write. */
export class RemoteBindError extends Error {
  override readonly name = 'RemoteBindError';

  constructor(host: string) {
    super(
      `--host ${host} is reachable from other machines: anybody there could read and write all ` +
        `calls. Add --token SECRET (16 characters or more; FRAMESCOPE_TOKEN keeps it out of the ` +
        `process list), or --allow-remote if the network itself keeps others out.`,
    );
  }
}

/** Starts a collector. @throws {StoreError | PortInUseError | RemoteBindError} */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const host = options.host ?? '127.0.0.1';
  const isGuarded = options.token !== undefined || options.allowRemote === true;
  if (!isLoopback(host) && !isGuarded) throw new RemoteBindError(host);
  const server = makeServer(options.tls);
  // The port first: it fails more often than the store, and writes nothing.
  server.on('request', tellToComeAgain);
  await listen(server, host, options.port ?? 0, 'http');
  try {
    return await compose(server, host, options);
  } catch (problem) {
    server.close();
    throw problem;
  }
}

/** What is made after the writer, which already speaks to it. */
interface Late {
  reader?: StoreReader;
  live?: LiveHub;
  asker?: Asker;
  forwarding?: Forwarding;
}

function eventsOf(of: {
  readonly late: Late;
  readonly health: Health;
  readonly calls: CallMetrics;
  readonly log: (message: string, error?: unknown) => void;
  readonly options: CollectorOptions;
}): WriterEvents {
  const { late, health, calls, log, options } = of;
  return {
    onChanges: changes => late.live?.publish(changes),
    onVolumes: () => {
      late.reader?.refresh();
      late.asker?.refresh();
      late.forwarding?.refresh();
    },
    onCounts: counts => health.writer(counts),
    onMeasures: report => calls.add(report),
    onLimits: limits => {
      late.asker?.limit(limits);
      late.forwarding?.limit(limits);
    },
    onCrash: error => {
      health.storing(false);
      log('the writer stopped', error);
      options.onCrash?.(error);
    },
  };
}

async function compose(
  server: Server,
  host: string,
  options: CollectorOptions,
): Promise<Collector> {
  const log = options.log ?? (() => undefined);
  const clock = systemClock(randomUUID);
  const health = new Health();
  const calls = new CallMetrics();
  const late: Late = {};
  const events = eventsOf({ late, health, calls, log, options });
  const given: BudgetsGiven = {
    limits: { ...BUDGETS_DEFAULT, ...options.budgets },
    inFile: Object.keys(options.budgets ?? {}),
  };
  const place = placeOf(options);
  const writer = await startWriter(options, { clock, budgets: given, place }, events);
  const reader = await openReader(place);
  const budgets = limitsOf(await reader.budgets(given));
  // Milliseconds in a thousandth place: rises from start to start, exact for centuries.
  const live = new LiveHub(reader, Date.now() * 1_000);
  const nowUnixNs = (): bigint => BigInt(Date.now()) * 1_000_000n;
  const asker =
    options.writer === 'inline'
      ? inlineAsker({ reader, nowUnixNs, budgets })
      : startReaders({ place, budgets });
  late.reader = reader;
  late.asker = asker;
  late.live = live;
  const targets = options.forward ?? [];
  const forwarding = await startForwarding({ place, targets, budgets }, { log });
  late.forwarding = forwarding;
  const ports: AppPorts = {
    writer,
    health,
    live,
    admission: admissionOf(writer, health, options),
    access: accessOf(options, await secretOf(place)),
    isTls: options.tls !== undefined,
    corsOrigins: options.corsOrigins ?? [],
    forwarding,
    asker,
    budgets: () => reader.budgets(given),
    calls,
    clock,
    nowNs: monotonicNs,
    triggers: new TriggerBoard(() => performance.now()),
    ...soundOf(options, reader, nowUnixNs),
    version: VERSION,
    allowedHosts: options.allowedHosts ?? [],
    ...(options.viewerFolder !== undefined && { viewerFolder: options.viewerFolder }),
    log,
  };
  const parts = { live, writer, reader, asker, forwarding };
  return serve({ server, host, options, ports, parts });
}

function placeOf({ data, clickhouse }: CollectorOptions): StorePlace {
  if (clickhouse === undefined) return { folder: data };
  // Secret and forward queue are files all the same.
  mkdirSync(data, { recursive: true });
  return { folder: data, clickhouse: { ...clickhouse, collector: randomUUID() } };
}

const admissionOf = (writer: Writer, health: Health, options: CollectorOptions): Admission =>
  new Admission({
    writer,
    counts: health,
    residentBytes: sampled(process.memoryUsage.rss, Date.now),
    memoryBytesMax: options.maxMemoryBytes ?? MAX_MEMORY_BYTES_DEFAULT,
  });

/** Recordings, where they are kept, and what all data takes with them. */
function soundOf(
  { data, recordings, maxBytes = MAX_BYTES_DEFAULT, retention }: CollectorOptions,
  reader: Pick<StoreReader, 'sizeBytes'>,
  nowUnixNs: () => bigint,
): Pick<AppPorts, 'recordings' | 'dataBytes'> {
  if (recordings !== 'keep') return { dataBytes: () => reader.sizeBytes() };
  const { recordingsNs } = retention ?? {};
  const limits = {
    maxBytes: maxBytes * RECORDINGS_SHARE,
    ...(recordingsNs !== undefined && { maxAgeNs: recordingsNs }),
  };
  const store = new RecordingStore(data, limits, nowUnixNs);
  const dataBytes = async (): Promise<number> => (await reader.sizeBytes()) + store.totalBytes();
  return { recordings: store, dataBytes };
}

/** Where several collectors share a store, a token that one made is good at each. */
const secretOf = ({ folder, clickhouse }: StorePlace): Promise<Uint8Array> | Uint8Array =>
  clickhouse === undefined ? ingestSecret(folder) : sharedSecret(clickhouse);

const accessOf = (
  { token, readToken, liveKit, webhookSecrets }: CollectorOptions,
  secret: Uint8Array,
): Access =>
  new Access({
    ...(token !== undefined && { token }),
    ...(readToken !== undefined && { readToken }),
    ...(liveKit && { liveKit }),
    ...(webhookSecrets && { webhookSecrets }),
    secret,
    nowUnixMs: Date.now,
  });

/** What is closed after the ports. */
interface Parts {
  readonly live: LiveHub;
  readonly writer: Writer;
  readonly reader: StoreReader;
  readonly asker: Asker;
  readonly forwarding: Forwarding;
}

/** Opens the doors: everything behind them is ready. */
async function serve(of: {
  server: Server;
  host: string;
  options: CollectorOptions;
  ports: AppPorts;
  parts: Parts;
}): Promise<Collector> {
  const { server, host, options, ports, parts } = of;
  const more = await listenFurther(host, options, ports);
  server.off('request', tellToComeAgain);
  server.on('request', makeApp(ports));
  const servers = [server, ...(more.ingest ? [more.ingest] : [])];
  const connections = servers.map(one => new Connections(one));
  const url = `${options.tls ? 'https' : 'http'}://${urlHost(host)}:${portOf(server)}`;
  const link = ports.access.link();
  return {
    url,
    port: portOf(server),
    grpcPort: more.grpc?.port,
    ingestPort: more.ingest && portOf(more.ingest),
    loginUrl: link === undefined ? undefined : `${url}/login/${link}`,
    close: onlyOnce(() => stop({ servers, grpc: more.grpc, connections, ...parts })),
  };
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** The ports beside the one: OTLP/gRPC, and one for telemetry only. */
async function listenFurther(
  host: string,
  options: CollectorOptions,
  ports: AppPorts,
): Promise<{ grpc: GrpcReceiver | undefined; ingest: Server | undefined }> {
  const { grpcPort = 'off', ingestPort, tls } = options;
  const ingest = ingestPort === undefined ? undefined : makeServer(tls);
  if (ingest && ingestPort !== undefined) {
    await listen(ingest, host, ingestPort, 'ingest');
    ingest.on('request', makeIngestApp(ports));
  }
  if (grpcPort === 'off') return { grpc: undefined, ingest };
  const { admission, health, access } = ports;
  try {
    const at = { host, port: grpcPort, ...(tls && { tls }) };
    return { grpc: await startGrpc(at, { admission, counts: health, access }), ingest };
  } catch (problem) {
    ingest?.close();
    throw new PortInUseError(host, grpcPort, 'grpc', problem);
  }
}

/** Whoever comes while the store opens (senders, after a `kill -9`) would else wait for ever. */
const tellToComeAgain: RequestListener = (_request, response) =>
  void response.writeHead(503, { 'Retry-After': '1', Connection: 'close' }).end();

function startWriter(
  options: CollectorOptions,
  known: { clock: ClockName; budgets: BudgetsGiven; place: StorePlace },
  events: WriterEvents,
): Promise<Writer> {
  const writerOptions: WriterOptions = {
    ...known.place,
    maxBytes: options.maxBytes ?? MAX_BYTES_DEFAULT,
    ...(options.retention && { retention: options.retention }),
    redact: options.redact ?? [],
    clock: known.clock,
    budgets: known.budgets,
  };
  if (options.writer !== 'inline') return startWriterThread(writerOptions, events);
  const now = { unixNs: () => BigInt(Date.now()) * 1_000_000n, ns: monotonicNs };
  return Promise.resolve().then(() => startInlineWriter(writerOptions, events, now));
}

async function stop(
  parts: Parts & {
    readonly servers: readonly Server[];
    readonly grpc: GrpcReceiver | undefined;
    readonly connections: readonly Connections[];
  },
): Promise<void> {
  const { servers } = parts;
  const closed = servers.map(server => new Promise<void>(resolve => server.close(() => resolve())));
  parts.live.close();
  for (const connections of parts.connections) connections.stop();
  const cut = setTimeout(() => {
    for (const server of servers) server.closeAllConnections();
  }, DRAIN_MS);
  await Promise.all([...closed, parts.grpc?.close()]);
  clearTimeout(cut);
  await parts.writer.close();
  await parts.asker.close();
  await parts.forwarding.close();
  await parts.reader.close();
}

async function listen(server: Server, host: string, port: number, use: PortUse): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (problem) {
    const code = problem instanceof Error && 'code' in problem ? problem.code : '';
    if (code === 'EADDRINUSE') throw new PortInUseError(host, port, use, problem);
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
