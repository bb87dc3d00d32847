// Suite viewer: the built page, served by the real collector from a store filled
// through OTLP, in headless Chromium with software rendering, 1920 × 1080 at one
// device pixel a CSS pixel. Medians of 5 (--quick: of 3, and shorter drives).

import { gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sessionKey } from '@framescope/protocol';
import type { Page } from 'playwright-core';
import { BenchCollector, median } from './ingest/processes.ts';
import { limited, type Row, type SuiteOptions } from './row.ts';
import { BenchPage } from './viewer/chromium.ts';
import { post, until } from './viewer/fill.ts';
import { quantile } from './viewer/frames.ts';
import { hourBodies } from './viewer/hour.ts';
import { LiveCalls } from './viewer/live-calls.ts';
import { traceBodies } from './viewer/long-trace.ts';

const HOUR = 'hour-call';
const TRACE = 'ab'.repeat(16);
const LIVE_CALLS = 20;
const VIEWER = fileURLToPath(new URL('../../packages/viewer/dist/', import.meta.url));

interface Place {
  readonly url: string;
  readonly isQuick: boolean;
}

export async function run({ quick }: SuiteOptions): Promise<Row[]> {
  const collector = await new BenchCollector().ready();
  const place: Place = { url: collector.url, isQuick: quick };
  try {
    await fill(collector.url);
    return [
      row('first load, gzip', firstLoadKb(), 'kB', 150),
      ...(await hourRows(place)),
      ...(await traceRows(place)),
      await heatmapRow(place),
      await liveRow(place),
    ];
  } finally {
    await collector.stop();
    collector.remove();
  }
}

const row = (name: string, value: number, unit: string, limit: number): Row =>
  limited({ suite: 'viewer', name, value, unit }, 'lower', limit);

async function fill(url: string): Promise<void> {
  const startUnixMs = Date.now() - 2 * 3_600_000;
  await post(url, hourBodies({ id: HOUR, seconds: 3_600, startUnixMs }));
  await post(url, traceBodies({ traceId: TRACE, spans: 100_000, startUnixMs }));
  await until<{ turnCount: number; status: string }>(
    `${url}/api/v1/sessions/${sessionKey(HOUR)}`,
    one => one.turnCount === 400 && one.status === 'ended',
  );
}

/** What a first visit loads: what index.html names, and the worker of the live stream. */
function firstLoadKb(): number {
  const page = readFileSync(`${VIEWER}index.html`, 'utf8');
  const named = [...page.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(match => match[1]!);
  const script = named.find(name => name.endsWith('.js'));
  const code = script === undefined ? '' : readFileSync(VIEWER + script, 'utf8');
  const workers = [...code.matchAll(/assets\/live-worker-[\w-]+\.js/g)].map(match => match[0]);
  const files = ['index.html', ...new Set([...named, ...workers])];
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(VIEWER + file)).length, 0) / 1000;
}

/** The figure of several runs, each in a browser of its own. */
async function medianOf(runs: number, one: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let run = 0; run < runs; run++) values.push(await one());
  return median(values);
}

async function hourRows({ url, isQuick }: Place): Promise<Row[]> {
  const link = `a[href="/sessions/${sessionKey(HOUR)}"]`;
  let memoryMb = 0;
  let busy: number[] = [];
  const clickMs = await medianOf(isQuick ? 3 : 5, async () => {
    const bench = await BenchPage.open(`${url}/sessions`);
    const ms = await bench.clickToMark(link, 'framescope session whole');
    if (busy.length === 0) {
      busy = await bench.frames(page => panAndZoom(page, isQuick ? 4_000 : 10_000));
      memoryMb = await bench.memoryMb();
    }
    await bench.close();
    return ms;
  });
  return [
    row('one-hour call, 2.16 M marks: click to whole picture', clickMs, 'ms', 800),
    row('the same panning and zooming: main thread a frame, p95', quantile(busy, 0.95), 'ms', 14),
    row('heap and array buffers with it open', memoryMb, 'MB', 80),
  ];
}

/** As a hand does it: in by the wheel from the hour to frames, along by dragging, out again. */
async function panAndZoom(page: Page, forMs: number): Promise<void> {
  const box = (await page.locator('.lanes canvas').boundingBox())!;
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const until = Date.now() + forMs;
  await page.mouse.move(middle.x, middle.y);
  while (Date.now() < until) {
    for (const direction of [-1, 1]) {
      for (let step = 0; step < 45; step++) {
        await page.mouse.wheel(0, direction * 60);
        await page.waitForTimeout(8);
      }
      await page.mouse.down();
      for (let step = 0; step <= 40; step++)
        await page.mouse.move(middle.x - 300 + 15 * step, middle.y);
      await page.mouse.up();
      await page.mouse.move(middle.x, middle.y);
      if (Date.now() >= until) break;
    }
  }
}

async function traceRows({ url, isQuick }: Place): Promise<Row[]> {
  let busy: number[] = [];
  const openMs = await medianOf(isQuick ? 3 : 5, async () => {
    const bench = await BenchPage.open(`${url}/traces`);
    const ms = await bench.clickToMark(`a[href="/traces/${TRACE}"]`, 'framescope trace whole');
    if (busy.length === 0)
      busy = await bench.frames(page => scrollTrace(page, isQuick ? 2_000 : 5_000));
    await bench.close();
    return ms;
  });
  return [
    row('trace of 100,000 spans: click to first picture', openMs, 'ms', 1_000),
    row('the same while scrolling: main thread a frame, p95', quantile(busy, 0.95), 'ms', 10),
  ];
}

async function scrollTrace(page: Page, forMs: number): Promise<void> {
  const box = (await page.locator('.fall-rows').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const until = Date.now() + forMs;
  for (let step = 0; Date.now() < until; step++) {
    await page.mouse.wheel(0, step % 100 < 80 ? 900 : -2_000);
    await page.waitForTimeout(12);
  }
}

/** Two hours of the frames of the hour, in columns of 5 px: more cells than 250 × 176. */
async function heatmapRow({ url, isQuick }: Place): Promise<Row> {
  const bench = await BenchPage.open(`${url}/tail?measure=frame.mic.agent%2Freceive&range=6h`);
  await bench.marked('framescope tail whole');
  const busy = await bench.frames(async page => {
    for (let step = 0; step < (isQuick ? 30 : 120); step++) {
      // A third of a pixel: the picture is asked for anew at the size it has.
      await page.evaluate(
        `document.querySelector('.heat canvas').style.height = '${step % 2 === 0 ? 'calc(100% - 0.3px)' : '100%'}'`,
      );
      await page.waitForTimeout(25);
    }
  });
  await bench.close();
  return row('heatmap with overlays: redraw, median', median(busy), 'ms', 8);
}

async function liveRow({ url, isQuick }: Place): Promise<Row> {
  const calls = new LiveCalls(url, LIVE_CALLS);
  const bench = await BenchPage.open(`${url}/sessions`);
  try {
    await calls.run(4);
    const before = { cpu: await bench.cpuSeconds(), at: Date.now() };
    await calls.run(isQuick ? 5 : 15);
    const cpu = (await bench.cpuSeconds()) - before.cpu;
    const shown = await bench.page.locator('.badge.live').count();
    if (shown < LIVE_CALLS) throw new Error(`only ${shown} of ${LIVE_CALLS} calls are shown live`);
    const share = (cpu / ((Date.now() - before.at) / 1000)) * 100;
    return row(`${LIVE_CALLS} live calls: the page’s share of a core`, share, '%', 10);
  } finally {
    await bench.close();
  }
}
