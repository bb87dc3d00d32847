// The example as a user runs it, against the stand-in of the vendor and a
// running collector: the call, its turns and their ledgers show up.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page, Turn } from '@framescope/protocol';
import { RealtimeServer } from '@framescope/testkit/realtime-server';
import { startCollector } from 'framescope';
import { expect, onTestFinished, test } from 'vitest';

const EXAMPLE = fileURLToPath(new URL('../out/main.js', import.meta.url));

test('a conversation of two turns is a session with two ledgers that add up', async () => {
  const data = mkdtempSync(join(tmpdir(), 'framescope-realtime-'));
  const collector = await startCollector({ data });
  const vendor = await RealtimeServer.start({
    script: [
      {
        text: 'He was not.',
        delayMs: 400,
        leadMs: 60,
        lengthMs: 1_200,
        transcript: 'not an ill disposed young man',
      },
      { text: 'Noted.', delayMs: 250, lengthMs: 600, transcript: 'ten of clubs' },
    ],
  });
  onTestFinished(async () => {
    await vendor.close();
    await collector.close();
    rmSync(data, { recursive: true, force: true });
  });
  const example = spawn(process.execPath, [EXAMPLE, '--session', 'a call'], {
    env: {
      ...process.env,
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: vendor.baseUrl,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  example.stdout.on('data', chunk => (said += String(chunk)));
  expect(await once(example, 'exit')).toEqual([0, null]);
  expect(said).toContain('agent: He was not.');
  expect(vendor.connections.flatMap(({ engine }) => engine.refusals)).toEqual([]);

  const get = async (path: string): Promise<unknown> =>
    (await fetch(`${collector.url}/api/v1${path}`)).json();
  const sessions = async (): Promise<{ key: string; id: string; turnCount: number }[]> =>
    ((await get('/sessions')) as { items: { key: string; id: string; turnCount: number }[] }).items;
  await expect
    .poll(sessions, { timeout: 10_000 })
    .toMatchObject([{ id: 'a call', services: ['realtime-agent'], turnCount: 2, status: 'ended' }]);
  const [{ key } = { key: '' }] = await sessions();
  const { items: turns } = (await get(`/sessions/${key}/turns`)) as Page<Turn>;
  expect(turns.map(turn => turn.outcome)).toEqual(['completed', 'completed']);
  expect(turns.map(wordsOf)).toEqual([
    ['agent: He was not.', 'user: not an ill disposed young man'],
    ['agent: Noted.', 'user: ten of clubs'],
  ]);
  for (const [i, delayMs] of [400, 250].entries()) ledger(turns[i]!, delayMs);
});

const wordsOf = (turn: Turn): string[] =>
  turn.words.map(({ who, text }) => `${who}: ${text}`).toSorted();

/** Parts that sum to the wait, with the vendor's window as endpointing and its delay as inference. */
function ledger(turn: Turn, delayMs: number): void {
  const [wait] = turn.waits;
  expect(wait).toMatchObject({ kind: 'response', outcome: 'answered', definition: 'server' });
  const sum = wait!.parts.reduce((total, part) => total + part.exposedNs, 0);
  expect(sum).toBe(wait!.waitNs);
  const ms = (name: string): number =>
    (wait!.parts.find(part => part.name === name)?.exposedNs ?? 0) / 1e6;
  expect(ms('endpointing')).toBeGreaterThan(400);
  expect(ms('endpointing')).toBeLessThan(750);
  expect(ms('inference')).toBeGreaterThan(delayMs - 30);
  expect(ms('inference')).toBeLessThan(delayMs + 250);
  expect(wait!.resolved).toBeGreaterThan(0.95);
}
