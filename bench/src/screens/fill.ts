// What the pictures show: a simulated day, one call with every hop, an hour, a long trace.

import { execFile } from 'node:child_process';
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
const TURNS = 1_500;

export async function fillForScreens(url: string): Promise<Known> {
  await promisify(execFile)(process.execPath, [LOAD_DAY, '--url', url, '--turns', String(TURNS)]);
  const startUnixMs = Date.now() - 2 * 3_600_000;
  await post(url, hourBodies({ id: HOUR_ID, seconds: 3_600, startUnixMs }));
  await post(url, traceBodies({ traceId: LONG_TRACE, spans: 100_000, startUnixMs }));
  await runCall(new ApiClient(url), everything());
  const { items } = await until<Page<Turn>>(
    `${url}/api/v1/sessions/${sessionKey(CALL_ID)}/turns`,
    one => one.items.length >= 3,
  );
  const turn = items[1]!;
  return { turnTick: turn.tick, turnTraceId: turn.traceId! };
}

/** Three turns: a long wait with a tool, a barge-in, a stall of the network. */
const everything = (): ReturnType<typeof scenarioOf> =>
  scenarioOf({
    id: CALL_ID,
    seed: 5,
    startUnixMs: Date.now() - 90_000,
    attributes: { region: 'eu-west', release: '2.5.0' },
    stalls: [{ atMs: 6_200, forMs: 400 }],
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
