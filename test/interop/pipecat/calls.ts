// A call of examples/pipecat with one version of Pipecat, to a running collector: what was done, when the
// program stood still, and what the collector made of it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SessionDetail, Turn } from '@framescope/protocol';
import { expect, onTestFinished } from 'vitest';
import type { Deed, Truth } from '../../../packages/collector/test/support/pipecat-truth.ts';
import { Framescope, temporaryFolder } from '../peers.ts';
import { AGAIN_MAX, STOOD_STILL_MS, Stalls, type Gap } from '../stalls.ts';
import { pythonOf } from './install.mjs';

export const EXAMPLE = fileURLToPath(new URL('../../../examples/pipecat/', import.meta.url));
const WATCHED = fileURLToPath(new URL('../programs/pipecat_watched.py', import.meta.url));
const FIXTURES = fileURLToPath(
  new URL('../../../packages/collector/test/recognise/fixtures/', import.meta.url),
);

/** Beyond this a part is wrong: the framework reads its clock beside the event. */
export const PART_ERROR_MS = 5;

export interface Called {
  readonly framescope: Framescope;
  /** Where the log and the recording are. */
  readonly folder: string;
  readonly session: SessionDetail;
  readonly turns: readonly Turn[];
  readonly log: readonly Deed[];
  readonly stalls: Stalls;
}

/** Passes bodies on, and keeps them. */
async function tee(to: string): Promise<{ url: string; bodies: Buffer[] }> {
  const bodies: Buffer[] = [];
  const server = createHttp((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const headers = { 'content-type': request.headers['content-type'] ?? '' };
      if (headers['content-type'].includes('protobuf')) bodies.push(body);
      void fetch(to + request.url, { method: 'POST', headers, body }).then(async answer => {
        response.writeHead(answer.status, headers);
        response.end(Buffer.from(await answer.arrayBuffer()));
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

/** Of the calls of the attempt that runs. */
let longestStallMs = 0;

/** A test that is led again where it failed and its program had stood still for long; else it fails at once. */
export const steadily = (body: () => Promise<void>) => async (): Promise<void> => {
  for (let again = 0; ; again++) {
    longestStallMs = 0;
    try {
      return await body();
    } catch (problem) {
      if (longestStallMs < STOOD_STILL_MS || again === AGAIN_MAX) throw problem;
      console.log(`stood still for ${longestStallMs.toFixed(0)} ms, once more: ${String(problem)}`);
    }
  }
};

export const unixNs = (seconds: number): bigint => BigInt(Math.round(seconds * 1e6)) * 1_000n;

/** How far a part may be off: 5 ms, and as long as the program stood still at its ends. */
export function withinMs({ stalls }: Called, truth: Truth, part: string): number {
  const edges = truth.edges[part] ?? [];
  return edges.reduce((sum, at) => sum + stalls.around(unixNs(at)), PART_ERROR_MS);
}

export async function call(version: string, kind: string, ...more: string[]): Promise<Called> {
  const framescope = await Framescope.start();
  const between = await tee(framescope.url);
  const folder = temporaryFolder();
  const stallsPath = join(folder, 'stalls.json');
  const args = ['--endpoint', between.url, '--only', kind, '--log', folder, ...more];
  const python = spawn(pythonOf(version), [WATCHED, EXAMPLE, stallsPath, ...args], {
    cwd: EXAMPLE,
    // The host's name would stand in the resource.
    env: { ...process.env, HOSTNAME: 'scrubbed', PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [python.stdout, python.stderr])
    stream.on('data', (chunk: Buffer) => (said = (said + String(chunk)).slice(-6_000)));
  const [code] = (await once(python, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`calls.py with Pipecat ${version}: ${said}`);
  const log = JSON.parse(readFileSync(join(folder, `${kind}.json`), 'utf8')) as Deed[];
  const stalls = new Stalls(JSON.parse(readFileSync(stallsPath, 'utf8')) as Gap[]);
  longestStallMs = Math.max(longestStallMs, stalls.longestMs);
  const exchanges = log.filter(deed => deed.what === 'exchange').length;
  const session = await sessionOf(framescope, exchanges);
  const { items } = (await framescope.get(`/api/v1/sessions/${session.key}/turns`)) as {
    items: Turn[];
  };
  if (process.env['FRAMESCOPE_CAPTURE'] === '1' && more.length === 0)
    keep({ version, kind, args: args.slice(2), log, bodies: between.bodies });
  return { framescope, folder, session, turns: items, log, stalls };
}

export async function sessionOf(framescope: Framescope, turnCount: number): Promise<SessionDetail> {
  let found: SessionDetail | undefined;
  await expect
    .poll(
      async () => {
        const { items } = (await framescope.get('/api/v1/sessions')) as {
          items: { key: string }[];
        };
        found =
          items[0] && ((await framescope.get(`/api/v1/sessions/${items[0].key}`)) as SessionDetail);
        return [items.length, found?.turnCount];
      },
      { timeout: 15_000 },
    )
    .toEqual([1, turnCount]);
  return found!;
}

interface Kept {
  readonly version: string;
  readonly kind: string;
  readonly args: readonly string[];
  readonly log: readonly Deed[];
  readonly bodies: readonly Buffer[];
}

function keep({ version, kind, args, log, bodies }: Kept): void {
  mkdirSync(FIXTURES, { recursive: true });
  const fixture = {
    header: {
      package: 'pipecat-ai',
      version,
      command: `FRAMESCOPE_CAPTURE=1 npm run test:interop -- pipecat (calls.py ${args.slice(0, 2).join(' ')})`,
      date: new Date().toISOString().slice(0, 10),
      scrubbed: 'sent with HOSTNAME=scrubbed; the words are the script’s',
    },
    log,
    bodies: bodies.map(body => body.toString('base64')),
  };
  const path = join(FIXTURES, `pipecat-${version}-${kind}.json`);
  writeFileSync(path, `${JSON.stringify(fixture, null, 1)}\n`);
}
