// The example as a user runs it: a collector, the server, and a Chromium whose
// microphone plays a recording.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  sessionKey,
  type Handover,
  type HopDetail,
  type SessionDetail,
} from '@framescope/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCollector, type Collector } from 'framescope';
import { fakeMicrophone, launchBrowser, type TestBrowser } from '../../../test/browser.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SPEECH = here('../../voice-agent/clips/reader-0880.wav');

let folder = '';
let collector: Collector;
let browser: TestBrowser;
let stopServer = (): Promise<void> => Promise.resolve();
/** As a machine that hangs, and goes on. */
let hold = (_isHeld: boolean): void => undefined;
let url = '';

/** The example's server on a free port; its address is what it prints. */
async function serve(): Promise<string> {
  const child = spawn(process.execPath, [
    here('../out/server.js'),
    '--port',
    '0',
    '--delay-ms',
    '500',
  ]);
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  hold = isHeld => void child.kill(isHeld ? 'SIGSTOP' : 'SIGCONT');
  stopServer = () => {
    child.kill('SIGTERM');
    return ended;
  };
  let output = '';
  return new Promise((resolve, reject) => {
    const read = (bytes: Buffer): void => {
      output += bytes.toString();
      const address = /http:\/\/\S+/.exec(output)?.[0];
      if (address !== undefined) resolve(address);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()));
    child.once('close', () => reject(new Error(output)));
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'framescope-webrtc-'));
  collector = await startCollector({ port: 0, data: folder });
  url = await serve();
  browser = await launchBrowser(fakeMicrophone(SPEECH));
});

afterAll(async () => {
  await browser?.close();
  await stopServer();
  await collector?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function session(id: string): Promise<SessionDetail | undefined> {
  const answer = await fetch(`${collector.url}/api/v1/sessions/${sessionKey(id)}`);
  return answer.ok ? ((await answer.json()) as SessionDetail) : undefined;
}

const hopOf = (detail: SessionDetail | undefined, key: string): HopDetail | undefined =>
  detail?.streams.flatMap(stream => stream.hops).find(hop => hop.key === key);

test('a call from a page is in the collector: its session, its frames, its jitter buffer', async () => {
  const query = new URLSearchParams({ call: 'a web call', collector: collector.url });
  const { page, problems } = await browser.open(`${url}/?${query}`);
  await page.click('#call');
  await page.waitForFunction(() =>
    document.getElementById('status')?.textContent?.startsWith('in call'),
  );
  const count = async (key: string): Promise<number> =>
    hopOf(await session('a web call'), key)?.markCount ?? 0;
  // Six seconds of frames, up and down, through every hop that the browser shows.
  for (const key of [
    'mic.client/capture',
    'mic.client/send',
    'agent.client/receive',
    'agent.client/jitter_buffer',
    'agent.client/playout',
  ])
    await expect.poll(() => count(key), { timeout: 30_000, message: key }).toBeGreaterThan(200);
  await page.click('#hang-up');
  const detail = await session('a web call');
  expect(detail?.services).toEqual(['web-page']);
  const buffered = hopOf(detail, 'agent.client/jitter_buffer');
  expect(buffered?.frameTicks).toBe(960);
  expect(detail?.dropped).toEqual({});
  // What the browser's own statistics said of each second stands beside it.
  const media = detail?.streams.find(stream => stream.name === 'agent')?.media?.[0];
  expect(media?.role).toBe('client');
  expect(media?.count).toBeGreaterThan(3);
  expect(media?.total.jitterBufferNs).toBeGreaterThan(1_000_000);
  expect(media?.total.jitterBufferNs).toBeLessThan(1_000_000_000);
  expect(media?.total.playoutNs).toBeGreaterThan(0);
  expect(media?.total.rttNs).toBeGreaterThanOrEqual(0);
  expect(media?.total.totalSamples).toBeGreaterThan(100_000);
  // How the call came about: nobody greets, so it ends where the call stood. It adds up to the nanosecond.
  const { setup } = detail!;
  expect(setup?.parts.map(part => part.name)).toEqual(['signalling', 'ice', 'dtls']);
  expect(setup!.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(setup!.waitNs);
  expect(setup!.resolved).toBe(1);
  expect(setup!.waitNs).toBeGreaterThan(1_000_000);
  // And its connection is a way whose far end nobody traces.
  const links = detail!.topology!.links!;
  expect(links.map(link => link.stream).toSorted()).toEqual(['agent', 'mic']);
  for (const link of links) expect(link.packets, link.stream).toBeGreaterThan(100);
  expect(problems()).toEqual([]);
});

test('a far end that hangs and comes back is a connection that was lost and restored, with what it cost', async () => {
  const id = 'a call with a gap';
  const query = new URLSearchParams({ call: id, collector: collector.url });
  const { page } = await browser.open(`${url}/?${query}`);
  await page.click('#call');
  const received = async (): Promise<number> =>
    hopOf(await session(id), 'agent.client/receive')?.markCount ?? 0;
  await expect.poll(received, { timeout: 30_000 }).toBeGreaterThan(100);
  hold(true);
  // Chromium gives up on a silent peer after some five seconds.
  await page.getByText('the connection is lost').waitFor({ timeout: 60_000 });
  hold(false);
  const handovers = async (): Promise<readonly Handover[]> => (await session(id))?.handovers ?? [];
  await expect.poll(async () => (await handovers()).length, { timeout: 40_000 }).toBe(1);
  const [one] = await handovers();
  expect(one).toMatchObject({ role: 'client', wasTold: true });
  expect(one!.from).toBe(one!.to);
  // What it cost is known when sound has come again.
  const silenceNs = async (): Promise<number> =>
    (await handovers())[0]?.directions.find(({ stream }) => stream === 'agent')?.silenceNs ?? 0;
  await expect.poll(silenceNs, { timeout: 40_000 }).toBeGreaterThan(2e9);
  await page.click('#hang-up');
  await page.close();
}, 200_000);
