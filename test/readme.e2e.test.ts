// What the README shows, tried: its code compiles as it stands, and run in a pipeline it gives
// the session, the frames and the turn that the text around it promises.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startCollector } from 'framescope';
import type { Page, SessionSummary } from '@framescope/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What the sample takes as given, with the types a user of `ws` has. */
const SURROUNDINGS = `
import type { WebSocket } from 'ws';
interface Given {
  readonly callSid: string;
  readonly region: string;
  readonly socket: WebSocket;
  readonly endTick: number;
  readonly reply: AsyncIterable<string>;
  readonly speak: (token: string) => void;
}`;

/** The README's code as a module: its imports, then its lines as the body of one function. */
function moduleOf(code: string): string {
  const lines = code.split('\n');
  const imports = lines.filter(line => line.startsWith('import '));
  const body = lines.filter(line => !line.startsWith('import '));
  return [
    ...imports,
    SURROUNDINGS,
    'export async function sample({ callSid, region, socket, endTick, reply, speak }: Given): Promise<Framescope> {',
    ...body,
    'return scope;',
    '}',
  ].join('\n');
}

/** A folder inside the repository, so that packages are found as a user's `node_modules` would. */
function workFolder(): string {
  const parent = join(ROOT, '.framescope');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'readme-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Compiles the module as a strict user would; the path of what came out. */
function compile(source: string): string {
  const folder = workFolder();
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'sample.ts'), source);
  const compilerOptions = {
    strict: true,
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['sample.ts'] }),
  );
  const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
  const { stdout } = spawnSync(process.execPath, [join(tsc, '../bin/tsc'), '-p', folder], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
  return join(folder, 'sample.js');
}

const samples = [
  ...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs),
].map(match => match[1]!);

/** A socket into a pipeline, with someone on the other end who talks. */
async function socketPair(): Promise<{ near: WebSocket; far: WebSocket }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => server.close());
  await once(server, 'listening');
  const far = new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
  const [near] = (await once(server, 'connection')) as [WebSocket];
  if (far.readyState !== WebSocket.OPEN) await once(far, 'open');
  return { near, far };
}

async function* words(): AsyncGenerator<string> {
  yield* ['Good', ' evening'];
}

test('the README shows one sample of our own package', () => {
  expect(samples).toHaveLength(1);
});

test("the README's sample compiles, and run in a pipeline it gives a session with its frames and a turn", async () => {
  const program = compile(moduleOf(samples[0]!));
  const data = workFolder();
  const collector = await startCollector({ data, port: 0 });
  onTestFinished(() => collector.close());
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { sample } = (await import(pathToFileURL(program).href)) as {
    sample(given: object): Promise<{ shutdown(): Promise<unknown> }>;
  };
  const { near, far } = await socketPair();
  const spoken: string[] = [];
  const scope = await sample({
    callSid: 'call-of-the-readme',
    region: 'eu',
    socket: near,
    endTick: 0,
    reply: words(),
    speak: (token: string) => spoken.push(token),
  });
  for (let frame = 0; frame < 50; frame++) far.send(new Uint8Array(640));
  far.close();
  await once(near, 'close');
  await scope.shutdown();

  expect(spoken).toEqual(['Good', ' evening']);
  const session = await vi.waitFor(async () => {
    const page = await fetch(`${collector.url}/api/v1/sessions`);
    const [first] = ((await page.json()) as Page<SessionSummary>).items;
    expect(first).toMatchObject({ id: 'call-of-the-readme', turnCount: 1 });
    return first!;
  }, 20_000);
  const detail = await fetch(`${collector.url}/api/v1/sessions/${session.key}/timeline`);
  expect(JSON.stringify(await detail.json())).toContain('receive');
});
