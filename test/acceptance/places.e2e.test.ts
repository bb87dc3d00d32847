// The demo with one thing wrong with where it runs or how its audio is cut, set by flag: real processes,
// real audio, real time. Sessions and Tail say in a sentence which it is, and Places shows it; with
// nothing set they say nothing of the kind.
//
//   npm start -- --demo --no-day -- --relays 2 --kill-relay 8s

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Finding,
  FramesWindow,
  Page as ApiPage,
  Places,
  SessionDetail,
  SessionSummary,
  Turn,
  Wait,
} from '@framescope/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../browser.ts';
import { runNode, whenReady } from './child.ts';

/** From the page's first look on: what a person has who does not know what was set. */
const FOUND_LIMIT_MS = 60_000;
/** Until there is something to be found, on a machine with other work. */
const HAPPENED_LIMIT_MS = 150_000;
const TEST_MS = HAPPENED_LIMIT_MS + FOUND_LIMIT_MS + 60_000;

let browser: TestBrowser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

interface Demo {
  readonly url: string;
  readonly output: () => string;
  readonly end: () => Promise<unknown>;
}

async function demoWith(...flags: readonly string[]): Promise<Demo> {
  const data = mkdtempSync(join(tmpdir(), 'framescope-places-'));
  const own = ['--demo', '--no-day', '--port', '0', '--data', data];
  const run = runNode('scripts/start.mjs', [...own, '--', ...flags]);
  const { url } = await whenReady(run);
  const end = async (): Promise<void> => {
    await run.end('SIGINT');
    rmSync(data, { recursive: true, force: true });
  };
  return { url, output: () => run.output(), end };
}

async function get<T>(url: string, path: string): Promise<T> {
  const answer = await fetch(`${url}/api/v1${path}`);
  return (await answer.json()) as T;
}

const findings = async (url: string): Promise<readonly Finding[]> =>
  (await get<{ items: readonly Finding[] }>(url, '/findings')).items;

/** Waits until it happened, then looks at both pages as a person does; answers what they say. */
async function saidOf(url: string, kind: Finding['kind']): Promise<string> {
  await expect
    .poll(async () => (await findings(url)).map(one => one.kind), {
      timeout: HAPPENED_LIMIT_MS,
      interval: 1_000,
    })
    .toContain(kind);
  const texts: string[] = [];
  for (const path of ['/sessions', '/tail']) {
    const { page, problems } = await browser.open(url + path);
    const strip = page.getByRole('region', { name: 'What stands out' });
    await strip.waitFor({ timeout: FOUND_LIMIT_MS });
    texts.push(await strip.innerText());
    await strip.getByRole('link', { name: /where calls run/i }).click();
    await page
      .getByRole('heading', { name: 'Places', exact: true })
      .waitFor({ timeout: FOUND_LIMIT_MS });
    await page
      .getByRole('region', { name: 'Ways between places' })
      .waitFor({ timeout: FOUND_LIMIT_MS });
    texts.push(await page.getByRole('region', { name: 'What stands out' }).innerText());
    expect(problems()).toEqual([]);
    await page.close();
  }
  return texts.join('\n');
}

/**
 * The sentence that each flag has to lead to. The buffer is deeper than a person would set it, since a
 * machine with other work is a line with jitter of its own.
 */
const FLAGS: readonly (readonly [string, Finding['kind'], RegExp])[] = [
  [
    '--regions eu,us --far-model --calls 4 --turns 3',
    'far',
    /voice-agent in eu reaches voice-models in us: \d+ ms/,
  ],
  ['--calls 40 --spike --turns 4', 'queue', /llm_queue of voice-models .* was \d+ deep/],
  ['--chunk 200ms --calls 2 --turns 3', 'cut', /in pieces of 200 ms: a frame waits \d+ ms/],
  [
    '--jitter-buffer fixed:400 --calls 2 --turns 3',
    'jitter_buffer',
    /jitter buffer is deeper than the line asks for: [34]\d\d ms/,
  ],
];

for (const [flags, kind, sentence] of FLAGS)
  test(
    `the demo with ${flags}: Sessions and Tail say so`,
    async () => {
      const demo = await demoWith(...flags.split(' '), '--loop');
      try {
        expect(await saidOf(demo.url, kind)).toMatch(sentence);
      } finally {
        await demo.end();
      }
    },
    TEST_MS,
  );

test(
  'the demo with a relay that dies: the call is one session, and its gap is what the caller counted',
  async () => {
    const demo = await demoWith(
      '--relays',
      '2',
      '--kill-relay',
      '8s',
      '--calls',
      '2',
      '--turns',
      '4',
    );
    try {
      const said = await saidOf(demo.url, 'handover');
      expect(said).toMatch(
        /relay voice-edge edge-1 went away without a word .* went on over voice-edge edge-2/,
      );
      await expect
        .poll(() => demo.output(), { timeout: HAPPENED_LIMIT_MS })
        .toMatch(/relay lost: /);
      const counted = [
        ...demo
          .output()
          .matchAll(/(call-\S+): .*relay lost: \d+ mic frames unsent, (\d+) missing/g),
      ];
      for (const [, id, missing] of counted) {
        // The frames on both sides of the gap are told by processes that are still running.
        const told = async (): Promise<unknown> => {
          const { items } = await get<ApiPage<SessionSummary>>(demo.url, '/sessions?limit=50');
          const own = items.filter(one => one.id === id);
          const details = own.map(one => get<SessionDetail>(demo.url, `/sessions/${one.key}`));
          return (await Promise.all(details)).map(({ handovers }) =>
            handovers?.map(({ directions }) => {
              const { frames } = directions.find(one => one.stream === 'mic')!;
              return Math.abs(frames - Number(missing)) <= 1 || `${frames} beside ${missing}`;
            }),
          );
        };
        await expect
          .poll(told, { timeout: HAPPENED_LIMIT_MS, message: 'one session, one hand-over' })
          .toEqual([[true]]);
      }
    } finally {
      await demo.end();
    }
  },
  TEST_MS,
);

const sumOf = (parts: readonly { readonly exposedNs: number }[]): number =>
  parts.reduce((sum, part) => sum + part.exposedNs, 0);

test(
  'the demo whose agent is started by the first call: what the caller waited for adds up, and is what the caller counted',
  async () => {
    // So deep that no frame is too late on a machine with other work: the first voiced one is played.
    const demo = await demoWith(
      ...'--cold-start --calls 1 --turns 1 --jitter-buffer fixed:400'.split(' '),
    );
    try {
      const firstSound = (): RegExpExecArray | null =>
        /(call-\S+): .*first sound after (\d+) ms/.exec(demo.output());
      await expect.poll(firstSound, { timeout: HAPPENED_LIMIT_MS }).not.toBeNull();
      const [, id, counted] = firstSound()!;
      const { items } = await get<ApiPage<SessionSummary>>(demo.url, '/sessions?limit=10');
      const { key } = items.find(one => one.id === id)!;
      const setupOf = async (): Promise<Wait | undefined> =>
        (await get<SessionDetail>(demo.url, `/sessions/${key}`)).setup;
      // The last that is told of a call comes with its end, and not from all processes at once.
      await expect
        .poll(async () => {
          const setup = await setupOf();
          return [setup?.outcome, setup?.parts.at(-1)?.name, setup?.resolved];
        })
        .toEqual(['answered', 'playout', 1]);
      const setup = (await setupOf())!;
      const names = setup.parts.map(part => part.name);
      expect(names.slice(0, 3)).toEqual(['signalling', 'dispatch', 'cold_start']);
      expect(names).toContain('synthesis');
      expect(names.at(-1)).toBe('playout');
      expect(sumOf(setup.parts)).toBe(setup.waitNs);
      expect(setup.resolved).toBe(1);
      // A program takes a while to start.
      const cold = setup.parts.find(part => part.name === 'cold_start')!;
      expect(cold.exposedNs).toBeGreaterThan(100e6);
      // The same sound, on the caller's own watch: as fine as a frame.
      const window = `fromNs=0&toNs=${Math.ceil(setup.startNs + setup.waitNs + 2e9)}`;
      const { hops } = await get<FramesWindow>(demo.url, `/sessions/${key}/frames?${window}`);
      const played = hops.find(hop => hop.key === 'agent.client/playout')!;
      const soundMs = (played.atNs[0]! - setup.startNs) / 1e6;
      expect(Math.abs(soundMs - Number(counted)), `${soundMs} ms`).toBeLessThan(20);
      const { page, problems } = await browser.open(`${demo.url}/sessions/${key}`);
      const line = page.locator('.setup-note');
      await line.locator('summary').click();
      expect(await line.locator('summary').innerText()).toMatch(/first voice after/);
      // The summary names the longest parts: on a machine with other work those can be others.
      await expect.poll(() => line.innerText()).toMatch(/first voice after [\s\S]*cold start/);
      const shown = await line.locator('[data-setup-ns]').getAttribute('data-setup-ns');
      expect(Number(shown)).toBe(setup.waitNs);
      expect(problems()).toEqual([]);
      await page.close();
    } finally {
      await demo.end();
    }
  },
  TEST_MS,
);

test(
  'the demo with models far away: inference is split into the way, which is theirs, queue and work',
  async () => {
    const demo = await demoWith(
      ...'--regions eu,us --far-model --far-ms 45 --calls 2 --turns 2'.split(' '),
    );
    try {
      const ended = (): number => demo.output().match(/answered · /g)?.length ?? 0;
      await expect.poll(ended, { timeout: HAPPENED_LIMIT_MS }).toBe(2);
      // A call goes on being told of after its end; what is asked of it is asked when it is all there.
      const splitsOf = async (region: string): Promise<Wait['parts']> => {
        const { items } = await get<ApiPage<SessionSummary>>(demo.url, '/sessions?limit=10');
        const own = items.find(one => one.id.includes(`-${region}-`));
        if (own === undefined) return [];
        const turns = await get<ApiPage<Turn>>(demo.url, `/sessions/${own.key}/turns`);
        return turns.items
          .flatMap(turn => turn.waits)
          .flatMap(wait => wait.parts)
          .filter(part => part.name === 'inference' && part.split !== undefined);
      };
      const pieceOf = ({ split }: Wait['parts'][number], name: string): number =>
        split!.pieces.find(piece => piece.name === name)?.exposedNs ?? 0;
      for (const [region, low, high] of [
        ['eu', 90e6, 200e6],
        ['us', 0, 60e6],
      ] as const) {
        const ways = async (): Promise<number[]> =>
          (await splitsOf(region)).map(part => pieceOf(part, 'network'));
        await expect
          .poll(ways, { timeout: HAPPENED_LIMIT_MS, message: `network in ${region}` })
          .toSatisfy(
            (all: readonly number[]) => all.length > 0 && all.every(ns => ns >= low && ns < high),
          );
        for (const part of await splitsOf(region)) {
          expect(sumOf(part.split!.pieces)).toBe(part.exposedNs);
          expect(part.split!.vendor).toBe('voice-models');
          expect(pieceOf(part, 'compute'), `work for ${region}`).toBeGreaterThan(20e6);
        }
      }
      const askedOf = async (): Promise<unknown> =>
        (await get<Places>(demo.url, '/places')).vendors
          .filter(one => one.stage === 'llm')
          .map(({ region, unlikely }) => ({ region, unlikely }));
      await expect.poll(askedOf, { timeout: HAPPENED_LIMIT_MS }).toEqual([
        { region: 'eu', unlikely: 0 },
        { region: 'us', unlikely: 0 },
      ]);
    } finally {
      await demo.end();
    }
  },
  TEST_MS,
);
