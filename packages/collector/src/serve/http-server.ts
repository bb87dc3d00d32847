// The HTTP server: with or without TLS, and with limits on how long and how
// much a connection may take before a request of it is understood.

import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

/** PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Longer than any exporter's or probe's interval: a cold connection would disturb clock probes. */
const KEEP_ALIVE_MS = 65_000;

/** Headers that come a byte at a time would hold connections for nothing. */
const HEADERS_MS = 10_000;

/** A body of 16 MiB on a line of 2 Mbit/s. */
const REQUEST_MS = 70_000;

/** Request line and headers together: ours need a tenth; longer ones are 431. */
const HEADER_BYTES_MAX: number = 16 * 1024;

/** Open connections; the next ones wait in the system's queue, then are refused. */
const CONNECTIONS_MAX = 4_096;

export function makeServer(tls: TlsFiles | undefined): Server {
  const options: ServerOptions = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
    // Two requests in one by a Content-Length beside chunks: refused, whatever Node's flags say.
    insecureHTTPParser: false,
  };
  const server = tls ? createTlsServer({ ...options, ...tls }) : createServer(options);
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}
