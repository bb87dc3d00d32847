// The demo twice, in real time and side by side, with jitter buffers of two depths: what
// the advisor says of each from the arrivals of the other, beside what it did. Side by
// side, since what else a machine does is part of both lines then; in several short
// rounds rather than one long one, since what it does changes. Rounds are added up: an
// underrun is rare, and a share of few is chance; of delays it is the median that is
// compared: a second in which the machine stood still is in one of the two and not in the other.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Advice } from '@framescope/protocol';
import { BenchCollector } from '../ingest/processes.ts';

const DEMO = fileURLToPath(new URL('../../../examples/voice-agent/out/main.js', import.meta.url));
/** A line whose jitter neither buffer covers: some hundred underruns, so that a tenth of them is no chance. */
const LINE = '--jitter 60 --loss 0 --calls 3 --turns 8 --steady --brief'.split(' ');
const DEPTHS_MS = [40, 80] as const;
const ROUNDS = 3;

export interface Advised {
  readonly fromMs: number;
  readonly toMs: number;
  /** Predicted minus real, of the median delay of a frame: the middle of the rounds. */
  readonly delayOffMs: number;
  readonly underrunsOffPercent: number;
  /** Of the re-run. */
  readonly underruns: number;
}

/** Added up over rounds: of one depth as it was, or as it was foretold. */
interface Sum {
  /** Median delays, a round each. */
  readonly delaysNs: number[];
  frames: number;
  underruns: number;
}

const nothing = (): Sum => ({ delaysNs: [], frames: 0, underruns: 0 });

/** Each depth foretold from the other. */
export async function advisedAndRun(): Promise<Advised[]> {
  const did = DEPTHS_MS.map(nothing);
  const said = DEPTHS_MS.map(nothing);
  for (let round = 0; round < ROUNDS; round++) {
    const advice = await Promise.all(DEPTHS_MS.map(ms => adviceOf(ms, round + 1)));
    for (const [i, { today, frames }] of advice.entries()) {
      const depthMs = DEPTHS_MS[i]!;
      const other = advice[1 - i]!;
      const point = other.points.find(one => one.setting === `fixed ${depthMs} ms`);
      if (point === undefined || today === null)
        throw new Error('nothing was advised, or nothing played');
      add(did[i]!, today, frames);
      add(said[i]!, point, other.frames);
    }
  }
  return DEPTHS_MS.map((toMs, i) => ({
    fromMs: DEPTHS_MS[1 - i]!,
    toMs,
    delayOffMs: middle(said[i]!.delaysNs.map((ns, round) => ns - did[i]!.delaysNs[round]!)) / 1e6,
    underrunsOffPercent: (shareOf(said[i]!) / shareOf(did[i]!) - 1) * 100,
    underruns: did[i]!.underruns,
  }));
}

type Point = NonNullable<Advice['today']>;

function add(sum: Sum, { delayP50Ns, underruns }: Point, frames: number): void {
  sum.frames += frames;
  sum.delaysNs.push(delayP50Ns);
  sum.underruns += underruns;
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** The two runs have not the same number of frames. */
const shareOf = ({ underruns, frames }: Sum): number => underruns / frames;

async function adviceOf(depthMs: number, seed: number): Promise<Advice> {
  const collector = await new BenchCollector([]).ready();
  try {
    await demo(collector.url, depthMs, seed);
    const answer = await fetch(`${collector.url}/api/v1/advisor?what=jitter_buffer`);
    const advice = (await answer.json()) as Advice;
    if (advice.refusal !== null) throw new Error(advice.refusal);
    return advice;
  } finally {
    await collector.stop();
    collector.remove();
  }
}

function demo(url: string, depthMs: number, seed: number): Promise<void> {
  const own = ['--seed', String(seed), '--collector', url, '--jitter-buffer', `fixed:${depthMs}`];
  const options = [...LINE, ...own];
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
