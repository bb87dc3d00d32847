// The commands on a running collector: what is exported can be taken in again, and nothing of it is
// lost; CI gets an exit code.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { CollectorProcess, runCommand } from './support/process.ts';

const LOAD_DAY = fileURLToPath(new URL('../../testkit/out/load-day.js', import.meta.url));

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'framescope-files-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function started(): Promise<string> {
  const collector = new CollectorProcess(['--port', '0', '--grpc-port', 'off', '--data', folder()]);
  onTestFinished(async () => void (await collector.kill('SIGTERM')));
  return collector.ready();
}

interface Sessions {
  items: { key: string; id: string; turnCount: number; spanCount: number }[];
}

const sessionsOf = async (url: string): Promise<Sessions['items']> =>
  ((await (await fetch(`${url}/api/v1/sessions?limit=500`)).json()) as Sessions).items;

/** Until all of `count` turns are assembled, and nothing changes any more. */
async function assembled(url: string, count: number): Promise<Sessions['items']> {
  for (let before = ''; ;) {
    const items = await sessionsOf(url);
    const now = JSON.stringify(items);
    if (now === before && items.reduce((sum, one) => sum + one.turnCount, 0) >= count) return items;
    before = now;
    await new Promise(resolve => setTimeout(resolve, 1_000));
  }
}

test('what is exported and imported is exported again to the byte; check judges the file by itself', async () => {
  const [first, second] = [await started(), await started()];
  await promisify(execFile)(process.execPath, [LOAD_DAY, '--url', first, '--turns', '40']);
  const loaded = await assembled(first, 40);
  const turns = loaded.reduce((sum, one) => sum + one.turnCount, 0);
  const path = folder();
  const [a, b, report] = ['a.json', 'b.json', 'report.json'].map(name => join(path, name)) as [
    string,
    string,
    string,
  ];

  expect((await runCommand('export', '--url', first, '--out', a)).code).toBe(0);
  const imported = await runCommand('import', a, '--url', second);
  expect(imported.stdout).toMatch(/^\d+ spans of .* are stored\n$/);
  const again = await assembled(second, turns);
  expect(again.map(one => [one.key, one.id, one.turnCount, one.spanCount]).toSorted()).toEqual(
    loaded.map(one => [one.key, one.id, one.turnCount, one.spanCount]).toSorted(),
  );
  expect((await runCommand('export', '--url', second, '--out', b)).code).toBe(0);
  expect(readFileSync(b).equals(readFileSync(a))).toBe(true);

  const limits = join(path, 'limits.json');
  writeFileSync(limits, JSON.stringify({ voice_to_voice: 1 }));
  const beyond = await runCommand('check', '--file', a, '--budgets', limits, '--json', report);
  expect(beyond.stdout).toMatch(/^fail +voice_to_voice\./m);
  expect(beyond.code).toBe(1);
  const told = JSON.parse(readFileSync(report, 'utf8')) as {
    ok: boolean;
    rows: { verdict: string }[];
  };
  expect([told.ok, told.rows.length > 0]).toEqual([false, true]);
  writeFileSync(limits, JSON.stringify({ voice_to_voice: 60_000 }));
  expect((await runCommand('check', '--url', first, '--budgets', limits)).code).toBe(0);
  writeFileSync(limits, JSON.stringify({ resume: 1 }));
  const empty = await runCommand(
    'check',
    '--url',
    first,
    '--budgets',
    limits,
    '--filter',
    'id:nobody',
  );
  expect([empty.code, empty.stdout]).toEqual([
    3,
    'nothing could be judged: too few turns, or no budget for what there is\n',
  ]);
});

test('a session as HTML runs nothing and names its words as text; as Perfetto it has slices and tracks', async () => {
  const url = await started();
  await promisify(execFile)(process.execPath, [LOAD_DAY, '--url', url, '--turns', '5']);
  const [session] = await assembled(url, 5);
  const html = await runCommand(
    'export',
    '--url',
    url,
    '--session',
    session!.id,
    '--format',
    'html',
  );
  expect(html.stdout).toMatch(/^<!doctype html>/);
  expect(html.stdout).not.toMatch(/<script|https?:\/\/|url\(/i);
  expect(html.stdout).toContain("default-src 'none'");
  const perfetto = await runCommand(
    'export',
    '--url',
    url,
    '--session',
    session!.key,
    '--format',
    'perfetto',
  );
  const { traceEvents } = JSON.parse(perfetto.stdout) as {
    traceEvents: { ph: string; dur?: number }[];
  };
  expect(new Set(traceEvents.map(one => one.ph))).toEqual(new Set(['M', 'X', 'C']));
  expect(traceEvents.every(one => one.ph !== 'X' || one.dur! >= 0)).toBe(true);
});

test("a trace saved in Jaeger's UI is taken in with parents, times, tags and processes", async () => {
  const url = await started();
  const file = join(folder(), 'jaeger.json');
  const traceID = '00000000000000000000000000000abc';
  writeFileSync(
    file,
    JSON.stringify({
      data: [
        {
          traceID: 'abc',
          spans: [
            {
              traceID: 'abc',
              spanID: 'a1',
              operationName: 'turn',
              references: [],
              startTime: 1_795_441_423_667_000,
              duration: 1_500,
              tags: [{ key: 'span.kind', type: 'string', value: 'server' }],
              logs: [],
              processID: 'p1',
            },
            {
              traceID: 'abc',
              spanID: 'a2',
              operationName: 'llm',
              references: [{ refType: 'CHILD_OF', traceID: 'abc', spanID: 'a1' }],
              startTime: 1_795_441_423_667_500,
              duration: 500,
              tags: [
                { key: 'error', type: 'bool', value: true },
                { key: 'tokens', type: 'int64', value: 7 },
              ],
              logs: [],
              processID: 'p1',
            },
          ],
          processes: {
            p1: { serviceName: 'agent', tags: [{ key: 'host.name', type: 'string', value: 'h1' }] },
          },
        },
      ],
    }),
  );
  expect((await runCommand('import', file, '--url', url)).code).toBe(0);
  const trace = (await (await fetch(`${url}/api/v1/traces/${traceID}`)).json()) as {
    spans: {
      name: string;
      parentSpanId: string | null;
      service: string;
      startNs: number;
      durationNs: number;
      kind: number;
      status: { code: number };
      attributes: object;
      resource: object;
    }[];
  };
  expect(
    trace.spans.map(one => [one.name, one.parentSpanId, one.service, one.startNs, one.durationNs]),
  ).toEqual([
    ['turn', null, 'agent', 0, 1_500_000],
    ['llm', '00000000000000a1', 'agent', 500_000, 500_000],
  ]);
  expect([trace.spans[0]!.kind, trace.spans[1]!.status.code, trace.spans[1]!.attributes]).toEqual([
    2,
    2,
    { tokens: 7 },
  ]);
  writeFileSync(file, JSON.stringify({ data: [{ spans: [{ traceID: 'x' }], processes: {} }] }));
  const bad = await runCommand('import', file, '--url', url);
  expect([bad.code, bad.stderr]).toEqual([
    2,
    `framescope: ${file}: data[0].spans[0]: traceID is not 1 to 32 hex digits\n`,
  ]);
});
