// A simulated half hour of calls with one slow part: the page names it, three
// clicks from its front; every page is fit for a screen reader, in both themes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  answerOf,
  ApiClient,
  type CauseKind,
  causeWorld,
  collectorTimeOf,
  deliver,
  isRight,
  loadCauseWorld,
  scenarioOf,
  settledAnswers,
  simulate,
  type ToldCause,
  turnOf,
} from '@framescope/testkit';
import { startCollector, type Collector } from 'framescope';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../../../test/browser.ts';
import { violations } from './axe.ts';
import { soundOf, wavOf } from './sound.ts';

const viewerFolder = fileURLToPath(new URL('../dist/', import.meta.url));

/** What can be slow in an answer. */
type AnswerSpec = ReturnType<typeof answerOf>;

interface World {
  readonly collector: Collector;
  readonly data: string;
}

const worlds: World[] = [];
let browser: TestBrowser;
let day: World;

beforeAll(async () => {
  browser = await launchBrowser();
  day = await worldOf({ synthesisMs: 900 }, 90);
}, 300_000);

afterAll(async () => {
  await browser.close();
  for (const { collector, data } of worlds) {
    await collector.close();
    rmSync(data, { recursive: true, force: true });
  }
});

async function emptyWorld(): Promise<World> {
  const data = mkdtempSync(join(tmpdir(), 'framescope-day-'));
  const world = { collector: await startCollector({ data, viewerFolder }), data };
  worlds.push(world);
  return world;
}

const CALLS = 28;
const TURNS = 22;

/** Twenty-eight calls, just enough turns for thirty in the slowest twentieth; one turn in sixteen, wherever it is, has one slow part; the newer release has a model slower by so much. */
async function worldOf(slow: Partial<AnswerSpec>, newerMs = 0): Promise<World> {
  const world = await emptyWorld();
  const { collector } = world;
  const api = new ApiClient(collector.url);
  const endUnixMs = Date.now() - 120_000;
  for (let call = 0; call < CALLS; call++) {
    const isNew = call % 4 > 1;
    const scenario = scenarioOf({
      id: `day-call-${call}`,
      seed: call + 1,
      startUnixMs: endUnixMs - (CALLS - call) * 60_000,
      attributes: {
        region: ['eu-west', 'us-east'][call % 2]!,
        release: isNew ? '2.5.0' : '2.4.0',
      },
      isLean: true,
      flushMs: 5_000,
      tailMs: 2_200,
      turns: Array.from({ length: TURNS }, (_, turn) =>
        turnOf({
          speechMs: 400,
          gapMs: 300,
          endpointingMs: 200 + ((call * 7 + turn * 3) % 9) * 10,
          answer: answerOf({
            audioMs: 400,
            inferenceMs: (isNew ? 200 + newerMs : 200) + ((call * 5 + turn * 11) % 13) * 6,
            ...((call * 3 + turn * 5) % 16 === 0 ? slow : {}),
          }),
        }),
      ),
    });
    const from = await collectorTimeOf(api, scenario.startUnixMs);
    await deliver(api, (await simulate(scenario, { collector: from })).bodies);
  }
  await settledAnswers(api, `day-call-${CALLS - 1}`);
  return world;
}

interface Told extends ToldCause {
  readonly clicks: number;
}

/** From the front page to the verdict; every click is counted. */
async function causeOf(url: string): Promise<Told> {
  const { page, problems } = await browser.open(url);
  let clicks = 0;
  const click = (find: Locator): Promise<void> => {
    clicks++;
    return find.click();
  };
  await click(page.getByRole('link', { name: 'Tail', exact: true }).first());
  await click(page.getByRole('button', { name: 'Why slow?' }));
  const verdict = page.locator('[data-verdict]');
  await verdict.waitFor();
  const said = async (name: string): Promise<string> =>
    (await verdict.getAttribute(`data-${name}`)) ?? '';
  const told = {
    kind: await said('verdict'),
    name: await said('cause'),
    value: (await said('value')) || null,
    with: (await said('with')).split(' ').filter(name => name !== ''),
    clicks,
  };
  expect(problems()).toEqual([]);
  await page.close();
  return told;
}

test('a slow synthesis is named as the first cause, within three clicks of the front page', async () => {
  const told = await causeOf(day.collector.url);
  expect([told.kind, told.name]).toEqual(['part', 'synthesis']);
  expect(told.clicks).toBeLessThanOrEqual(3);
});

/** Of twenty kinds, which `npm run bench -- causes` goes through: one of each sort of verdict. */
const KINDS = [
  'slow network',
  'two parts together',
  'bad host in a region',
  'one bad call',
  'none, many attributes',
] as const satisfies readonly CauseKind[];

for (const kind of KINDS)
  test(`the page names first what is true of a world: ${kind}`, { timeout: 300_000 }, async () => {
    const made = causeWorld({ kind, seed: 7, endUnixMs: Date.now() - 120_000 });
    const { collector } = await emptyWorld();
    await loadCauseWorld(new ApiClient(collector.url), made);
    const told = await causeOf(collector.url);
    expect(isRight(made.truth, told), `${made.truth.text} | ${JSON.stringify(told)}`).toBe(true);
  });

test('the call that is named as the only bad one is a click away', async () => {
  const { collector } = worlds[worlds.length - 2]!;
  const { page } = await browser.open(`${collector.url}/tail?pick=slow`);
  await page.getByRole('link', { name: 'This call' }).click();
  await page.locator('.lanes canvas').waitFor();
  expect(page.url()).toMatch(/\/sessions\/\w+$/);
  await page.close();
});

test('the slow turns of the panel lead to their place on the timeline', async () => {
  const { page } = await browser.open(`${day.collector.url}/tail?pick=slow`);
  await page.locator('.turn-line').first().click();
  await page.getByRole('heading', { name: /^Turn \d+ of \d+$/ }).waitFor();
  expect(page.url()).toMatch(/\/sessions\/\w+\?turn=\d+/);
  await page.goBack();
  await page.locator('[data-verdict]').waitFor();
  await page.close();
});

test('of frames too it is asked why the slow ones are slow, and each leads to its place', async () => {
  const { page, problems } = await browser.open(
    `${day.collector.url}/tail?measure=frame.mic.agent%2Freceive`,
  );
  await page.getByRole('button', { name: 'Why slow?' }).click();
  const verdict = page.locator('[data-verdict]');
  await verdict.waitFor();
  expect((await verdict.innerText()).replaceAll(/\s+/g, ' ')).toMatch(
    /[\d,]+ frames in \d+ calls from [\d.]+ ms up, against [\d,]+ frames in \d+ calls/,
  );
  await page.locator('.turn-line').first().click();
  await page.locator('.lanes canvas').waitFor();
  expect(page.url()).toMatch(/\/sessions\/\w+\?.*frame=mic/);
  expect(problems()).toEqual([]);
  await page.close();
});

test('a click on an attribute keeps only those, in the filter and in the address', async () => {
  const { page } = await browser.open(`${day.collector.url}/tail?pick=slow`);
  const button = page.locator('.as-link').first();
  const [name = '', value = ''] = (await button.innerText()).split(': ');
  await button.click();
  const field = page.getByRole('combobox', { name: 'Filter' });
  await expect.poll(() => field.inputValue()).toBe(`${name}:"${value}"`);
  expect(new URL(page.url()).searchParams.get('filter')).toBe(`${name}:"${value}"`);
  await page.close();
});

test('what if synthesis took less: the page tells the new percentiles', async () => {
  const { page } = await browser.open(`${day.collector.url}/tail?pick=slow`);
  await page.getByRole('combobox', { name: 'Part' }).selectOption('synthesis');
  await page.getByRole('slider').fill('400');
  await expect
    .poll(async () =>
      (await page.locator('.what-if tr').nth(1).innerText()).replaceAll(/\s+/g, ' '),
    )
    .toMatch(/^p95 .* −\d+ ms$/);
  await page.close();
});

test('the filter completes keys and values by keyboard and says what is wrong with it', async () => {
  const { page } = await browser.open(`${day.collector.url}/sessions`);
  const field = page.getByRole('combobox', { name: 'Filter' });
  await field.focus();
  await field.pressSequentially('reg');
  await page.getByRole('option').first().waitFor();
  await page.keyboard.press('Tab');
  await expect.poll(() => field.inputValue()).toMatch(/^region:/);
  await page.getByRole('option').filter({ hasText: 'us-east' }).waitFor();
  await field.pressSequentially('us');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.url()).toContain('filter=region');
  await expect.poll(() => page.locator('tr[data-key]').count()).toBe(CALLS / 2);
  await field.fill('release:>>');
  await page.keyboard.press('Enter');
  await page.locator('.filter-problem:not([hidden])').waitFor();
  await page.close();
});

test('two releases beside each other: the slower one is seen to be slower', async () => {
  const { page, problems } = await browser.open(`${day.collector.url}/compare`);
  await page.locator('[data-differs]').waitFor();
  expect(await page.locator('[data-differs]').getAttribute('data-differs')).toBe('true');
  await page.getByRole('row').filter({ hasText: 'inference' }).waitFor();
  expect(page.url()).toBe(`${day.collector.url}/compare`);
  expect(problems()).toEqual([]);
  await page.close();
});

interface Looked {
  readonly path: string;
  /** What is opened on the page before it is looked at. */
  readonly what?: string;
  readonly open?: (page: Page) => Promise<void>;
}

/** Each page as it comes, and each thing that can be opened over one. */
async function looks(url: string): Promise<Looked[]> {
  const api = new ApiClient(url);
  const { key, id } = (await api.sessions(1)).items[0]!;
  const turn = (await api.turns(id))[0]!;
  await annotated(url);
  const session = `/sessions/${key}?turn=${turn.tick}`;
  const pages = [
    '/',
    '/?q=day-call',
    '/sessions',
    `/sessions/${key}`,
    session,
    '/tail',
    '/tail?pick=slow',
    '/tail?group=region',
    '/tail?measure=frame.mic.agent%2Freceive&pick=slow',
    '/compare',
    '/places',
    '/collector',
    '/traces',
    `/traces/${turn.traceId}`,
    '/nowhere',
  ];
  const menu = (path: string): Looked => ({
    path,
    what: 'exports',
    open: page => page.locator('summary', { hasText: 'Export' }).click(),
  });
  return [
    ...pages.map(path => ({ path })),
    ...['/sessions', session, '/tail', '/compare', `/traces/${turn.traceId}`].map(menu),
    {
      path: '/',
      what: 'help',
      open: async page => {
        await page.keyboard.press('?');
        await page.getByRole('dialog', { name: 'Keys' }).waitFor();
      },
    },
    {
      path: '/tail',
      what: 'a mark to be made',
      open: async page => {
        await page.getByRole('button', { name: 'Mark', exact: true }).click();
        await page.getByRole('dialog', { name: 'Mark this time' }).waitFor();
      },
    },
    {
      path: '/tail?range=1h',
      what: 'a mark',
      open: async page => {
        await page
          .getByRole('button', { name: /^deploy Release/ })
          .first()
          .click();
        await page.getByRole('dialog').waitFor();
      },
    },
    {
      path: '/sessions',
      what: 'a filter half written',
      open: async page => {
        await page.getByRole('combobox', { name: 'Filter' }).pressSequentially('reg');
        await page.getByRole('option').first().waitFor();
      },
    },
    {
      path: '/sessions?filter=region%3A',
      what: 'a filter that is wrong',
      open: async page => {
        const field = page.getByRole('combobox', { name: 'Filter' });
        await field.fill('release:>>');
        await field.press('Enter');
        await page.locator('.filter-problem:not([hidden])').waitFor();
      },
    },
    {
      path: session,
      what: 'kept, with a recording',
      open: async page => {
        await page.getByRole('button', { name: 'Keep' }).click();
        await page.getByRole('button', { name: 'Kept' }).waitFor();
        const buffer = wavOf(soundOf([turn], 1));
        const file = { name: 'call.wav', mimeType: 'audio/wav', buffer };
        await page.locator('input[type=file]').setInputFiles(file);
        await page.getByText('begins at').waitFor();
        await page.getByRole('button', { name: 'Kept' }).click();
        await page.getByRole('button', { name: 'Keep' }).waitFor();
      },
    },
    {
      path: '/collector',
      what: 'a budget that is none',
      open: async page => {
        await page.getByLabel('Limit of Frame age (every hop)').fill('soon');
        await page.getByRole('button', { name: 'Save' }).click();
      },
    },
  ];
}

async function annotated(url: string): Promise<void> {
  const body = {
    kind: 'deploy',
    text: 'Release 2.5.0',
    atUnixNs: `${Date.now() - 600_000}000000`,
    endUnixNs: null,
    attributes: { by: 'ci' },
  };
  const answer = await fetch(`${url}/api/v1/annotations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.ok, await answer.text()).toBe(true);
}

for (const colorScheme of ['light', 'dark'] as const)
  test(
    `no page, dialog or menu has anything that axe objects to, ${colorScheme}`,
    { timeout: 400_000 },
    async () => {
      const found: string[] = [];
      for (const { path, what = '', open } of await looks(day.collector.url)) {
        const { page } = await browser.open(day.collector.url + path, { colorScheme });
        await page.locator('main *').first().waitFor();
        // What Places tells is worked out when it is first asked: a minute beside other work.
        const gone = { state: 'detached', timeout: 120_000 } as const;
        await page.locator('.progress').first().waitFor(gone);
        await open?.(page);
        await page.waitForTimeout(400);
        found.push(...(await violations(page)).map(one => `${path} ${what}: ${one}`));
        await page.close();
      }
      expect(found).toEqual([]);
    },
  );
