import { expect, test } from 'vitest';
import { figuresOf, quantile, REFERENCES } from './paths.ts';
import { type Kind, type Outcome, runOf } from './run.ts';

const RUNS: Readonly<Record<Kind, number>> = {
  drift: 4_000,
  slew: 3_500,
  sleep: 1_250,
  set: 1_250,
};

const runsOf = (kind: Kind): Outcome[] =>
  Array.from({ length: RUNS[kind] }, (_, i) =>
    runOf(kind, 4 * i + Object.keys(RUNS).indexOf(kind)),
  );

const say = (line: string): void => console.log(line);

test.each(Object.keys(RUNS) as Kind[])(
  'of 10,000 runs: in those with a %s each mark is where the bound says, and would not be in half of it',
  kind => {
    const runs = runsOf(kind);
    const count = (is: (run: Outcome) => boolean): number => runs.filter(is).length;
    const extras = runs.map(run => run.extraMs);
    const [p50, p99] = [quantile(extras, 0.5), quantile(extras, 0.99)];
    say(
      `clocks, ${kind}: ${runs.length} runs, ${runs.reduce((sum, run) => sum + run.marks, 0)} marks, ` +
        `outside the bound ${count(run => run.outside > 0)}, outside half of it ${count(run => run.outsideHalf > 0)}; ` +
        `bound − least RTT / 2, worst of a run, p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms`,
    );
    expect(count(run => run.outside > 0)).toBe(0);
    expect(count(run => run.marks > 0)).toBe(runs.length);
    expect(count(run => run.outsideHalf > 0)).toBeGreaterThan(runs.length / 2);
    const opens = (run: Outcome): boolean => kind === 'sleep' || (kind === 'set' && !run.isLinux);
    expect(count(run => run.epochs !== (opens(run) ? 1 : 0))).toBe(0);
  },
  120_000,
);

test.each(REFERENCES)(
  '$name: 99 of 100 estimates are as near as the least RTT of eight allows, and the bound is tight',
  reference => {
    const { live, stored, minOf8 } = figuresOf(reference, 1);
    const shown = (ms: number): string => ms.toFixed(2);
    say(
      `clocks, ${reference.name}: error p50/p99 live ${shown(live.p50Ms)}/${shown(live.p99Ms)}, ` +
        `stored ${shown(stored.p50Ms)}/${shown(stored.p99Ms)}, least RTT of 8 ${shown(minOf8.p50Ms)}/${shown(minOf8.p99Ms)} ms; ` +
        `bound − least RTT / 2 worst ${shown(stored.extraMs)} stored, live p99 ${shown(live.extraP99Ms)} worst ${shown(live.extraMs)}; ` +
        `bound at most ${shown(stored.boundMs)}`,
    );
    expect(live.p99Ms).toBeLessThanOrEqual(1.3 * reference.minOf8Ms);
    expect(stored.p99Ms).toBeLessThanOrEqual(1.3 * reference.minOf8Ms);
    expect(stored.extraMs).toBeLessThanOrEqual(1);
    expect(live.extraP99Ms).toBeLessThanOrEqual(1);
    expect([live.outside, stored.outside]).toEqual([0, 0]);
  },
  60_000,
);
