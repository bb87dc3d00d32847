// What the pictures show: a simulated day, one call with every hop, an hour, a long trace.

import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sessionKey, type Page, type Turn } from '@framescope/protocol';
import { ApiClient, runCall, scenarioOf, turnOf } from '@framescope/testkit';
import { post, until } from '../viewer/fill.ts';
import { hourBodies } from '../viewer/hour.ts';
import { traceBodies } from '../viewer/long-trace.ts';
import { CALL_ID, HOUR_ID, LONG_TRACE, type Known } from './pages.ts';

const LOAD_DAY = fileURLToPath(
  new URL('../../../packages/testkit/out/load-day.js', import.meta.url),
);
/** Enough for every percentile line, the many columns of a day, and why-slow. */
const TURNS = 5_000;

export async function fillForScreens(
  url: string,
  { hasDay }: { readonly hasDay: boolean },
): Promise<Known> {
  const load = [LOAD_DAY, '--url', url, '--turns', String(TURNS)];
  if (!hasDay) await promisify(execFile)(process.execPath, load);
  const startUnixMs = Date.now() - 2 * 3_600_000;
  await post(url, hourBodies({ id: HOUR_ID, seconds: 3_600, startUnixMs }));
  await post(url, traceBodies({ traceId: LONG_TRACE, spans: 100_000, startUnixMs }));
  await runCall(new ApiClient(url), everything());
  const { items } = await until<Page<Turn>>(
    `${url}/api/v1/sessions/${sessionKey(CALL_ID)}/turns`,
    one => one.items.length >= 3,
  );
  const turn = items[1]!;
  await setThings(url);
  return {
    turnTick: turn.tick,
    turnTraceId: turn.traceId!,
    recording: recordingOf(items),
  };
}

/** What people would have set: a kept call, a deploy and an incident, a budget of a part. */
async function setThings(url: string): Promise<void> {
  const hourMs = 3_600_000;
  const set = async (method: string, path: string, body: object): Promise<void> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  const at = (hoursAgo: number): string => `${Date.now() - hoursAgo * hourMs}000000`;
  await set('POST', `/sessions/${sessionKey(CALL_ID)}/pin`, {
    note: 'A tool, a barge-in, a stall',
  });
  await set('POST', '/annotations', { kind: 'deploy', text: 'Release 2.5.0', atUnixNs: at(9) });
  await set('POST', '/annotations', {
    kind: 'incident',
    text: 'Carrier outage',
    atUnixNs: at(5),
    endUnixNs: at(4),
  });
  await set('PUT', '/budgets', { items: [{ measure: 'part.inference', limitNs: 400e6 }] });
}

/** The call as a recorder on its line would have it: the user left, the agent right. */
function recordingOf(turns: readonly Turn[]): string {
  const rate = 8_000;
  const endNs = Math.max(...turns.map(({ user, agent }) => (agent ?? user)?.endNs ?? 0));
  const samples = Math.ceil((endNs / 1e9 + 4) * rate);
  const bytes = Buffer.alloc(44 + samples * 4);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + samples * 4, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate * 4, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples * 4, 40);
  const sampleOf = (ns: number): number => Math.round((ns / 1e9 + 2) * rate);
  for (const turn of turns)
    for (const [channel, speech] of [turn.user, turn.agent].entries())
      for (let i = sampleOf(speech?.startNs ?? 0); i < sampleOf(speech?.endNs ?? 0); i++) {
        // Syllables: about four a second, none as loud as the next.
        const loud = Math.abs(Math.sin(i / 640)) * (0.5 + 0.5 * Math.sin(i / 3_100));
        bytes.writeInt16LE(Math.round(12_000 * loud * Math.sin(i / 5)), 44 + i * 4 + channel * 2);
      }
  const path = join(mkdtempSync(join(tmpdir(), 'framescope-screens-')), 'call.wav');
  writeFileSync(path, bytes);
  return path;
}

/** Three turns: a long wait with a tool, a barge-in, a stall of the network. */
const everything = (): ReturnType<typeof scenarioOf> =>
  scenarioOf({
    id: CALL_ID,
    seed: 5,
    startUnixMs: Date.now() - 90_000,
    attributes: { region: 'eu-west', release: '2.5.0' },
    stalls: [{ atMs: 6_200, forMs: 400 }],
    sttRate: 24_000,
    turns: [
      turnOf({ text: 'What time do you close today?' }),
      turnOf({
        text: 'Is my order on its way?',
        preemptive: true,
        answer: { ...turnOf().answer, audioMs: 800, text: 'Let me check that for you.' },
        tool: { toolMs: 1_400, answer: { ...turnOf().answer, text: 'It left this morning.' } },
      }),
      turnOf({ text: 'And the other one?', bargeIn: { afterMs: 400 } }),
      turnOf({ text: 'No, the blue one.' }),
    ],
  });
