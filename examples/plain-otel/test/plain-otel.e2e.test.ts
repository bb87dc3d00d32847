import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCollector } from 'framescope';
import { expect, onTestFinished, test } from 'vitest';

const EXAMPLE = fileURLToPath(new URL('../out/main.js', import.meta.url));

test('a user of plain OpenTelemetry shows up as a trace, and by session.id as a session', async () => {
  const data = mkdtempSync(join(tmpdir(), 'framescope-plain-'));
  const collector = await startCollector({ data });
  onTestFinished(async () => {
    await collector.close();
    rmSync(data, { recursive: true, force: true });
  });
  const get = async (
    path: string,
  ): Promise<{ items: Record<string, unknown>[]; spans: unknown[] }> =>
    (await (await fetch(`${collector.url}/api/v1${path}`)).json()) as never;

  const example = spawn(process.execPath, [EXAMPLE], {
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, SESSION_ID: 'my call' },
    stdio: 'inherit',
  });
  expect(await once(example, 'exit')).toEqual([0, null]);

  const [trace] = (await get('/traces')).items;
  expect(trace).toMatchObject({ rootName: 'turn', service: 'my-voice-agent', spanCount: 4 });
  const { spans } = await get(`/traces/${String(trace?.['traceId'])}`);
  expect(spans).toMatchObject([
    { name: 'turn' },
    { name: 'stt' },
    { name: 'llm' },
    { name: 'tts' },
  ]);
  await expect
    .poll(async () => (await get('/sessions')).items)
    .toMatchObject([
      { id: 'my call', services: ['my-voice-agent'], spanCount: 4, key: trace?.['sessionKey'] },
    ]);
});
