// The demo twice, in real time and side by side, with jitter buffers of two depths: what
// the advisor says of the second from the arrivals of the first, beside what the second
// did. Side by side, since what else a machine does is part of both lines then.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Advice, AdvicePoint } from '@framescope/protocol';
import { BenchCollector } from '../ingest/processes.ts';

const DEMO = fileURLToPath(new URL('../../../examples/voice-agent/out/main.js', import.meta.url));
/** A line whose jitter a shallow buffer does not cover: some hundred underruns, so that a tenth of them is no chance. */
const LINE = ['--jitter', '60', '--loss', '0', '--calls', '3', '--turns', '8', '--steady'];
const FROM_MS = 40;
const TO_MS = 80;

export interface Advised {
  readonly delayOffMs: number;
  readonly underrunsOffPercent: number;
  /** Of the re-run. */
  readonly underruns: number;
}

export async function advisedAndRun(): Promise<Advised> {
  const [before, after] = await Promise.all([adviceOf(FROM_MS), adviceOf(TO_MS)]);
  const said = before.points.find(point => point.setting === `fixed ${TO_MS} ms`);
  const { today: did } = after;
  if (said === undefined || did === null) throw new Error('nothing was advised, or nothing played');
  return {
    delayOffMs: Math.abs(said.delayMeanNs - did.delayMeanNs) / 1e6,
    underrunsOffPercent: offPercent(said, did),
    underruns: did.underruns,
  };
}

/** Shares of frames: the two runs have not the same number of them. */
const offPercent = (said: AdvicePoint, did: AdvicePoint): number =>
  (Math.abs(said.underrunShare - did.underrunShare) / did.underrunShare) * 100;

async function adviceOf(depthMs: number): Promise<Advice> {
  const collector = await new BenchCollector([]).ready();
  try {
    await demo(collector.url, depthMs);
    const answer = await fetch(`${collector.url}/api/v1/advisor?what=jitter_buffer`);
    const advice = (await answer.json()) as Advice;
    if (advice.refusal !== null) throw new Error(advice.refusal);
    return advice;
  } finally {
    await collector.stop();
    collector.remove();
  }
}

function demo(url: string, depthMs: number): Promise<void> {
  const options = [...LINE, '--collector', url, '--jitter-buffer', `fixed:${depthMs}`];
  const child = spawn(process.execPath, [DEMO, ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let told = '';
  child.stderr.on('data', (bytes: Buffer) => (told += bytes.toString()));
  return new Promise((resolve, reject) => {
    child.once('close', code => {
      if (code === 0) resolve();
      else reject(new Error(`the demo ended with code ${code ?? '?'}: ${told}`));
    });
  });
}
