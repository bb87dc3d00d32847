// Capture and playout worklets in a real Chromium.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { passedAt } from '../support/captured.ts';
import { tracedPage, type TracedPage } from './traced-page.ts';

let page: TracedPage;
beforeAll(async () => {
  page = await tracedPage(['entries/web-audio']);
});
afterAll(() => page?.close());

interface Told {
  readonly problems: string[];
  readonly rate: number;
  readonly startMs: number;
  readonly underruns: number;
  readonly missing: number;
  readonly fillMax: number;
  readonly pcmFrames: number;
  readonly loudest: number;
  readonly latencyMs: number;
}

async function run(script: string): Promise<Told> {
  page.records.length = 0;
  const opened = await page.open(`
    import { Framescope } from '/index.browser.js';
    import { tapCapture, createPlayout } from '/entries/web-audio.js';
    const problems = [];
    const onProblem = ({ code }) => problems.push(code);
    const scope = new Framescope({ serviceName: 'page', role: 'client', endpoint: location.origin, encoding: 'json', tracerProvider: false, onProblem });
    const session = scope.startSession({ id: 'web audio' });
    const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
    const context = new AudioContext();
    globalThis.told = (async () => { ${script} })();`);
  const told = await opened.page.evaluate(
    () => (globalThis as unknown as { told: Promise<unknown> }).told,
  );
  expect(opened.problems()).toEqual([]);
  await opened.page.close();
  return told as Told;
}

const steps = (values: readonly number[]): number[] =>
  values.slice(1).map((value, i) => value - values[i]!);

test('the microphone is marked every 20 ms at the time its samples were taken, and its sound is there', async () => {
  const told = await run(`
    const media = await navigator.mediaDevices.getUserMedia({ audio: true });
    let [pcmFrames, loudest] = [0, 0];
    const onFrame = pcm => { pcmFrames++; for (const one of pcm) loudest = Math.max(loudest, Math.abs(one)); };
    const tap = await tapCapture(context.createMediaStreamSource(media), { session, onFrame });
    await pause(3000);
    tap.stop();
    tap.stop();
    const after = pcmFrames;
    await pause(200);
    await session.end();
    return { problems, rate: context.sampleRate, pcmFrames: after === pcmFrames ? pcmFrames : -1, loudest };
  `);
  expect(told.problems).toEqual([]);
  const captured = passedAt(page.records, 'mic', 'capture');
  expect(captured.length).toBe(told.pcmFrames);
  expect(captured.length).toBeGreaterThan(120);
  expect(told.loudest).toBeGreaterThan(0.05);
  expect(new Set(steps(captured.map(one => one.startTick)))).toEqual(new Set([told.rate / 50]));
  // Time passes as media does: 20 ms a frame, on average to a hundredth.
  const first = captured[10]!;
  const last = captured.at(-1)!;
  const mediaMs = ((last.startTick - first.startTick) * 1_000) / told.rate;
  expect((last.atNs - first.atNs) / 1e6 / mediaMs).toBeGreaterThan(0.97);
  expect((last.atNs - first.atNs) / 1e6 / mediaMs).toBeLessThan(1.03);
});

test('what is played is marked when it is audible; a stutter is an underrun, clearing is not', async () => {
  const told = await run(`
    const figures = [];
    const player = await createPlayout(context, { session, capacityS: 3, onFigures: one => figures.push(one) });
    await context.resume();
    const chunk = () => Float32Array.from({ length: 4410 }, (_, i) => Math.sin(i / 10) / 4);
    const startMs = performance.now();
    for (let i = 0; i < 10; i++) player.push(chunk());
    await pause(1250);
    for (let i = 0; i < 10; i++) player.push(chunk());
    await pause(300);
    player.clear();
    await pause(400);
    player.push(new Float32Array(context.sampleRate * 4));
    player.push('no sound');
    await pause(200);
    player.stop();
    await session.end();
    const sum = name => figures.reduce((all, one) => all + one[name], 0);
    return { problems, rate: context.sampleRate, startMs, underruns: sum('underrunCount'), missing: sum('missingSamples'), fillMax: Math.max(...figures.map(one => one.fill)), latencyMs: context.outputLatency * 1000 };
  `);
  const played = passedAt(page.records, 'agent', 'playout');
  // Sound for a second, the next after 1.25 s: a quarter of a second was missing.
  expect(told.underruns).toBe(1);
  expect(told.missing / told.rate).toBeGreaterThan(0.1);
  expect(told.missing / told.rate).toBeLessThan(0.45);
  expect(told.fillMax).toBeGreaterThan(20_000);
  expect(told.problems).toEqual(['underrun', 'playout_full']);
  // The first second: every sample, 20 ms apart, from a moment after it was pushed.
  const firstSecond = played.filter(one => one.startTick < 44_100);
  expect(firstSecond[0]?.startTick).toBe(0);
  const spanMs = (firstSecond.at(-1)!.atNs - firstSecond[0]!.atNs) / 1e6;
  const mediaMs = (firstSecond.at(-1)!.startTick * 1_000) / told.rate;
  expect(Math.abs(spanMs - mediaMs)).toBeLessThan(25);
  const delayMs = firstSecond[0]!.atNs / 1e6 - told.startMs;
  expect(delayMs).toBeGreaterThan(-5);
  expect(delayMs).toBeLessThan(250 + told.latencyMs);
  // The second burst began 1.25 s after the first, and was cut after 0.3 s.
  const burst = played.filter(one => one.startTick >= 44_100);
  expect(burst[0]!.atNs / 1e6 - told.startMs).toBeGreaterThan(1_200);
  const dropped = page.records.flatMap(one => one.blocks.flatMap(block => block.ranges));
  const cleared = dropped.filter(one => one.kind === 'drop' && one.endTick <= 88_200);
  const heardTicks = cleared[0]!.startTick - 44_100;
  expect(heardTicks / told.rate).toBeGreaterThan(0.15);
  expect(heardTicks / told.rate).toBeLessThan(0.7);
  expect(cleared.at(-1)!.endTick).toBe(88_200);
  // Four seconds do not fit into three.
  expect(dropped.at(-1)).toMatchObject({ kind: 'drop', startTick: 88_200 });
});
