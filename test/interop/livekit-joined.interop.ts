// One call, told from both ends: LiveKit's client in a page (traceLiveKitRoom) and the spans of the
// agent, joined by the room's name.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page, SessionSummary, Turn } from '@framescope/protocol';
import { beforeAll, expect, test } from 'vitest';
import { installLiveKit, PYTHON_VERSIONS, pythonOf } from './livekit/install.mjs';
import { SCRIPTS } from './livekit/scripts.ts';
import { runAgent, SPEECH_END, SPOKEN, TurnTruth } from './livekit/truth.ts';
import { Framescope, temporaryFolder } from './peers.ts';

const PROGRAMS = fileURLToPath(new URL('programs/livekit/', import.meta.url));
const WITHIN_MS = 5;

beforeAll(() => installLiveKit(), 1_200_000);

test('a page and an agent that know one room are one session, each turn told once, with the parts of the agent', async () => {
  const framescope = await Framescope.start();
  const script = {
    ...SCRIPTS.find(one => one.name === 'in-order')!,
    service: 'agent',
    metadata: { 'session.id': 'support-room' },
  };
  const path = join(temporaryFolder(), 'joined.json');
  writeFileSync(path, JSON.stringify(script));
  const agent = [pythonOf(PYTHON_VERSIONS[0]!), join(PROGRAMS, 'agent.py')];
  const room = join(PROGRAMS, 'room.mjs');
  const truth = await runAgent(
    [process.execPath, room, framescope.url, 'support-room', path, ...agent],
    {},
  );
  const sessions = async (): Promise<readonly SessionSummary[]> =>
    ((await framescope.get('/api/v1/sessions')) as Page<SessionSummary>).items;
  await expect
    .poll(async () => (await sessions()).map(one => [one.id, one.status]), { timeout: 20_000 })
    .toEqual([['support-room', 'ended']]);
  const [session] = await sessions();
  expect(session!.services.toSorted()).toEqual(['agent', 'browser']);
  const { items: turns } = (await framescope.get(
    `/api/v1/sessions/${session!.key}/turns?limit=20`,
  )) as Page<Turn>;
  expect(turns).toHaveLength(script.turns.length);
  for (const [i, turn] of turns.entries()) {
    const [wait] = turn.waits;
    expect(turn.waits.map(one => `${one.kind} ${one.outcome}`)).toEqual(['response answered']);
    expect(wait!.reported!.map(one => one.name)).toEqual(['lk.e2e_latency']);
    expect(wait!.resolved).toBeGreaterThanOrEqual(0.85);
    const parts = new TurnTruth(truth, i).parts({
      from: SPEECH_END,
      parts: [['endpointing', 'turn_completed'], ['preparation', 'model_requested'], ...SPOKEN],
    });
    for (const name of ['inference', 'aggregation', 'synthesis']) {
      const ms = wait!.parts
        .filter(part => part.name === name)
        .reduce((sum, part) => sum + part.exposedNs / 1e6, 0);
      const really = parts.find(part => part.name === name)!.ms;
      expect(
        Math.abs(ms - really),
        `${name} of turn ${i}: ${ms}, really ${really}`,
      ).toBeLessThanOrEqual(WITHIN_MS);
    }
    expect(
      wait!.parts.find(part => part.exposedNs > 400e6 && part.name === 'endpointing')?.owner,
    ).toBe('setting');
  }
}, 120_000);
