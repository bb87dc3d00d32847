// `npx framescope` as a user gets it: packed, installed into an empty folder, started.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { findNpm } from '../scripts/setup/npm.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function npm(folder: string, ...args: readonly string[]): void {
  const script = findNpm(process.env, process.execPath);
  if (script === undefined) throw new Error('npm was not found');
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stderr.slice(-2_000)}`);
}

/** A folder where nothing of the workspace is found by looking upwards. */
function installed(): string {
  const folder = mkdtempSync(join(tmpdir(), 'framescope-packed-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const tarballs = join(folder, 'tarballs');
  mkdirSync(tarballs);
  for (const name of ['protocol', 'collector'])
    npm(join(ROOT, 'packages', name), 'pack', '--ignore-scripts', '--pack-destination', tarballs);
  const files = readdirSync(tarballs).map(file => `./tarballs/${file}`);
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  npm(
    folder,
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    ...files,
  );
  bringAddon(folder);
  return folder;
}

/** What better-sqlite3's install script downloads, or compiles for minutes: the workspace has it. */
function bringAddon(folder: string): void {
  const addon = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node';
  cpSync(join(ROOT, addon), join(folder, addon));
}

async function readyUrl(child: ChildProcess): Promise<string> {
  let [stdout, stderr] = ['', ''];
  child.stderr?.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    stdout += String(chunk);
    const url = /is ready on (http\S+)/.exec(stdout)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`framescope ended: ${stderr}`);
}

test('packed and installed into an empty folder it starts, takes a span and serves its page', async () => {
  const folder = installed();
  const command = join(folder, 'node_modules/.bin/framescope');
  const child = spawn(command, ['--port', '0'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await readyUrl(child);
  expect(await (await fetch(`${url}/healthz`)).text()).toBe('ok\n');
  const page = await (await fetch(`${url}/`)).text();
  const script = /src="(\/?[^"]+\.js)"/.exec(page)?.[1] ?? '';
  expect((await fetch(new URL(script, `${url}/`))).headers.get('content-type')).toMatch(
    /javascript/,
  );
  const span = {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    name: 'work',
    startTimeUnixNano: '1700000000000000000',
    endTimeUnixNano: '1700000001000000000',
  };
  const sent = await fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
  });
  expect(sent.status).toBe(200);
  expect((await fetch(`${url}/api/v1/traces/${span.traceId}`)).status).toBe(200);
  expect(readdirSync(folder)).toContain('framescope-data');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
}, 240_000);
