// Sound beside the frames, with real files: Ogg Opus that was uploaded as LiveKit uploads it and kept
// by the collector, and WAV and Ogg dropped onto the page.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient, runCall, scenarioOf, turnOf, type Ran } from '@framescope/testkit';
import { startCollector, type Collector } from 'framescope';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../../../test/browser.ts';
import { oggOf, soundOf, wavOf } from './sound.ts';

const viewerFolder = fileURLToPath(new URL('../dist/', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'framescope-recordings-'));
const KEPT = 'kept-call';
const BARE = 'bare-call';
/** The recorder began so long before the call. */
const LEAD_S = 1.5;

let browser: TestBrowser;
let collector: Collector;
let kept: Ran;
let bare: Ran;

beforeAll(async () => {
  collector = await startCollector({ data, viewerFolder, recordings: 'keep' });
  // Scrollbars that take no room, as on a phone: one that comes would have everything drawn anew.
  browser = await launchBrowser([
    '--autoplay-policy=no-user-gesture-required',
    '--hide-scrollbars',
  ]);
  const api = new ApiClient(collector.url);
  const turns = [turnOf(), turnOf({ gapMs: 700 })];
  kept = await runCall(api, scenarioOf({ id: KEPT, startUnixMs: Date.now() - 120_000, turns }));
  bare = await runCall(api, scenarioOf({ id: BARE, startUnixMs: Date.now() - 60_000, turns }));
}, 60_000);

afterAll(async () => {
  await browser.close();
  await collector.close();
  rmSync(data, { recursive: true, force: true });
});

/** `livekit.MetricsRecordingHeader`: 1 room_id, 4 start_time {1 seconds, 2 nanos}. */
function headerOf(roomId: string, startUnixNs: bigint): Uint8Array<ArrayBuffer> {
  const varint = (value: bigint): number[] =>
    value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
  const time = [
    8,
    ...varint(startUnixNs / 1_000_000_000n),
    16,
    ...varint(startUnixNs % 1_000_000_000n),
  ];
  return Uint8Array.from([10, roomId.length, ...Buffer.from(roomId), 34, time.length, ...time]);
}

async function upload(sound: Buffer): Promise<void> {
  const startUnixNs = BigInt(kept.answers.detail.zeroUnixNs) - BigInt(LEAD_S * 1e9);
  const form = new FormData();
  form.append('header', new Blob([headerOf(KEPT, startUnixNs)]), 'header');
  form.append('chat_history', new Blob(['{}']), 'chat_history');
  form.append('audio', new Blob([new Uint8Array(sound)]), 'audio');
  const url = `${collector.url}/observability/recordings/v0`;
  const answer = await fetch(url, { method: 'POST', body: form });
  expect([answer.status, await answer.text()]).toEqual([200, '{}']);
}

const pageOf = (ran: Ran): string => `${collector.url}/sessions/${ran.answers.detail.key}`;

/** The waveforms, as heights that are not flat: columns of the tracks in which sound is drawn. */
const drawn = (page: Page): Promise<number> =>
  page.locator('.tracks canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { data: bytes } = canvas
      .getContext('2d')!
      .getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(bytes.buffer)).size;
  });

/** Plays a little, and answers whether the place moved on. */
async function plays(page: Page): Promise<void> {
  const place = page.getByLabel('Place in the recording');
  const before = await place.textContent();
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.poll(() => place.textContent()).not.toBe(before);
  await page.getByRole('button', { name: 'Pause' }).click();
}

test('Ogg Opus that was uploaded is a button on its call: drawn where it was recorded, and played', async () => {
  await upload(await oggOf(soundOf(kept.answers.turns, LEAD_S)));
  const { page, problems } = await browser.open(pageOf(kept));
  await page.getByRole('button', { name: 'Recording', exact: true }).click();
  await page.getByText('(as recorded)').waitFor();
  expect(await page.locator('.player').getByText('begins at').textContent()).toContain(
    'kept recording, begins at −0:01.500',
  );
  expect(await page.locator('.tracks [role=img]').getAttribute('aria-label')).toContain(
    'right: agent',
  );
  await expect.poll(() => drawn(page)).toBeGreaterThan(3);
  await plays(page);
  // Moved by hand, it goes back to where speech fits: which is where it was recorded.
  await page.getByRole('button', { name: 'Recording 1 s later' }).click();
  await page.getByRole('button', { name: 'Fit to the turns' }).click();
  const begins = (await page.locator('.player').getByText('begins at').textContent()) ?? '';
  expect(begins).toMatch(/begins at −0:01\.(4[4-9]|5[0-6])\d \(fitted to the turns\)/);
  expect(problems()).toEqual([]);
  await page.close();
});

/** As a file from the desktop is dropped. */
async function drop(
  page: Page,
  file: { name: string; type: string; bytes: Buffer },
): Promise<void> {
  const transfer = await page.evaluateHandle(
    ({ name, type, base64 }) => {
      const binary = atob(base64);
      const bytes = Uint8Array.from(binary, one => one.charCodeAt(0));
      const held = new DataTransfer();
      held.items.add(new File([bytes], name, { type }));
      return held;
    },
    { name: file.name, type: file.type, base64: file.bytes.toString('base64') },
  );
  for (const event of ['dragover', 'drop'])
    await page.dispatchEvent('.lanes', event, { dataTransfer: transfer });
}

for (const [type, bytesOf] of [
  ['ogg', oggOf],
  ['wav', (samples: Int16Array<ArrayBuffer>) => Promise.resolve(wavOf(samples))],
] as const)
  test(`a file of ${type} dropped onto the page is laid over the turns, and goes nowhere`, async () => {
    const { page, problems } = await browser.open(pageOf(bare));
    await page.locator('.lanes canvas').waitFor();
    const sent: string[] = [];
    page.on('request', request => {
      if (request.method() !== 'GET') sent.push(request.url());
    });
    const bytes = await bytesOf(soundOf(bare.answers.turns, 3));
    await drop(page, { name: `call.${type}`, type: `audio/${type}`, bytes });
    await page.getByText('(fitted to the turns)').waitFor();
    const begins = (await page.locator('.player').getByText('begins at').textContent()) ?? '';
    expect(begins).toMatch(/^call\.(ogg|wav), begins at −0:0(2\.9[4-9]|3\.0[0-6])\d/);
    await expect.poll(() => drawn(page)).toBeGreaterThan(3);
    await plays(page);
    expect(sent).toEqual([]);
    expect(problems()).toEqual([]);
    await page.close();
  });

/** How much of the lanes is beyond their window: 0 where nobody has to scroll. */
const beyond = (page: Page): Promise<{ px: number; windowPx: number }> =>
  page.locator('.lanes').evaluate(lanes => ({
    px: lanes.scrollHeight - lanes.clientHeight,
    windowPx: lanes.clientHeight,
  }));

test('tracks that come when the lanes are drawn take room, and the lanes are laid out anew in what is left', async () => {
  const { page, problems } = await browser.open(pageOf(bare), { widthPx: 1280, heightPx: 1000 });
  await page.locator('.overview').waitFor();
  await expect.poll(async () => (await beyond(page)).px).toBe(0);
  const { windowPx: before } = await beyond(page);
  // Where nothing else asks for it: a canvas that is taller than its window does not notice by itself.
  const after = await page.locator('.picture').evaluate(async picture => {
    const room = document.createElement('div');
    room.style.height = '60px';
    picture.append(room);
    const lanes = picture.querySelector('.lanes')!;
    // Seen in one frame, drawn in the next.
    for (let frame = 0; frame < 4; frame++)
      await new Promise(resolve => requestAnimationFrame(resolve));
    return { px: lanes.scrollHeight - lanes.clientHeight, windowPx: lanes.clientHeight };
  });
  expect(after).toEqual({ px: 0, windowPx: before - 60 });
  const bytes = wavOf(soundOf(bare.answers.turns, 3));
  await drop(page, { name: 'call.wav', type: 'audio/wav', bytes });
  await page.getByText('(fitted to the turns)').waitFor();
  // Two waveforms, and the player's bar.
  await expect.poll(async () => (await beyond(page)).windowPx).toBeLessThan(before - 120);
  await expect.poll(async () => (await beyond(page)).px).toBe(0);
  expect(problems()).toEqual([]);
  await page.close();
});
