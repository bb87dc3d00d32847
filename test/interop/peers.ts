// Real programs as tests hold them: Jaeger with a port for each of its doors,
// a collector of ours as the command that users run, SDKs in their languages.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { CACHE } from './install.mjs';

const FRAMESCOPE = fileURLToPath(
  new URL('../../packages/collector/bin/framescope.js', import.meta.url),
);
const PROGRAMS = fileURLToPath(new URL('programs/', import.meta.url));

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'framescope-interop-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** Ports that were free a moment ago: programs that cannot pick one themselves need a number. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map(server => once(server, 'listening')));
  const ports = servers.map(server => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}

interface JaegerPorts {
  readonly http: number;
  readonly grpc: number;
  readonly query: number;
}

/** Jaeger v2 with Badger in a folder: what it acknowledged is there after a `kill -9`. */
export class Jaeger {
  readonly ports: JaegerPorts;
  readonly #config: string;
  #child: ChildProcess | undefined;
  #log = '';

  private constructor(ports: JaegerPorts, config: string) {
    this.ports = ports;
    this.#config = config;
  }

  /** `memory`: keeps the kind of operations, which Badger loses. */
  static async start(storage: 'badger' | 'memory' = 'badger'): Promise<Jaeger> {
    const folder = temporaryFolder();
    const [http = 0, grpc = 0, query = 0, queryGrpc = 0] = await freePorts(4);
    const config = join(folder, 'jaeger.yaml');
    writeFileSync(config, configOf({ http, grpc, query, queryGrpc, folder, storage }));
    const jaeger = new Jaeger({ http, grpc, query }, config);
    await jaeger.run();
    onTestFinished(() => jaeger.kill());
    return jaeger;
  }

  /** Starts it (again) on what it has stored, and waits until it answers. */
  async run(): Promise<void> {
    const child = spawn(join(CACHE, 'bin', 'jaeger'), ['--config', this.#config], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.#log = (this.#log + String(chunk)).slice(-4_000)));
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`Jaeger ended: ${this.#log}`);
      const answer = await fetch(`http://127.0.0.1:${this.ports.query}/api/services`).catch(
        () => undefined,
      );
      if (answer?.ok) return;
      await sleep(50);
    }
  }

  /** `kill -9`, and gone when this returns. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async get(path: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.ports.query}${path}`);
    const text = await response.text();
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Spans of a trace by `/api/traces/{id}`, with `parent` found; empty while there is none. */
  async spans(traceId: string): Promise<JaegerSpan[]> {
    const { data } = (await this.get(`/api/traces/${traceId}`)) as { data: JaegerTrace[] | null };
    return (data?.[0]?.spans ?? []).map(span => ({
      ...span,
      parent: span.references.find(one => one.refType === 'CHILD_OF')?.spanID,
    }));
  }
}

export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  /** Unix µs. */
  readonly startTime: number;
  /** µs */
  readonly duration: number;
  readonly references: readonly { refType: string; traceID: string; spanID: string }[];
  readonly tags: readonly { key: string; type: string; value: unknown }[];
  readonly logs: readonly {
    timestamp: number;
    fields: readonly { key: string; value: unknown }[];
  }[];
  readonly parent: string | undefined;
}

interface JaegerTrace {
  readonly spans: readonly JaegerSpan[];
}

const configOf = (of: {
  http: number;
  grpc: number;
  query: number;
  queryGrpc: number;
  folder: string;
  storage: 'badger' | 'memory';
}): string => `
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    # No batch processor: what is acknowledged is stored.
    traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] }
  telemetry:
    metrics: { level: none }
    logs: { level: warn }
extensions:
  jaeger_query:
    storage: { traces: main }
    http: { endpoint: '127.0.0.1:${of.query}' }
    grpc: { endpoint: '127.0.0.1:${of.queryGrpc}' }
  jaeger_storage:
    backends:
      main:
        ${
          of.storage === 'memory'
            ? 'memory: { max_traces: 10000 }'
            : `badger: { directories: { keys: '${of.folder}/keys', values: '${of.folder}/values' }, ephemeral: false }`
        }
receivers:
  otlp:
    protocols:
      http: { endpoint: '127.0.0.1:${of.http}' }
      grpc: { endpoint: '127.0.0.1:${of.grpc}' }
exporters:
  jaeger_storage_exporter: { trace_storage: main }
`;

/** The `framescope` command. */
export class Framescope {
  url = '';
  grpcPort = 0;
  readonly #child: ChildProcess;
  #stderr = '';

  private constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [FRAMESCOPE, 'serve', '--port', '0', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += String(chunk)));
  }

  static async start(...args: readonly string[]): Promise<Framescope> {
    const framescope = new Framescope(['--data', temporaryFolder(), ...args]);
    onTestFinished(() => framescope.stop());
    let stdout = '';
    for await (const chunk of framescope.#child.stdout as AsyncIterable<Buffer>) {
      stdout += String(chunk);
      const url = /is ready on (http\S+)/.exec(stdout)?.[1];
      if (url === undefined) continue;
      framescope.url = url;
      framescope.grpcPort = Number(/gRPC on port (\d+)/.exec(framescope.#stderr)?.[1]);
      return framescope;
    }
    throw new Error(`framescope ended: ${framescope.#stderr}`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }

  async get(path: string): Promise<unknown> {
    return (await fetch(this.url + path)).json();
  }

  async post(body: object): Promise<void> {
    const response = await fetch(`${this.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  }
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  go: [join(CACHE, 'bin', 'interop-go')],
  python: [join(CACHE, 'python', 'bin', 'python'), join(PROGRAMS, 'sdk.py')],
  javascript: [process.execPath, join(PROGRAMS, 'sdk.mjs')],
  telemetrygen: [join(CACHE, 'bin', 'telemetrygen')],
};

/** Runs a program to its end; answers what it printed. @throws with its stderr when it fails. */
export async function runProgram(name: string, args: readonly string[]): Promise<string> {
  const [command = '', ...first] = COMMANDS[name] ?? [];
  const child = spawn(command, [...first, ...args], {
    env: { ...process.env, INTEROP_PACKAGES: join(CACHE, 'javascript') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${stderr.slice(-2_000)}`);
  return stdout.trim();
}
