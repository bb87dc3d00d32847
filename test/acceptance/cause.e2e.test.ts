// The demo with one slow hop, set by flag: real processes, real audio, real time. The page names
// that hop as the first cause of the tail, three clicks from its front; with none slow it claims none.
//
//   npm start -- --demo --no-day -- --slow-hop tts --slow-ms 1200 --slow-share 15 --steady --brief
//
// Sixteen calls at a time of a brief user have 160 turns in a good minute: thirty of them, the least that
// say something, are then less than a fifth. The models answer without the long tail of real ones,
// which would be a cause of its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeasureInfo } from '@framescope/protocol';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../browser.ts';
import { runNode, whenReady } from './child.ts';

const TURNS_WANTED = 160;
/** A good minute on two free cores; four on a machine with other work. */
const TURNS_LIMIT_MS = 300_000;
const WORLD_MS = TURNS_LIMIT_MS + 60_000;

let browser: TestBrowser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

interface Told {
  readonly kind: string | null;
  readonly cause: string | null;
  readonly clicks: number;
  readonly text: string;
}

/** Runs the demo until there is enough to ask about, then looks at the page as a person does. */
async function toldOfDemo(...slow: readonly string[]): Promise<Told> {
  const data = mkdtempSync(join(tmpdir(), 'framescope-cause-'));
  const own = ['--demo', '--no-day', '--port', '0', '--data', data];
  const calls = ['--calls', '16', '--turns', '4', '--brief', '--steady', ...slow];
  const demo = runNode('scripts/start.mjs', [...own, '--', ...calls]);
  try {
    const { url } = await whenReady(demo);
    await expect
      .poll(() => turnsOf(url), { timeout: TURNS_LIMIT_MS, interval: 500 })
      .toBeGreaterThanOrEqual(TURNS_WANTED);
    return await toldBy(url);
  } finally {
    await demo.end('SIGINT');
    rmSync(data, { recursive: true, force: true });
  }
}

async function turnsOf(url: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/measures`);
  const { items } = (await answer.json()) as { items: readonly MeasureInfo[] };
  return items.find(one => one.name === 'voice_to_voice.client')?.n ?? 0;
}

/** From the front page; every click is counted. */
async function toldBy(url: string): Promise<Told> {
  const { page, problems } = await browser.open(url);
  let clicks = 0;
  const click = (target: Locator): Promise<void> => {
    clicks++;
    return target.click();
  };
  await click(page.getByRole('link', { name: 'Tail', exact: true }).first());
  await click(page.getByRole('button', { name: 'Why slow?' }));
  const verdict = page.locator('[data-verdict]');
  await verdict.waitFor();
  const told = {
    kind: await verdict.getAttribute('data-verdict'),
    cause: await verdict.getAttribute('data-cause'),
    clicks,
    text: await verdict.innerText(),
  };
  expect(problems()).toEqual([]);
  await page.close();
  return told;
}

/** The flag's word, the ledger's, and how much: what real services do when they are slow. */
const SLOW = [
  ['tts', 'synthesis', '1200'],
  ['llm', 'inference', '1200'],
  // Each way, for calls as a whole.
  ['edge', 'network', '500'],
] as const;

for (const [hop, cause, ms] of SLOW)
  test(
    `the demo with a slow ${hop}: the page names ${cause} first`,
    async () => {
      const share = hop === 'edge' ? '30' : '15';
      const told = await toldOfDemo('--slow-hop', hop, '--slow-ms', ms, '--slow-share', share);
      expect([told.kind, told.cause], told.text).toEqual(['part', cause]);
      expect(told.clicks).toBeLessThanOrEqual(3);
    },
    WORLD_MS,
  );

test(
  'the demo with no slow hop: no cause is claimed',
  async () => {
    const told = await toldOfDemo('--slow-hop', 'none');
    expect(told.kind, told.text).toBe('none');
  },
  WORLD_MS,
);
