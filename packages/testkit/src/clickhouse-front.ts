// ClickHouse's HTTP interface over the engine in process (the npm package `chdb`), for tests where no
// server is at hand: the official client goes over the wire to it.
//
//   node clickhouse-front.js --chdb FOLDER --data FOLDER [--port N]     prints its URL, then serves
//
// It is no friendlier than a server: errors carry the engine's code and text, an error may come in the
// body after 200, and `POST /test/faults` makes answers slow, refuses them, or cuts connections.
//
// One statement runs at a time: the engine in process has one session, where a server has one for each
// request. Rates over it say nothing about a server.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';

/** What of the engine is used. */
interface Engine {
  queryAsync(sql: string, options: { format: string }): Promise<{ bytes(): Uint8Array }>;
  insert(params: {
    table: string;
    columns?: readonly string[];
    values: Buffer;
    format: string;
    settings: Record<string, string | number>;
  }): Promise<{ rowsWritten: number }>;
  close(): void;
}

/** How the next answers go wrong; each counts down. */
interface Faults {
  /** Answers that come after so long. */
  delayMs?: number;
  /** So many requests are cut with no answer. */
  drop?: number;
  /** So many are cut after their work was done. */
  dropAfter?: number;
  /** So many are refused with this code of ClickHouse, e.g. 241 (memory), 243 (disk), 164 (read-only). */
  refuse?: number;
  code?: number;
  /** So many answer 200 with the error at the end of the body, as a server does that fails midway. */
  late?: number;
}

const INSERT = /^\s*INSERT INTO\s+([\w.]+)\s*(?:\(([^)]*)\))?\s*FORMAT\s+(\w+)\s*/i;

class Front {
  readonly #engine: Engine;
  #faults: Faults = {};
  #queue: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://front');
    const body = await bodyOf(request);
    if (url.pathname === '/ping') return void response.end('Ok.\n');
    if (url.pathname === '/test/faults') {
      this.#faults = JSON.parse(String(body)) as Faults;
      return void response.end('{}');
    }
    const { delayMs = 0 } = this.#faults;
    if (delayMs > 0) await new Promise(done => setTimeout(done, delayMs));
    if (this.#takes('drop')) return void request.socket.destroy();
    if (this.#takes('refuse')) return refuse(response, this.#faults.code ?? 241);
    const work = this.#queue.then(() => this.#run(url, body));
    this.#queue = work.catch(() => undefined);
    try {
      const bytes = await work;
      if (this.#takes('dropAfter')) return void request.socket.destroy();
      response.setHeader('X-ClickHouse-Summary', '{}');
      if (this.#takes('late')) return void response.end(`${bytes.toString()}\n${LATE_ERROR}`);
      response.end(bytes);
    } catch (problem) {
      fail(response, problem);
    }
  }

  #takes(kind: 'drop' | 'dropAfter' | 'refuse' | 'late'): boolean {
    const left = this.#faults[kind] ?? 0;
    if (left > 0) this.#faults[kind] = left - 1;
    return left > 0;
  }

  async #run(url: URL, body: Buffer): Promise<Buffer> {
    const inQuery = url.searchParams.get('query');
    const database = url.searchParams.get('database');
    if (database !== null && database !== '') await this.#query(`USE ${database}`);
    for (const [name, value] of url.searchParams)
      if (name.startsWith('param_')) await this.#query(`SET ${name} = ${quoted(value)}`);
    const insert = inQuery === null ? null : INSERT.exec(inQuery);
    if (insert !== null) return this.#insert(insert, url, body);
    for (const [name, value] of url.searchParams)
      if (!isOfRequest(name)) await this.#query(`SET ${name} = ${quoted(value)}`);
    return this.#query(inQuery === null ? String(body) : `${inQuery}\n${String(body)}`);
  }

  async #query(sql: string): Promise<Buffer> {
    const result = await this.#engine.queryAsync(sql, { format: 'TabSeparated' });
    return Buffer.from(result.bytes());
  }

  async #insert(of: RegExpExecArray, url: URL, body: Buffer): Promise<Buffer> {
    const [, table = '', columns, format = ''] = of;
    const settings: Record<string, string | number> = {};
    for (const [name, value] of url.searchParams)
      if (/^(insert_|async_insert|input_format_|date_time_input_format)/.test(name))
        settings[name] = value;
    if (body.length === 0) return Buffer.alloc(0);
    await this.#engine.insert({
      table,
      values: body,
      format,
      settings,
      ...(columns !== undefined && { columns: columns.split(',').map(one => one.trim()) }),
    });
    return Buffer.alloc(0);
  }
}

/** What is no setting among the parameters of a request. */
const isOfRequest = (name: string): boolean =>
  /^(query|query_id|database|session_id|role|user|password|compress|decompress)$/.test(name) ||
  name.startsWith('param_');

const LATE_ERROR =
  'Code: 241. DB::Exception: Memory limit exceeded: the answer ends here. (MEMORY_LIMIT_EXCEEDED)\n';

/** As the parameters of a URL are written: the engine unescapes them once more. */
const quoted = (value: string): string =>
  `'${value.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
}

function refuse(response: ServerResponse, code: number): void {
  fail(response, new Error(`Code: ${code}. DB::Exception: refused as told. (TEST_FAULT)`));
}

function fail(response: ServerResponse, problem: unknown): void {
  const text = problem instanceof Error ? problem.message : String(problem);
  const code = /Code: (\d+)\./.exec(text)?.[1] ?? '1002';
  response.writeHead(500, { 'X-ClickHouse-Exception-Code': code });
  response.end(text);
}

const { values } = parseArgs({
  options: { chdb: { type: 'string' }, data: { type: 'string' }, port: { type: 'string' } },
});
const load = createRequire(join(values.chdb ?? '.', 'package.json'));
const { Session } = load('chdb') as { Session: new (path: string) => Engine };
const engine = new Session(values.data ?? '.');
const front = new Front(engine);
const server = createServer((request, response) => {
  front.answer(request, response).catch((problem: unknown) => fail(response, problem));
});
server.listen(Number(values.port ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    server.close();
    server.closeAllConnections();
    engine.close();
  });
