// Serves the page, and connects its calls with the parrot.
//
//   node examples/browser-webrtc/out/server.js [--port 8088] [--delay-ms 2000]

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { Parrot } from './parrot.ts';

const OFFER_BYTES_MAX = 64 * 1_024;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The page's script as one file, as any bundler would make it. */
async function bundle(): Promise<string> {
  const built = await build({
    root: here('..'),
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      lib: { entry: here('page.js'), formats: ['es'], fileName: 'page' },
      rollupOptions: { output: { codeSplitting: false } },
    },
  });
  const [first] = Array.isArray(built) ? built : [built];
  if (first === undefined || !('output' in first)) throw new Error('nothing was built');
  return first.output[0].code;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > OFFER_BYTES_MAX) throw new Error('an offer is smaller than 64 KiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

async function start(port: number, delayMs: number): Promise<void> {
  const [script, html] = await Promise.all([bundle(), readFile(here('../page.html'), 'utf8')]);
  const parrot = new Parrot(delayMs);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.split('?', 1)[0];
    const send = (type: string, body: string): void =>
      void response.setHeader('content-type', type).end(body);
    if (request.method === 'POST' && path === '/offer')
      return send('application/sdp', await parrot.answer(await textOf(request)));
    if (path === '/') return send('text/html; charset=utf-8', html);
    if (path === '/page.js') return send('text/javascript', script);
    response.writeHead(404).end();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((cause: unknown) => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(String(cause));
    });
  });
  server.listen(port, '127.0.0.1', () => {
    const { port: taken } = server.address() as AddressInfo;
    process.stdout.write(`Open http://127.0.0.1:${taken} in a browser, with a collector running\n`);
  });
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
    void parrot.close();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8088' },
    'delay-ms': { type: 'string', default: '2000' },
  },
});
const [port, delayMs] = [Number(values.port), Number(values['delay-ms'])];
if (!(port >= 0 && port < 65_536 && delayMs >= 0 && delayMs <= 60_000)) {
  process.stderr.write('--port is 0 to 65535, --delay-ms 0 to 60000\n');
  process.exitCode = 1;
} else await start(port, delayMs);
