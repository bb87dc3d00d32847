// What must hold of the built package on every platform: no Node in a browser's
// bundle, no platform below the entries, no byte a mark; and a page that goes
// away still tells what it knew.

import { spawn, spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build } from 'vite';
import { launchBrowser, type TestBrowser } from '../../../test/browser.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const root = here('../../..');

function node(...args: string[]): { code: number | null; output: string } {
  const run = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  return { code: run.status, output: run.stdout + run.stderr };
}

const tsc = (project: string): { code: number | null; output: string } =>
  node('node_modules/typescript/bin/tsc', '-p', `packages/instrument/${project}`);

test('everything below the entries compiles with neither DOM nor Node types', () => {
  expect(tsc('tsconfig.neutral.json')).toEqual({ code: 0, output: '' });
});

test('the browser entry compiles with no Node types', () => {
  expect(tsc('tsconfig.browser.json')).toEqual({ code: 0, output: '' });
});

test('a mark allocates nothing, and a clock that does is noticed', () => {
  const gate = 'packages/instrument/gates/bytes-per-mark.mjs';
  const { code, output } = node(gate);
  expect(output).toMatch(/ bytes a mark /);
  expect(code).toBe(0);
  expect(node(gate, '--broken').code).toBe(1);
});

/** The browser entry as one file, as a user's bundler makes it. */
async function bundle(): Promise<string> {
  const built = await build({
    root: here('..'),
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      lib: { entry: here('../out/index.browser.js'), formats: ['es'] },
      rollupOptions: { output: { codeSplitting: false } },
    },
  });
  const output = Array.isArray(built) ? built[0] : built;
  if (output === undefined || !('output' in output)) throw new Error('vite built nothing');
  return output.output[0].code;
}

/** A page that takes part in a call. As text: what vitest compiles does not run in a page. */
const PAGE = `<!doctype html><link rel="icon" href="data:,"><script type="module">
  import { Framescope, Link } from '/instrument.js';
  const problems = [];
  const onProblem = ({ message }) => problems.push(message);
  const scope = new Framescope({ serviceName: 'page', role: 'client', endpoint: location.origin, flushMs: 60000, onProblem });
  const call = scope.startSession({ id: 'a call in a page' });
  const mic = call.stream('mic', { sampleRate: 48000 });
  for (let i = 0; i < 10; i++) mic.hop('capture').mark(960);
  globalThis.told = { problems, text: new Link(call).anchor(mic) };
</script>`;

let bundled = '';
let server: Server;
let url = '';
let browser: TestBrowser;
const bodies: Buffer[] = [];

beforeAll(async () => {
  bundled = await bundle();
  server = createServer((request, response) => {
    if (request.url === '/') return void response.setHeader('content-type', 'text/html').end(PAGE);
    if (request.url === '/instrument.js')
      return void response.setHeader('content-type', 'text/javascript').end(bundled);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'POST') bodies.push(Buffer.concat(chunks));
      response.end(request.method === 'POST' ? undefined : '{}');
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

test('a bundle for browsers reaches no module of Node', () => {
  expect(
    bundled.match(/from\s*['"](node:[^'"]+|fs|http|os|module)['"]|__vite-browser-external/g),
  ).toBe(null);
  expect(bundled).toContain('audio.frames');
});

test('a page that goes away sends what it marked', async () => {
  const { page, problems } = await browser.open(url);
  const told = await page.evaluate(
    () => (globalThis as unknown as { told: Promise<{ problems: string[]; text: string }> }).told,
  );
  expect(told.problems).toEqual([]);
  expect(told.text).toMatch(/^{"framescope":"/);
  expect(bodies.length).toBe(0);
  await page.goto('about:blank');
  await expect.poll(() => bodies.some(body => body.includes('framescope.record'))).toBe(true);
  expect(bodies[0]?.includes('a call in a page')).toBe(true);
  expect(problems()).toEqual([]);
});

/** A program that makes no scope, traces a socket in one line, and ends. */
const PROGRAM = `
  import { EventEmitter } from 'node:events';
  import { traceWebSocket } from '@framescope/instrument/websocket';
  const socket = Object.assign(new EventEmitter(), { send() {} });
  traceWebSocket(socket);
  for (let i = 0; i < 5; i++) socket.emit('message', Buffer.alloc(640), true);
  socket.emit('close');
`;

test('an adapter in a program without a scope sends where the environment says', async () => {
  bodies.length = 0;
  const env = {
    ...process.env,
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_SERVICE_NAME: 'one-liner',
  };
  const args = ['--input-type=module', '-e', PROGRAM];
  const child = spawn(process.execPath, args, { cwd: here('..'), env, stdio: 'inherit' });
  expect(await new Promise(resolve => child.on('exit', resolve))).toBe(0);
  // Not the only ones: a page that went away may still be sending what it had.
  const sent = bodies
    .map(body => body.toString())
    .find(text => text.includes('framescope.record') && text.includes('one-liner'));
  expect(sent).toMatch(/websocket-[0-9a-f]{16}/);
});
