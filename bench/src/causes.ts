// Suite causes: does the page name the cause? Twenty worlds whose truth is written first go through
// the real instrumentation and a real collector; then the built page is opened at its front and
// clicked through as a person does, and what it says first is held against the truth.
//
// Once with the seed that the method was made with, once with one that nobody looked at (--long: five
// of those). --quick: the first alone.

import {
  ApiClient,
  CAUSE_KINDS,
  type CauseKind,
  causeWorld,
  isRight,
  loadCauseWorld,
  type ToldCause,
} from '@framescope/testkit';
import type { Page } from 'playwright-core';
import { BenchCollector } from './ingest/processes.ts';
import { limited, type Row, type SuiteOptions } from './row.ts';
import { BenchPage } from './viewer/chromium.ts';

const KNOWN_SEED = 1;
const HELD_OUT_SEEDS = [1001, 1002, 1003, 1004, 1005];
const RIGHT_MIN = 18;

export async function run({ quick, long }: SuiteOptions): Promise<Row[]> {
  const heldOut = quick ? [] : long === true ? HELD_OUT_SEEDS : HELD_OUT_SEEDS.slice(0, 1);
  const rows = await rowsOf('seed of its making', KNOWN_SEED);
  for (const seed of heldOut) rows.push(...(await rowsOf(`held-out seed ${seed}`, seed)));
  return rows;
}

async function rowsOf(what: string, seed: number): Promise<Row[]> {
  let right = 0;
  let claimed = 0;
  for (const kind of CAUSE_KINDS) {
    const { isTrue, isClaimed } = await judged(kind, seed);
    if (isTrue) right++;
    if (isClaimed) claimed++;
  }
  const row = (name: string, value: number): Pick<Row, 'suite' | 'name' | 'value' | 'unit'> => ({
    suite: 'causes',
    name: `${name}, ${what}`,
    value,
    unit: name.startsWith('cause') ? `of ${CAUSE_KINDS.length}` : 'worlds',
  });
  return [
    limited(row('cause named first by the page', right), 'higher', RIGHT_MIN),
    limited(row('cause claimed where there is none', claimed), 'lower', 0),
  ];
}

async function judged(
  kind: CauseKind,
  seed: number,
): Promise<{ isTrue: boolean; isClaimed: boolean }> {
  const world = causeWorld({ kind, seed, endUnixMs: Date.now() - 120_000 });
  const collector = await new BenchCollector().ready();
  try {
    await loadCauseWorld(new ApiClient(collector.url), world);
    const bench = await BenchPage.open(collector.url);
    const told = await toldBy(bench.page);
    await bench.close();
    const isTrue = isRight(world.truth, told);
    const says = [told.kind, told.name, told.value, ...told.with].filter(Boolean).join(' ');
    console.log(
      `      ${isTrue ? 'right' : 'WRONG'}  ${world.name}: ${world.truth.text} | ${says}`,
    );
    return { isTrue, isClaimed: world.truth.kind === 'none' && told.kind !== 'none' };
  } finally {
    await collector.stop();
    collector.remove();
  }
}

/** From the front page: Tail, Why slow. */
async function toldBy(page: Page): Promise<ToldCause> {
  await page.getByRole('link', { name: 'Tail', exact: true }).first().click();
  await page.getByRole('button', { name: 'Why slow?' }).click();
  const verdict = page.locator('[data-verdict]');
  await verdict.waitFor();
  const said = async (name: string): Promise<string> =>
    (await verdict.getAttribute(`data-${name}`)) ?? '';
  return {
    kind: await said('verdict'),
    name: await said('cause'),
    value: (await said('value')) || null,
    with: (await said('with')).split(' ').filter(name => name !== ''),
  };
}
