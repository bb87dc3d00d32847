// The real instrumentation in virtual time: what leaves the processes, without a collector.

import { ATTR, decodeRecord, decodeUtf8, fromBase64, type FrameRecord } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { HOME_LEGS, scenarioOf, turnOf } from '../src/scenario.ts';
import { simulate, type Simulated } from '../src/simulate.ts';
import { trueNsOf } from '../src/virtual-host.ts';

const COLLECTOR = { domain: 'c011ec7020000001', epoch: 0, atZeroNs: 5e12 };
const scenario = scenarioOf({
  id: 'a call',
  turns: [turnOf(), turnOf({ bargeIn: { afterMs: 400 } }), turnOf()],
  legs: {
    ...HOME_LEGS,
    'client>edge': {
      ...HOME_LEGS['client>edge'],
      incident: { fromMs: 2_500, toMs: 4_000, addMs: 40, loss: 0.3 },
    },
  },
});

test('a call runs through four real processes and none of them complains', async () => {
  const { bodies, problems } = await simulate(scenario, { collector: COLLECTOR });
  expect(problems).toEqual([]);
  expect(new Set(bodies.map(body => body.host))).toEqual(
    new Set(['client', 'edge', 'agent', 'models']),
  );
});

test('the same scenario run twice leaves the same bytes', async () => {
  const first = await simulate(scenario, { collector: COLLECTOR });
  const second = await simulate(scenario, { collector: COLLECTOR });
  expect(second.bodies.length).toBeGreaterThan(20);
  expect(second.bodies).toEqual(first.bodies);
});

test('the truth is told before anything leaves', async () => {
  const told: string[] = [];
  const { truth } = await simulate(scenario, {
    collector: COLLECTOR,
    onTruth: one => told.push(JSON.stringify(one)),
  });
  expect(told).toEqual([JSON.stringify(truth)]);
});

/** Records in JSON bodies. */
function recordsOf({ bodies }: Simulated): FrameRecord[] {
  const texts = bodies
    .filter(body => body.headers['content-type'] === 'application/json')
    .flatMap(body => [
      ...decodeUtf8(body.body).matchAll(/\{"key":"([^"]+)","value":\{"stringValue":"([^"]+)"\}\}/g),
    ])
    .filter(match => match[1] === ATTR.record)
    .map(match => match[2]!);
  return texts.map(text => {
    const bytes = fromBase64(text, 'record');
    const record = bytes.ok ? decodeRecord(bytes.value) : bytes;
    if (!record.ok) throw new Error(`${record.path}: ${record.problem}`);
    return record.value;
  });
}

/** Start tick → true time of each mark of a hop, late ones included. */
function marksOf(records: readonly FrameRecord[], key: string): Map<number, number> {
  const marks = new Map<number, number>();
  for (const { blocks } of records)
    for (const { stream, columns } of blocks)
      for (const { hop, length, startTick, atNs, late } of columns) {
        const name = `${stream}.${hop.role}/${hop.name}`;
        if (name !== key) continue;
        const spec = scenario.hosts[hop.role as 'client'];
        for (let row = 0; row < length; row += 1)
          marks.set(startTick[row]!, trueNsOf(spec, atNs[row]!));
        for (const mark of late) marks.set(mark.startTick, trueNsOf(spec, mark.atNs));
      }
  return marks;
}

test('every mark leaves in a record, at its tick, within half a quantum of the truth; no other does', async () => {
  const simulated = await simulate(scenario, { collector: COLLECTOR, encoding: 'json' });
  const records = recordsOf(simulated);
  for (const { key, atNs, startTick } of simulated.truth.hops) {
    const marks = marksOf(records, key);
    const due = startTick.filter((_, row) => !Number.isNaN(atNs[row]!));
    expect(
      [...marks.keys()].toSorted((a, b) => a - b),
      key,
    ).toEqual(due);
    for (const [row, tick] of startTick.entries())
      if (!Number.isNaN(atNs[row]!))
        expect(Math.abs(marks.get(tick)! - atNs[row]!), `${key} ${tick}`).toBeLessThanOrEqual(
          5_002,
        );
  }
});

test('what is concealed and dropped is declared, range by range', async () => {
  const simulated = await simulate(scenario, { collector: COLLECTOR, encoding: 'json' });
  const declared = recordsOf(simulated).flatMap(record =>
    record.blocks.flatMap(block =>
      block.ranges.map(
        range =>
          `${range.kind} ${block.stream}.${range.hop.role}/${range.hop.name} ${range.startTick}-${range.endTick}`,
      ),
    ),
  );
  const due = simulated.truth.ranges.map(
    range => `${range.kind} ${range.key} ${range.startTick}-${range.endTick}`,
  );
  expect(due.length).toBeGreaterThan(5);
  expect(declared.toSorted()).toEqual(due.toSorted());
});

test('a process that reaches nobody ends all the same, and says what it could not send', async () => {
  const { bodies, problems } = await simulate(scenario, {
    collector: COLLECTOR,
    silenced: { client: 0 },
  });
  expect(bodies.filter(body => body.host === 'client')).toEqual([]);
  expect(problems.map(problem => problem.split(':', 2).join(':'))).toContain(
    'client: collector_unreachable',
  );
});
