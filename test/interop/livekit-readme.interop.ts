// What a LiveKit user does who follows the README of examples/livekit-agents: its code block, word for
// word, in a fresh folder; from the first command to a ledger in under two minutes.

import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page, SessionSummary, Turn } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { Framescope, temporaryFolder } from './peers.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/livekit-agents/', import.meta.url));
const LIMIT_S = 120;
/** The collector's own port is somebody else's where tests run: the one word that is replaced. */
const ADDRESS = 'http://127.0.0.1:4318';

function commandsOf(readme: string): string {
  const block = /```sh\n([\s\S]*?)```/.exec(readme)?.[1];
  if (block === undefined || !block.includes(ADDRESS)) throw new Error('no code block to follow');
  return block;
}

test('the README of examples/livekit-agents leads to a ledger with owners in under two minutes', async () => {
  const framescope = await Framescope.start();
  const folder = temporaryFolder();
  cpSync(join(EXAMPLE, 'agent'), folder, {
    recursive: true,
    filter: source => !source.includes('node_modules'),
  });
  const block = commandsOf(readFileSync(join(EXAMPLE, 'README.md'), 'utf8'));
  const startMs = Date.now();
  const { status, stderr } = spawnSync('sh', ['-e'], {
    cwd: folder,
    input: block.replaceAll(ADDRESS, framescope.url),
    encoding: 'utf8',
    timeout: 300_000,
  });
  expect(status, stderr.slice(-2_000)).toBe(0);
  let turns: readonly Turn[] = [];
  while (turns.length < 4 && Date.now() - startMs < LIMIT_S * 1_000) {
    const { items } = (await framescope.get('/api/v1/sessions')) as Page<SessionSummary>;
    const key = items[0]?.key;
    if (key !== undefined)
      turns = ((await framescope.get(`/api/v1/sessions/${key}/turns?limit=20`)) as Page<Turn>)
        .items;
    await new Promise(resolve => setTimeout(resolve, 200));
  }
  const seconds = (Date.now() - startMs) / 1_000;
  console.log(
    `README of examples/livekit-agents: ${seconds.toFixed(0)} s from the first command to the ledger`,
  );
  expect(seconds).toBeLessThan(LIMIT_S);
  expect(turns.flatMap(turn => turn.waits.map(wait => `${wait.kind} ${wait.outcome}`))).toEqual([
    'greeting answered',
    'response filler_only',
    'resume answered',
    'response interrupted_after',
    'response answered',
  ]);
  for (const { waits } of turns)
    for (const { parts, waitNs } of waits)
      expect(parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(waitNs);
  // The script's slowest step of the interrupted answer is its model: 900 ms.
  const [slow] = turns[2]!.waits;
  const worst = slow!.parts.toSorted((a, b) => b.exposedNs - a.exposedNs)[0]!;
  expect([worst.name, worst.owner]).toEqual(['inference', 'model service']);
}, 400_000);
