import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { CollectorProcess, runCommand } from '../support/process.ts';
import { bodyOf, spanJson, attribute } from '../support/otlp-bodies.ts';
import { temporaryFolder } from '../support/spans.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

function start(folder: string, ...args: string[]): CollectorProcess {
  const collector = new CollectorProcess(['serve', '--port', '0', '--data', folder, ...args]);
  onTestFinished(async () => void (await collector.kill('SIGKILL')));
  return collector;
}

test('a ready collector says one line on stdout, with the port it picked', async () => {
  const collector = start(temporaryFolder());
  const url = await collector.ready();
  expect(collector.stdout).toBe(`Framescope is ready on ${url}\n`);
  expect(await (await fetch(`${url}/readyz`)).text()).toBe('storing\n');
});

test('every command answers --help with what all of them take', async () => {
  for (const command of ['serve', 'export', 'check', 'sql']) {
    const { code, stdout, stderr } = await runCommand(command, '--help');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`framescope \\[?${command}\\b`));
  }
});

test('SIGTERM ends a collector with code 0, after its answers', async () => {
  const collector = start(temporaryFolder());
  const url = await collector.ready();
  // A page that listens must not keep it alive.
  const live = await fetch(`${url}/api/v1/live`);
  const { code } = await collector.kill('SIGTERM');
  expect([live.status, code]).toEqual([200, 0]);
});

test('a port in use is named, with the flag that moves it', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  onTestFinished(() => void holder.close());
  const { port } = holder.address() as AddressInfo;
  const { code, stderr, stdout } = await runCommand(
    '--port',
    String(port),
    '--data',
    temporaryFolder(),
  );
  expect(stderr).toBe(
    `framescope: port ${port} on 127.0.0.1 is in use. Use another with --port, e.g. --port 4418.\n`,
  );
  expect([code, stdout]).toEqual([1, '']);
});

test('a collector does not listen beyond its machine unless told to twice', async () => {
  const { code, stderr } = await runCommand('--host', '0.0.0.0', '--data', temporaryFolder());
  expect(code).toBe(1);
  expect(stderr).toMatch(/--token SECRET.*--allow-remote/);
});

test('a folder with a foreign file is refused in one clear line, without a stack', async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'meta.db'),
    'not a database, but long enough to be looked at'.repeat(50),
  );
  const { code, stderr } = await runCommand('--port', '0', '--data', folder);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^framescope: .*meta\.db is not a file of Framescope\..*--data.*\n$/);
});

test('a writer that fails ends the collector with a message and a code, not in silence', async () => {
  const folder = temporaryFolder();
  const collector = start(folder);
  const url = await collector.ready();
  await post(url, spanJson({ attributes: [attribute('session.id', { stringValue: 's' })] }));
  // Another program meddles with the data: nothing that writing again could cure.
  const database = new Database(join(folder, 'meta.db'));
  database.exec('DROP TABLE value; DROP TABLE turn; DROP TABLE rollup; DROP TABLE clock_sample');
  database.exec('DROP TABLE session');
  database.close();
  await post(
    url,
    spanJson({
      spanId: 'e'.repeat(16),
      attributes: [attribute('session.id', { stringValue: 's' })],
    }),
  ).catch(() => 'no answer');
  const { code, stderr } = await collector.finished();
  expect(code).toBe(1);
  expect(stderr).toMatch(/^framescope: the writer stopped\n.*no such table/m);
});

test('kill -9 loses nothing that was acknowledged', async () => {
  const folder = temporaryFolder();
  const acknowledged: string[] = [];
  for (let round = 0; round < 6; round++) {
    const collector = start(folder);
    const url = await collector.ready();
    const senders = [0, 1, 2, 3].map(sender =>
      sendUntilDead(url, `${round}${sender}`, acknowledged),
    );
    await waitUntil(() => acknowledged.length >= (round + 1) * 40);
    await collector.kill('SIGKILL');
    await Promise.all(senders);
  }
  const url = await start(folder).ready();
  const missing: string[] = [];
  for (const traceId of acknowledged) {
    const { status } = await fetch(`${url}/api/v1/traces/${traceId}`);
    if (status !== 200) missing.push(traceId);
  }
  expect(acknowledged.length).toBeGreaterThan(200);
  expect(missing).toEqual([]);
  // Assembly took up what was stored but not yet shown.
  await waitUntil(async () => {
    const session = (await (await fetch(`${url}/api/v1/sessions`)).json()) as {
      items: { spanCount: number }[];
    };
    return (session.items[0]?.spanCount ?? 0) >= acknowledged.length;
  });
});

const post = async (url: string, span: unknown): Promise<number> =>
  (
    await fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: Buffer.from(bodyOf(span)),
    })
  ).status;

/** One span a request, each in a trace of its own, until the connection breaks. */
async function sendUntilDead(url: string, name: string, acknowledged: string[]): Promise<void> {
  const attributes = [attribute('session.id', { stringValue: 'the call' })];
  for (let i = 1; ; i++) {
    const traceId = `${name}${String(i).padStart(6, '0')}`.padStart(32, 'a');
    try {
      const body = Buffer.from(bodyOf(spanJson({ traceId, attributes })));
      const response = await fetch(`${url}/v1/traces`, {
        method: 'POST',
        headers: JSON_TYPE,
        body,
      });
      if (response.status !== 200) return;
      acknowledged.push(traceId);
    } catch {
      return;
    }
  }
}

async function waitUntil(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('it did not happen within 20 s');
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
