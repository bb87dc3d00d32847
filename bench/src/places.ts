// What topology and load cost, and whether the advisor's word holds: a jitter buffer
// of another depth is predicted from one run of the demo, and then really run.
//
// Topology is a part of each look that the collector takes at a live call. Its share is
// read off a CPU profile of the real engine, which assembles a hundred calls of 600 marks
// a second in simulated time: the time under `topologyNow`, for each second of the calls.

import { loadPercent } from './instrument/calls.ts';
import { advisedAndRun } from './places/advised.ts';
import { topologyPercent } from './places/topology-cost.ts';
import { limited, type Row, type SuiteOptions } from './row.ts';

const SUITE = 'places';
const LIMIT_PERCENT = 0.5;

export async function run({ quick }: SuiteOptions): Promise<Row[]> {
  const topology = await topologyPercent(quick ? 20 : 60);
  const load = await loadPercent(quick ? 5 : 15, quick ? 1 : 5);
  const percent = (name: string, value: number): Row => ({
    suite: SUITE,
    name: `100 calls: ${name}`,
    value,
    unit: '% of a core',
    ok: true,
  });
  const all = percent('topology and load together', topology + load);
  return [
    percent('topology, in the collector', topology),
    percent('load, in the process that tells it', load),
    limited(all, 'lower', LIMIT_PERCENT),
    ...(await advisorRows(quick)),
  ];
}

async function advisorRows(quick: boolean): Promise<Row[]> {
  const name = 'advisor against a re-run of the demo with another depth of the jitter buffer';
  const skipped = 'three rounds of two demos, side by side, of some minute each';
  if (quick) return [{ suite: SUITE, name, value: 0, unit: 'ms', ok: true, skipped }];
  return (await advisedAndRun()).flatMap(one => {
    const { fromMs, toMs, delayOffMs, underrunsOffPercent, underruns } = one;
    const row = (what: string, value: number, unit: string): Omit<Row, 'ok'> => ({
      suite: SUITE,
      name: `${name}, ${toMs} ms from ${fromMs} ms: ${what}`,
      value: Math.abs(value),
      unit,
    });
    return [
      limited(row('median delay off by', delayOffMs, 'ms'), 'lower', 5),
      limited(row(`of ${underruns} underruns off by`, underrunsOffPercent, '%'), 'lower', 10),
    ];
  });
}
