// The report of a call over HTTP and from a file: taken, shown as a session, refused.

import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCollector, type Collector, type CollectorOptions } from 'framescope';
import { expect, onTestFinished, test } from 'vitest';
import { elevenLabsReport, retellReport, vapiReport } from '../support/call-reports.ts';
import { runCommand } from '../support/process.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'framescope-webhooks-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function started(options: Partial<CollectorOptions> = {}): Promise<Collector> {
  const collector = await startCollector({ data: folder(), port: 0, ...options });
  onTestFinished(() => collector.close());
  return collector;
}

const post = (url: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

interface ListedTurn {
  readonly source: string;
  readonly waits: readonly { readonly waitNs: number }[];
}

/** Waits in ms of the session's turns, as soon as it has `count` turns. */
async function waitsOf(url: string, id: string, count: number): Promise<number[]> {
  for (;;) {
    const found = await fetch(`${url}/api/v1/sessions?filter=${encodeURIComponent(`id:${id}`)}`);
    const { items } = (await found.json()) as { items: { key: string }[] };
    if (items[0] !== undefined) {
      const answer = await fetch(`${url}/api/v1/sessions/${items[0].key}/turns`);
      const turns = ((await answer.json()) as { items: ListedTurn[] }).items;
      if (turns.length === count)
        return turns.flatMap(turn => turn.waits.map(wait => wait.waitNs / 1e6));
    }
    await sleep(50);
  }
}

test('a webhook becomes a session with its waits; sent again it changes nothing', async () => {
  const { url } = await started();
  for (let i = 0; i < 2; i++) {
    const answer = await post(`${url}/webhooks/vapi`, JSON.stringify(vapiReport));
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { stored: 1, session: 'vapi-call-1' },
    ]);
  }
  expect(await waitsOf(url, 'vapi-call-1', 3)).toEqual([1450, 900]);
});

test('where a secret is known the signature lets in, and nothing else', async () => {
  const { url } = await started({
    token: 'a-token-of-the-collector',
    webhookSecrets: { elevenlabs: 'secret' },
  });
  const body = JSON.stringify(elevenLabsReport);
  const time = Math.floor(Date.now() / 1_000);
  const digest = createHmac('sha256', 'secret').update(`${time}.${body}`).digest('hex');
  const signed = { 'elevenlabs-signature': `t=${time},v0=${digest}` };
  const statuses = [
    (await post(`${url}/webhooks/elevenlabs`, body, signed)).status,
    (await post(`${url}/webhooks/elevenlabs`, `${body} `, signed)).status,
    (await post(`${url}/webhooks/elevenlabs`, body)).status,
    (await post(`${url}/webhooks/retell`, JSON.stringify(retellReport))).status,
  ];
  expect(statuses).toEqual([200, 401, 401, 401]);
  const refused = await post(`${url}/webhooks/retell`, '{}');
  expect(await refused.text()).toContain('start it with --retell-key too');
});

test('other events are taken and let go; what is no report is refused with its place', async () => {
  const { url } = await started();
  const other = await post(`${url}/webhooks/retell`, '{"event":"call_started","call":{}}');
  expect([other.status, await other.json()]).toEqual([200, { stored: 0 }]);
  const bad = await post(`${url}/webhooks/retell`, '{"event":"call_ended","call":{}}');
  expect([bad.status, await bad.text()]).toEqual([
    400,
    expect.stringContaining('call.call_id: no ID of the call'),
  ]);
  const broken = await post(`${url}/webhooks/vapi`, '{');
  expect([broken.status, await broken.text()]).toEqual([400, expect.stringContaining('no JSON')]);
  const page = await post(`${url}/webhooks/vapi`, '{}', { origin: 'https://elsewhere.example' });
  expect(page.status).toBe(403);
});

test('`framescope import` takes a report from a file', async () => {
  const { url } = await started();
  const file = join(folder(), 'call.json');
  writeFileSync(file, JSON.stringify(retellReport.call));
  const done = await runCommand('import', file, '--url', url);
  expect(done.stdout).toContain(`4 spans of ${file} are stored`);
  expect(await waitsOf(url, 'retell-call-1', 3)).toEqual([1300, 1700]);
});
