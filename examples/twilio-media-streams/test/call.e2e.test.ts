// The example as a user runs it, between stand-ins of Twilio and of the model's
// vendor, against a running collector.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page, Turn } from '@framescope/protocol';
import { RealtimeServer } from '@framescope/testkit/realtime-server';
import { TwilioCaller } from '@framescope/testkit/twilio-caller';
import { startCollector } from 'framescope';
import { expect, onTestFinished, test } from 'vitest';

const EXAMPLE = fileURLToPath(new URL('../out/main.js', import.meta.url));

/** Starts the example; answers the address it waits on. */
async function start(env: Record<string, string>): Promise<URL> {
  const child = spawn(process.execPath, [EXAMPLE, '--port', '0'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  return new URL(await lineOf(child));
}

const lineOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the example ended with ${code}`)));
    child.stdout?.on('data', chunk => {
      const url = /http:\S+/.exec(String(chunk))?.[0];
      if (url !== undefined) resolve(url);
    });
  });

test('a call with a barge-in is a session with ledgers, and the carrier says what was played', async () => {
  const data = mkdtempSync(join(tmpdir(), 'framescope-twilio-'));
  const collector = await startCollector({ data });
  const vendor = await RealtimeServer.start({
    script: [
      { text: 'The library.', delayMs: 300, lengthMs: 1_000, transcript: 'hello' },
      { text: 'A very long answer.', delayMs: 300, lengthMs: 6_000, transcript: 'tell me' },
      { text: 'Yes?', delayMs: 300, lengthMs: 600, transcript: 'wait' },
    ],
  });
  onTestFinished(async () => {
    await vendor.close();
    await collector.close();
    rmSync(data, { recursive: true, force: true });
  });
  const url = await start({
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: vendor.baseUrl,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  });
  const twiml = await (await fetch(url)).text();
  expect(twiml).toContain(`<Stream url="wss://${url.host}/call"/>`);

  const caller = await TwilioCaller.call(`ws://${url.host}/call`);
  await caller.speak(600, false);
  await caller.speak(800, true);
  await caller.listen(5_000);
  await caller.speak(700, true);
  await caller.speak(2_000, false);
  await caller.speak(600, true);
  await caller.listen(5_000);
  await caller.hangUp();
  expect(caller.line.refusals).toEqual([]);
  expect(vendor.connections.flatMap(({ engine }) => engine.refusals)).toEqual([]);

  const get = async (path: string): Promise<unknown> =>
    (await fetch(`${collector.url}/api/v1${path}`)).json();
  const { callSid } = caller.line;
  const sessions = async (): Promise<Record<string, unknown>[]> =>
    ((await get('/sessions')) as { items: Record<string, unknown>[] }).items;
  await expect
    .poll(sessions, { timeout: 15_000 })
    .toMatchObject([{ id: callSid, turnCount: 3, status: 'ended' }]);
  const [session] = await sessions();
  const { items } = (await get(`/sessions/${String(session!['key'])}/turns`)) as Page<Turn>;
  expect(items.map(turn => turn.outcome)).toEqual(['completed', 'interrupted', 'completed']);
  for (const { waits } of items) {
    const [wait] = waits;
    expect(wait!.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(wait!.waitNs);
    expect(wait!.resolved).toBeGreaterThan(0.9);
    expect(wait!.moments.map(({ name }) => name)).toContain('first_voiced_carried');
    expect(wait!.definition).toBe('carrier');
    expect(wait!.alternatives.map(({ definition }) => definition)).toEqual(['server']);
    expect(wait!.notSeen).toEqual(['caller to carrier', 'carrier to caller']);
  }
  expect(items[1]!.bargeIn?.detectNs).toBeGreaterThan(0);
  const detail = JSON.stringify(await get(`/sessions/${String(session!['key'])}`));
  for (const hop of [
    'mic.agent/receive',
    'mic.agent/send',
    'agent.agent/send',
    'agent.carrier/playout',
  ])
    expect(detail).toContain(hop);
});
