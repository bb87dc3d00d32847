// Each job of the README as different people do it: by keyboard alone, by what a screen reader is
// told alone, and by touch. One world of twenty-four calls with a bad host.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sessionKey, type SessionSummary } from '@framescope/protocol';
import {
  ApiClient,
  causeWorld,
  HOME_LEGS,
  loadCauseWorld,
  runCall,
  scenarioOf,
  turnOf,
} from '@framescope/testkit';
import { startCollector, type Collector } from 'framescope';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../../../test/browser.ts';

const viewerFolder = fileURLToPath(new URL('../dist/', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'framescope-jobs-'));

const LATE = scenarioOf({
  id: 'late-call',
  startUnixMs: Date.now() - 300_000,
  attributes: { region: 'eu-west', release: '2.5.0' },
  isLean: true,
  legs: {
    ...HOME_LEGS,
    'client>edge': {
      ...HOME_LEGS['client>edge'],
      incident: { fromMs: 0, toMs: 60_000, addMs: 1_900, loss: 0.02 },
    },
  },
  turns: [turnOf(), turnOf()],
});

let browser: TestBrowser;
let collector: Collector;
let call: SessionSummary;

beforeAll(async () => {
  collector = await startCollector({ data, viewerFolder });
  const api = new ApiClient(collector.url);
  const world = causeWorld({ kind: 'bad host', seed: 7, endUnixMs: Date.now() - 120_000 });
  await loadCauseWorld(api, world);
  call = (await api.sessions(1)).items[0]!;
  // Slower than all others, and its frames late: what a heatmap leads to.
  await runCall(api, LATE);
  browser = await launchBrowser();
}, 300_000);

afterAll(async () => {
  await browser.close();
  await collector.close();
  rmSync(data, { recursive: true, force: true });
});

const open = async (path: string): Promise<{ page: Page; done: () => Promise<void> }> => {
  const { page, problems } = await browser.open(collector.url + path);
  await page.locator('.progress').first().waitFor({ state: 'detached' });
  return {
    page,
    done: async () => {
      expect(problems()).toEqual([]);
      await page.close();
    },
  };
};

// ---- by keyboard alone: no test here moves a pointer ----------------------------------------

/** What has the focus: its role and name, as far as they are told here. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const at = document.activeElement;
    if (!at || at === document.body) return '';
    const label = at.getAttribute('aria-label') ?? at.textContent ?? '';
    return `${at.tagName.toLowerCase()} ${label.replaceAll(/\s+/g, ' ').trim()}`;
  });

const TABS_MAX = 90;

/** Tab until what has the focus reads like `wanted`. */
async function tabTo(page: Page, wanted: RegExp): Promise<void> {
  const seen: string[] = [];
  for (let tab = 0; tab < TABS_MAX; tab++) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    seen.push(now.slice(0, 40));
    if (wanted.test(now)) return;
  }
  throw new Error(`no Tab of ${TABS_MAX} reached ${wanted}: ${seen.join(' | ')}`);
}

test('keyboard: a call is found by its ID', async () => {
  const { page, done } = await open('/');
  await page.keyboard.press('/');
  await page.keyboard.type(call.id);
  await page.locator('a.hit').first().waitFor();
  await tabTo(page, new RegExp(`^a .*${call.id}`));
  await page.keyboard.press('Enter');
  await page.locator('.lanes canvas').waitFor();
  expect(page.url()).toContain(`/sessions/${call.key}`);
  await done();
});

test('keyboard: a turn opens its ledger, the next one with the bracket', async () => {
  const { page, done } = await open(`/sessions/${call.key}`);
  await page.keyboard.press(']');
  await page.getByRole('heading', { name: /^Turn 1 of \d+$/ }).waitFor();
  await page.getByText('Adds up to the wait').first().waitFor();
  await page.keyboard.press(']');
  await page.getByRole('heading', { name: /^Turn 2 of \d+$/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: /^Turn/ }).waitFor({ state: 'detached' });
  await expect.poll(() => new URL(page.url()).searchParams.get('turn')).toBe(null);
  await done();
});

test('keyboard: from a cell of the heatmap to its turn, and to the next late frame', async () => {
  const { page, done } = await open('/tail');
  await tabTo(page, /^div .*Keys: arrows/);
  // The slowest cell of the last column, then upwards to the slowest of all.
  await page.keyboard.press('ArrowUp');
  for (let press = 0; press < 40; press++) await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  await page.locator('.turn-line').first().waitFor();
  await page.keyboard.press('e');
  await page.getByText('late-call').first().waitFor();
  await tabTo(page, /^a (≥ )?[\d.,]+ m?s/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /^Turn \d+ of \d+$/ }).waitFor();
  // Frames come with the picture; a late one may lie further on: the key is pressed until one is named.
  await expect
    .poll(async () => {
      await page.keyboard.press('.');
      return page.getByRole('status').allInnerTexts();
    })
    .toContainEqual(expect.stringMatching(/^Frame at sample \d+ of \w+$/));
  // The address follows once the keys rest.
  await expect.poll(() => new URL(page.url()).searchParams.get('frame') ?? '').toMatch(/^\w+:\d+$/);
  await done();
});

test('keyboard: why they are slow, and what if they were not', async () => {
  const { page, done } = await open('/tail');
  await tabTo(page, /^button Why slow\?/);
  await page.keyboard.press('Enter');
  await page.locator('[data-verdict=attribute]').waitFor();
  await tabTo(page, /^select Part/);
  await page.keyboard.press('Tab');
  const before = await page.locator('.what-if output').innerText();
  for (let press = 0; press < 5; press++) await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.locator('.what-if output').innerText()).not.toBe(before);
  await expect
    .poll(async () => (await page.locator('.what-if').innerText()).replaceAll(/\s+/g, ' '))
    .toMatch(/p95 .*−\d+ ms/);
  await done();
});

test('keyboard: two releases are compared', async () => {
  const { page, done } = await open('/');
  await tabTo(page, /^a Compare$/);
  await page.keyboard.press('Enter');
  await page.locator('[data-differs]').waitFor();
  await tabTo(page, /^input Filter of A/);
  await page.keyboard.press('Control+A');
  await page.keyboard.type('host:agent-1');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.url()).toContain('aFilter=host');
  await done();
});

test('keyboard: a trace is read, span by span', async () => {
  const { page, done } = await open('/traces');
  await tabTo(page, /^a .*turn/);
  await page.keyboard.press('Enter');
  await page.getByRole('treeitem').first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.getByRole('complementary', { name: 'Span' }).getByRole('heading').first().waitFor();
  expect(new URL(page.url()).searchParams.get('span')).toMatch(/^[0-9a-f]{16}$/);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Escape');
  await page.getByRole('complementary', { name: 'Span' }).waitFor({ state: 'detached' });
  await done();
});

test('keyboard: what is seen is exported', async () => {
  const { page, done } = await open('/tail');
  await tabTo(page, /^summary Export/);
  await page.keyboard.press('Enter');
  await tabTo(page, /CSV/);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.keyboard.press('Enter'),
  ]);
  expect(download.suggestedFilename()).toMatch(/\.csv$/);
  await done();
});

// ---- by what a screen reader is told alone --------------------------------------------------

/** The page as the accessible tree has it, in lines. */
const tree = (page: Page): Promise<string> => page.locator('body').ariaSnapshot();

/** Waits until the tree says it. */
async function expectSaid(page: Page, what: RegExp): Promise<void> {
  await expect.poll(() => tree(page), { timeout: 10_000 }).toMatch(what);
}

test('accessible tree: a call is found, its turn and the parts of its wait are told in words', async () => {
  const { page, done } = await open('/');
  await page.getByRole('searchbox', { name: 'Find by ID or words' }).fill(call.id);
  await expectSaid(page, new RegExp(`link ".*${call.id}`));
  await page
    .getByRole('link', { name: new RegExp(call.id) })
    .first()
    .press('Enter');
  await expectSaid(page, /application "Frames of .* from mouth to ear, \d+ turns\. Keys: /);
  await page.getByRole('button', { name: /^Next turn/ }).press('Enter');
  await expectSaid(page, /status: Turn 1 of \d+, wait /);
  await expectSaid(page, /complementary "Ledger of the turn"/);
  await expectSaid(page, /img ".*(inference|endpointing) \d+/);
  await expectSaid(page, /Adds up to the wait/);
  await done();
});

test('accessible tree: the tail tells its percentiles, its cells, and why', async () => {
  const { page, done } = await open('/tail');
  await expectSaid(
    page,
    /application "Voice to voice.*: [\d,]+ in \d+ calls; p50 .*p95 .*slowest /,
  );
  await page.getByRole('application', { name: /Voice to voice/ }).press('ArrowUp');
  await expectSaid(page, /status: "?\d+ turns? around /);
  await page.getByRole('button', { name: 'Why slow?' }).press('Enter');
  await expectSaid(page, /heading "First cause"/);
  await expectSaid(page, /paragraph: host is agent-1 for \d+ % inside/);
  await expectSaid(page, /row ".*(inference|synthesis).* %/);
  await expectSaid(page, /slider "Shorter by, milliseconds"/);
  await done();
});

test('accessible tree: a late frame is named when the key finds it', async () => {
  const { page, done } = await open(
    `/sessions/${sessionKey('late-call')}?turn=${await firstTick()}`,
  );
  await expectSaid(page, /complementary "Ledger of the turn"/);
  const lanes = page.getByRole('application', { name: /Frames of/ });
  await expect
    .poll(async () => {
      await lanes.press('.');
      return tree(page);
    })
    .toMatch(/status: Frame at sample \d+ of \w+/);
  await done();
});

async function firstTick(): Promise<number> {
  return (await new ApiClient(collector.url).turns('late-call'))[0]!.tick;
}

test('accessible tree: a comparison says how far apart they are; a trace is a tree of spans', async () => {
  const { page, done } = await open('/compare');
  await expectSaid(page, /combobox "Filter of A"/);
  await expectSaid(page, /img "Distributions of A and B from /);
  await page.getByRole('navigation').getByRole('link', { name: 'Traces' }).press('Enter');
  await expectSaid(page, /heading "Traces"/);
  await page.getByRole('main').getByRole('link', { name: /turn/ }).first().press('Enter');
  await expectSaid(page, /tree "Spans"/);
  await expectSaid(page, /treeitem ".*\d+ m?s/);
  await done();
});

test('accessible tree: exports are named by what they are', async () => {
  const { page, done } = await open(`/sessions/${call.key}`);
  await page.getByText('Export', { exact: true }).press('Enter');
  for (const name of [/PNG/, /SVG/, /OTLP/, /Perfetto/, /HTML/])
    await expectSaid(page, new RegExp(`(button|link) ".*${name.source}`));
  await done();
});

// ---- by touch -------------------------------------------------------------------------------

interface Finger {
  readonly x: number;
  readonly y: number;
}

/** Fingers from here to there, as the screen tells them. */
async function swipe(page: Page, from: readonly Finger[], to: readonly Finger[]): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  const touch = (
    type: 'touchStart' | 'touchMove' | 'touchEnd',
    touchPoints: readonly Finger[],
  ): Promise<unknown> =>
    cdp.send('Input.dispatchTouchEvent', { type, touchPoints: [...touchPoints] });
  const STEPS = 8;
  await touch('touchStart', from);
  for (let step = 1; step <= STEPS; step++)
    await touch(
      'touchMove',
      from.map((finger, i) => ({
        x: finger.x + ((to[i]!.x - finger.x) * step) / STEPS,
        y: finger.y + ((to[i]!.y - finger.y) * step) / STEPS,
      })),
    );
  await touch('touchEnd', []);
  await cdp.detach();
}

async function openTouch(path: string): Promise<{ page: Page; done: () => Promise<void> }> {
  const opened = await open(path);
  const cdp = await opened.page.context().newCDPSession(opened.page);
  await cdp.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 5 });
  return opened;
}

const windowOf = (page: Page): Promise<string> =>
  page.locator('output[aria-label=Window]').innerText();

test('touch: one finger moves the timeline, two zoom it, a tap opens a turn', async () => {
  const { page, done } = await openTouch(`/sessions/${call.key}`);
  const canvas = page.locator('.lanes canvas');
  const box = (await canvas.boundingBox())!;
  const at = (x: number, y: number): Finger => ({ x: box.x + x, y: box.y + y });
  const whole = await windowOf(page);
  await swipe(page, [at(600, 200), at(700, 200)], [at(400, 200), at(900, 200)]);
  await expect.poll(() => windowOf(page)).not.toBe(whole);
  const zoomed = await windowOf(page);
  await swipe(page, [at(700, 200)], [at(500, 200)]);
  await expect.poll(() => windowOf(page)).not.toBe(zoomed);
  expect(await page.evaluate(() => document.scrollingElement!.scrollTop)).toBe(0);
  await page.keyboard.press('f');
  // The ledgers of the whole call: a tap on the first turn's bar.
  const turn = (await new ApiClient(collector.url).turns(call.id))[0]!;
  const detail = await new ApiClient(collector.url).session(call.id);
  const share = (turn.user!.startNs + turn.user!.endNs) / 2 / detail.durationNs;
  const gutter = 176;
  const tap = at(gutter + share * (box.width - gutter - 12), 42);
  await swipe(page, [tap], [tap]);
  await page.getByRole('heading', { name: /^Turn 1 of/ }).waitFor();
  await done();
});

test('touch: a box drawn on the heatmap opens what is in it', async () => {
  const { page, done } = await openTouch('/tail');
  const canvas = page.locator('.heat canvas');
  await canvas.waitFor();
  const box = (await canvas.boundingBox())!;
  await swipe(
    page,
    [{ x: box.x + 90, y: box.y + 40 }],
    [{ x: box.x + box.width - 70, y: box.y + box.height - 40 }],
  );
  await page.locator('.turn-line').first().waitFor();
  expect(page.url()).toContain('pick=');
  await done();
});

// ---- less motion ----------------------------------------------------------------------------

test('where less motion is asked for nothing moves by itself', async () => {
  for (const path of ['/', '/sessions', `/sessions/${call.key}`, '/tail?pick=slow', '/traces']) {
    const { page, done } = await open(path);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const moving = await page.evaluate(() =>
      document
        .getAnimations()
        .filter(one => one.playState === 'running')
        .map(one => (one as CSSAnimation).animationName ?? 'transition'),
    );
    expect(moving, path).toEqual([]);
    const timed = await page.evaluate(
      () =>
        [...document.querySelectorAll('*')].filter(one => {
          const style = getComputedStyle(one);
          return parseFloat(style.animationDuration) > 0.01 && style.animationName !== 'none';
        }).length,
    );
    expect(timed, path).toBe(0);
    await done();
  }
});
