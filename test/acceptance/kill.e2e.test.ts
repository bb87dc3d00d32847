// `kill -9` of the collector while four calls run: nothing acknowledged is lost,
// nothing is there twice, and whoever talked to it or looked at it carries on.
//
//   voice agent, 4 calls ──▶ collector ──▶ page in Chromium
//        │ acks, fsynced        ✝ × 20          │
//        └──────▶ audit ══ store ══ API ══ picture
//
// The example's processes keep a second book (audit/); at the end everything in
// it is compared with the store, the API and the picture.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  FramesWindow,
  HopDetail,
  Page,
  SessionDetail,
  SessionSummary,
  Turn,
} from '@framescope/protocol';
import { expect, onTestFailed, onTestFinished, test } from 'vitest';
import { launchBrowser, type OpenPage, type TestBrowser } from '../browser.ts';
import {
  acknowledgedCount,
  count,
  difference,
  marksByHop,
  missingNumbers,
  randomOf,
  readAudit,
  readRollups,
  readStored,
  type Audit,
  type Tally,
} from './audit.ts';
import { runNode, spawnCollector, whenReady, type Child } from './child.ts';
import { countDifferentPixels, pixelHash, restingPixelHash, showView } from './pixels.ts';

const KILLS = 20;
const CALLS = 4;
/** Every fourth kill falls into the start: migrations, locks and recovery are on their way. */
const STARTS_EVERY = 4;
const AFTER_SPAWN_MS_MAX = 1_200;
/** Longer than a flush period: some kills hit a commit, some the silence between two. */
const AFTER_ACK_MS_MAX = 1_500;
const AWAY_MS_MAX = 800;
/**
 * Clocks are known better as a call goes on: lines drawn earlier stand up to a millisecond, a
 * twentieth of a pixel, beside those drawn now, and their edges differ by a shade (3 to 13 of 255).
 */
const SHADE = 16;
/** One second of one process missing, or drawn twice, is 45 columns of three legs: 2,700 pixels. */
const PIXELS_MAX = 500;
/** Of the 40 s and more that the calls last. */
const PICTURE_NS = 24e9;

interface Scene {
  readonly url: string;
  readonly port: number;
  readonly data: string;
  readonly auditFolder: string;
  readonly random: () => number;
  collector: Child;
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

async function get<T>(scene: Scene, path: string): Promise<T> {
  const response = await fetch(`${scene.url}/api/v1${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

async function startScene(random: () => number): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'framescope-kill-'));
  const [data, auditFolder] = [join(folder, 'data'), join(folder, 'audit')];
  mkdirSync(auditFolder);
  const collector = spawnCollector({ data, port: 0 });
  const scene: Scene = { ...(await whenReady(collector)), data, auditFolder, random, collector };
  onTestFailed(() => void process.stdout.write(`collector: ${scene.collector.output()}\n`));
  onTestFinished(async () => {
    await scene.collector.end('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return scene;
}

/** Four calls of the example, with the auditor in each of its processes. */
function startCalls({ url, auditFolder }: Scene, seed: number): Child {
  const auditor = new URL('audit/register.mjs', import.meta.url).href;
  const args = ['--calls', `${CALLS}`, '--loop', '--turns', '200', '--seed', `${seed}`];
  const calls = runNode('examples/voice-agent/out/main.js', [...args, '--collector', url], {
    NODE_OPTIONS: `--import ${auditor}`,
    FRAMESCOPE_AUDIT: auditFolder,
    OPENAI_API_KEY: '',
  });
  onTestFinished(async () => void (await calls.end()));
  return calls;
}

/** Waits for new acknowledgements: the senders have found the collector. */
const acknowledges = ({ auditFolder }: Scene, more = 1): Promise<void> => {
  const before = acknowledgedCount(auditFolder);
  return expect
    .poll(() => acknowledgedCount(auditFolder), { timeout: 60_000, interval: 20 })
    .toBeGreaterThanOrEqual(before + more);
};

/** One death and one return; what happened, in a line. */
async function killOnce(scene: Scene, { page }: OpenPage, index: number): Promise<string> {
  const isInStart = index % STARTS_EVERY === STARTS_EVERY - 1;
  const momentMs = scene.random() * (isInStart ? AFTER_SPAWN_MS_MAX : AFTER_ACK_MS_MAX);
  const awayMs = scene.random() * AWAY_MS_MAX;
  if (!isInStart) await acknowledges(scene);
  await sleep(momentMs);
  await scene.collector.end('SIGKILL');
  const acknowledged = acknowledgedCount(scene.auditFolder);
  await expect.poll(() => bannerOf(page), { timeout: 10_000 }).toContain('went away');
  await sleep(awayMs);
  scene.collector = spawnCollector(scene);
  // The next kill may fall into this start: then nobody waits for it.
  if ((index + 1) % STARTS_EVERY !== STARTS_EVERY - 1) {
    await whenReady(scene.collector);
    await expect.poll(() => bannerOf(page), { timeout: 30_000 }).toBe('');
  }
  const when = `${momentMs.toFixed(0)} ms after ${isInStart ? 'its start' : 'an answer'}`;
  return `${index + 1}: ${when}, away ${awayMs.toFixed(0)} ms, ${acknowledged} acknowledged`;
}

/** The banner as the user reads it; empty when there is none. */
const bannerOf = (page: OpenPage['page']): Promise<string> =>
  page
    .locator('.banner')
    .evaluate(banner => ((banner as HTMLElement).hidden ? '' : (banner.textContent ?? '')));

/** Every item of a list, page after page. */
async function listOf<T>(scene: Scene, path: string): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page<T> = await get(scene, `${path}?limit=500${cursor && `&cursor=${cursor}`}`);
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

/** Marks of one session by the API, in the words of the audit. */
async function framesOf(scene: Scene, { key, id }: SessionSummary): Promise<Tally> {
  const tally: Tally = new Map();
  const { durationNs } = await get<{ durationNs: number }>(scene, `/sessions/${key}`);
  const step = 4e9;
  for (let fromNs = -step; fromNs < durationNs + step; fromNs += step) {
    const range = `fromNs=${fromNs}&toNs=${fromNs + step}`;
    const window = await get<FramesWindow>(scene, `/sessions/${key}/frames?${range}`);
    expect(window.truncated).toBe(false);
    for (const hop of window.hops)
      for (let i = 0; i < hop.length; i++)
        if (hop.atNs[i]! >= fromNs && hop.atNs[i]! < fromNs + step)
          count(
            tally,
            `${id} ${hop.key} ${hop.startTick[i]}+${hop.endTick[i]! - hop.startTick[i]!}`,
          );
  }
  return tally;
}

const ofSession = (tally: Tally, id: string): Tally =>
  new Map([...tally].filter(([key]) => key.startsWith(`${id} `)));

async function expectStoreToHold(scene: Scene, audit: Audit): Promise<void> {
  const stored = await readStored(scene.data, audit.turns.keys());
  const acknowledged = audit.acknowledged.flat();
  expect(new Set(acknowledged).size, 'acknowledged once each').toBe(acknowledged.length);
  expect(
    acknowledged.filter(id => !stored.records.has(id)),
    'acknowledged but lost',
  ).toEqual([]);
  expect(
    [...stored.records].filter(([, times]) => times > 1),
    'stored twice',
  ).toEqual([]);
  expect(missingNumbers(stored.records), 'gaps in what a sender numbered').toEqual([]);
  expect(difference(audit.marks, stored.marks), 'marks made against marks stored').toEqual([]);
}

async function expectApiToTell(scene: Scene, audit: Audit): Promise<void> {
  const sessions = await listOf<SessionSummary>(scene, '/sessions');
  expect(sessions.map(one => one.id).toSorted()).toEqual([...audit.turns.keys()].toSorted());
  for (const session of sessions) {
    const turns = await listOf<Turn>(scene, `/sessions/${session.key}/turns`);
    const begun = [...audit.turns.get(session.id)!].toSorted((a, b) => a - b);
    expect(turns.map(turn => turn.tick).toSorted((a, b) => a - b)).toEqual(begun);
    const marks = ofSession(audit.marks, session.id);
    expect(difference(marks, await framesOf(scene, session)), session.id).toEqual([]);
    await expectCountsOf(scene, audit, session);
  }
}

/** What is counted as it comes, pass by pass and start by start, against the whole. */
async function expectCountsOf(scene: Scene, audit: Audit, session: SessionSummary): Promise<void> {
  const detailOf = (): Promise<SessionDetail> => get(scene, `/sessions/${session.key}`);
  const hopsOf = async (): Promise<HopDetail[]> =>
    (await detailOf()).streams.flatMap(stream => stream.hops);
  const marked = marksByHop(audit.marks, session.id);
  await expect
    .poll(async () => tallyBy(await hopsOf(), hop => hop.markCount), { timeout: 20_000 })
    .toEqual(Object.fromEntries(marked));
  expect((await detailOf()).turnCount).toBe(audit.turns.get(session.id)!.size);
  const rolledUp = await readRollups(scene.data, session.key);
  const measured = (await hopsOf()).filter(hop => hop.latency.n > 0);
  expect(Object.fromEntries(rolledUp)).toEqual(tallyBy(measured, hop => hop.latency.n));
}

const tallyBy = (
  hops: readonly HopDetail[],
  numberOf: (hop: HopDetail) => number,
): Record<string, number> => Object.fromEntries(hops.map(hop => [hop.key, numberOf(hop)]));

/** Address of the end of a session: little enough for each frame to be a line of its own. */
async function lastSecondsOf(scene: Scene, key: string): Promise<string> {
  const { durationNs } = await get<SessionDetail>(scene, `/sessions/${key}`);
  return `/sessions/${key}?from=${durationNs - PICTURE_NS}&to=${durationNs}`;
}

/** The page that lived through it all shows what one opened only now shows. */
async function expectSamePicture(
  browser: TestBrowser,
  { page }: OpenPage,
  address: string,
): Promise<void> {
  const fresh = await browser.open(new URL(address, page.url()).href);
  await fresh.page.locator('.lanes canvas').waitFor();
  await restingPixelHash(fresh.page);
  await page.bringToFront();
  await showView(page, address);
  await restingPixelHash(page);
  const different = await countDifferentPixels(page, fresh.page, SHADE);
  process.stdout.write(`kill: ${different} pixels differ from a page opened now\n`);
  expect(different).toBeLessThanOrEqual(PIXELS_MAX);
}

test(
  'kill -9 at 20 random moments with four calls running loses nothing acknowledged, repeats nothing, and all carry on',
  { timeout: 600_000 },
  async () => {
    const seed = Number(process.env['FRAMESCOPE_SEED'] ?? Date.now() % 1_000_000);
    process.stdout.write(`kill: FRAMESCOPE_SEED=${seed}\n`);
    const scene = await startScene(randomOf(seed));
    const calls = startCalls(scene, seed);
    await expect.poll(() => listOf(scene, '/sessions'), { timeout: 30_000 }).toHaveLength(CALLS);
    const [watched] = await listOf<SessionSummary>(scene, '/sessions');
    const browser = await launchBrowser();
    onTestFinished(() => browser.close());
    const tab = await browser.open(`${scene.url}/sessions/${watched!.key}`);
    await expect.poll(() => bannerOf(tab.page)).toBe('');

    for (let index = 0; index < KILLS; index++)
      process.stdout.write(`kill ${await killOnce(scene, tab, index)}\n`);

    // All carry on: senders, and the page that was open all the time.
    await acknowledges(scene, 3 * CALLS * 3);
    await expect.poll(() => tab.page.locator('.status').innerText()).toBe('Live');
    const before = await pixelHash(tab.page);
    await expect.poll(() => pixelHash(tab.page), { timeout: 10_000 }).not.toBe(before);

    expect(await calls.end(), calls.output()).toBe(0);
    const audit = readAudit(scene.auditFolder);
    await expectStoreToHold(scene, audit);
    await expect
      .poll(async () => (await listOf<SessionSummary>(scene, '/sessions')).map(one => one.status))
      .toEqual(Array.from(audit.turns, () => 'ended'));
    await expectApiToTell(scene, audit);

    await expectSamePicture(browser, tab, await lastSecondsOf(scene, watched!.key));
    process.stdout.write(
      `kill: ${audit.acknowledged.flat().length} records and ${audit.marks.size} marks, all there once\n`,
    );
  },
);
