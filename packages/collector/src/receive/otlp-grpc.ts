// OTLP over gRPC: the three services on a port of their own. Bodies come as
// bytes and go to the same admission as HTTP's; there is no .proto here. Who may
// not write is told so by the headers alone, before any of the body is read.
//
// Refusals that a client may retry say so in `grpc-status-details-bin`
// (RetryInfo): by OTLP a RESOURCE_EXHAUSTED without it is final.

import {
  Metadata,
  ResponderBuilder,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status as GRPC,
  type sendUnaryData,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import type { Signal } from '../decode/by-signal.ts';
import type { Access } from '../serve/access.ts';
import type { Body } from '../writer/messages.ts';
import type { Admission, ReceiveCounts, Verdict } from './admission.ts';
import { BODY_BYTES_MAX } from './limits.ts';
import { exportResponse, RPC, statusWithRetry } from './otlp-answer.ts';

const SERVICES: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
};

/** Calls of one connection at a time; SDKs have one under way, gateways a dozen. */
const STREAMS_MAX = 32;

/** A connection that says nothing so long is asked whether it still lives. */
const KEEP_ALIVE_MS = 60_000;

export interface GrpcPorts {
  readonly admission: Admission;
  readonly counts: ReceiveCounts;
  readonly access: Pick<Access, 'mayWrite'>;
}

export interface GrpcOptions {
  readonly host: string;
  readonly port: number;
  /** PEM; absent: no TLS. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
}

export interface GrpcReceiver {
  readonly port: number;
  /** Answers what is under way, then lets go of the port. */
  close(): Promise<void>;
}

/** @throws the error of the operating system when the port cannot be had. */
export async function startGrpc(options: GrpcOptions, ports: GrpcPorts): Promise<GrpcReceiver> {
  const server = new Server({
    // Of the body as sent, and again of the body as decompressed.
    'grpc.max_receive_message_length': BODY_BYTES_MAX,
    'grpc.max_concurrent_streams': STREAMS_MAX,
    'grpc.keepalive_time_ms': KEEP_ALIVE_MS,
    interceptors: [guard(ports)],
  });
  for (const [signal, service] of Object.entries(SERVICES))
    server.addService(definition(service), { export: exporter(signal as Signal, ports) });
  const port = await bind(server, options);
  return { port, close: () => close(server) };
}

const bytes = (buffer: Buffer): Buffer => buffer;

const definition = (service: string): ServiceDefinition => ({
  export: {
    path: `/${service}/Export`,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
});

/** `authorization` of a call. */
function authorizationOf(metadata: Metadata): string | undefined {
  const [given] = metadata.get('authorization');
  return typeof given === 'string' ? given : undefined;
}

/** Refuses by the headers: gRPC reads a body only once a call's metadata was passed on. */
const guard =
  ({ counts, access }: GrpcPorts): ServerInterceptor =>
  (method, call) => {
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, passOn) => {
        const right = access.mayWrite(authorizationOf(metadata));
        if (right.kind !== 'none') return passOn(metadata);
        counts.requests(nameOf(RPC.unauthenticated), signalOf(method.path));
        call.sendStatus({ code: RPC.unauthenticated, details: right.why });
      })
      .build();
    const responder = new ResponderBuilder().withStart(next => next(listener)).build();
    return new ServerInterceptingCall(call, responder);
  };

/** Of the three services; another path is none of ours, and never comes here. */
const signalOf = (path: string): Signal =>
  (Object.keys(SERVICES) as Signal[]).find(one => path === `/${SERVICES[one]}/Export`) ?? 'traces';

type Export = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => void;

const exporter =
  (signal: Signal, { admission, counts, access }: GrpcPorts): Export =>
  (call, answer) => {
    const right = access.mayWrite(authorizationOf(call.metadata));
    if (right.kind === 'none') {
      // An ingest token that expired while its body came.
      counts.requests(nameOf(RPC.unauthenticated), signal);
      answer({ code: RPC.unauthenticated, details: right.why });
      return;
    }
    // gRPC's buffers come out of a pool; the writer's thread wants one of its own.
    const body: Body = {
      bytes: Uint8Array.from(call.request),
      encoding: 'protobuf',
      signal,
      ...(right.kind === 'session' && { onlySession: right.sessionId }),
    };
    void admission.store(body).then(verdict => {
      counts.requests(nameOf(codeOf(verdict)), signal);
      send(verdict, signal, answer);
    });
  };

function send(verdict: Verdict, signal: Signal, answer: sendUnaryData<Buffer>): void {
  if (verdict.kind === 'taken') {
    answer(null, exportResponse('protobuf', signal, verdict));
    return;
  }
  const code = codeOf(verdict);
  const metadata = new Metadata();
  if (verdict.kind !== 'malformed')
    metadata.set(
      'grpc-status-details-bin',
      statusWithRetry(code, verdict.message, verdict.retryAfterSeconds),
    );
  answer({ code, details: verdict.message, metadata });
}

function codeOf(verdict: Verdict): number {
  if (verdict.kind === 'taken') return RPC.ok;
  if (verdict.kind === 'malformed') return RPC.invalidArgument;
  return verdict.kind === 'full' ? RPC.resourceExhausted : RPC.unavailable;
}

const nameOf = (code: number): string => GRPC[code] ?? String(code);

function bind(server: Server, { host, port, tls }: GrpcOptions): Promise<number> {
  const credentials = tls
    ? ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }])
    : ServerCredentials.createInsecure();
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (problem, bound) =>
      problem ? reject(problem) : resolve(bound),
    );
  });
}

/** Calls that are under way so long after a call to stop are cut off. */
const DRAIN_MS = 5_000;

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    const cut = setTimeout(() => server.forceShutdown(), DRAIN_MS);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
