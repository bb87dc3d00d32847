// GET /load: of a range, and of one session, whose processes' clocks may be off.

import type { Load, ProcessDetail, SessionDetail } from '@framescope/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { SpanColumns } from '../../src/decode/span-columns.ts';
import type { DecodedLoad } from '../../src/decode/types.ts';
import { load, type LoadAsked } from '../../src/query/places/load.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { derivedOf, detailOf, valueOf } from '../support/derived.ts';
import { NOON_NS, temporaryFolder } from '../support/spans.ts';

const SECOND = 1_000_000_000n;
const KEY = '0000000000001';

/** A second of load that ended so many seconds after noon, by the clock of its process: it counts there. */
const told = (instance: string, atS: number, figures: DecodedLoad['figures']): DecodedLoad => ({
  producer: instance.padStart(16, '0'),
  domain: 'c'.repeat(16),
  resource: {
    attributes: { 'service.name': 'agent', 'service.instance.id': instance },
    schemaUrl: '',
    droppedAttributesCount: 0,
  } as unknown as DecodedLoad['resource'],
  startUnixNs: NOON_NS + BigInt(Math.round((atS - 1) * 1e9)),
  endUnixNs: NOON_NS + BigInt(Math.round(atS * 1e9)),
  figures,
});

const processOf = (instance: string, offsetNs: number): ProcessDetail =>
  ({
    service: 'agent',
    instance,
    host: null,
    zone: null,
    region: null,
    clock: { offsetNs },
  }) as unknown as ProcessDetail;

/** A store with a session of ten seconds from noon, in which these processes took part. */
function asking(
  loads: readonly DecodedLoad[],
  processes: readonly ProcessDetail[],
): (asked: Partial<LoadAsked>) => Promise<Load | undefined> {
  const folder = temporaryFolder();
  const writer = new SqliteWriter({ folder, maxBytes: 1e9 });
  writer.commit({ arrivalUnixNs: NOON_NS, spans: new SpanColumns(), flushes: [], loads });
  const session: SessionDetail = { ...detailOf({ key: KEY }), durationNs: 10e9, processes };
  writer.commitDerived([{ ...derivedOf({ key: KEY }, { values: [valueOf(KEY, 0)] }), session }]);
  const reader = new SqliteReader(folder);
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  const context = { reader, nowUnixNs: () => NOON_NS + 60n * SECOND, budgets: {} };
  return asked => load(context, { columns: 10, hasCurves: true, ...asked });
}

const shown = (answer: Load | undefined): string[] =>
  (answer?.instances ?? []).map(
    ({ place, column, calls }) =>
      `${place.instance}: ${column.map((at, i) => `${at}=${calls[i]}`).join(' ')}`,
  );

test('of a session only the instances that took part are told, over its time', async () => {
  const ask = asking(
    [
      told('a-1', 1.5, { calls: 1 }),
      told('a-1', 4.5, { calls: 3 }),
      told('a-1', 30, { calls: 9 }),
      told('a-2', 4.5, { calls: 7 }),
    ],
    [processOf('a-1', 0)],
  );
  const answer = await ask({ session: KEY });
  expect(answer).toMatchObject({ columns: 10, columnNs: 1e9, curves: [] });
  expect(shown(answer)).toEqual(['a-1: 1=1 4=3']);
});

test('a clock that is off puts nothing into another second', async () => {
  const figures = { calls: 2 };
  for (const offS of [-3.7, 0, 3.7, 3_600]) {
    const ask = asking([told('a-1', 4.5 + offS, figures)], [processOf('a-1', offS * 1e9)]);
    expect(shown(await ask({ session: KEY })), `${offS} s off`).toEqual(['a-1: 4=2']);
  }
});

test('of a range all instances are told, latest loop first, and latency against load only if it is asked for', async () => {
  const ask = asking(
    [told('a-1', 0.5, { calls: 1, lagMaxNs: 5e6 }), told('a-2', 0.5, { calls: 2, lagMaxNs: 90e6 })],
    [processOf('a-1', 0), processOf('a-2', 0)],
  );
  const range = { fromUnixNs: NOON_NS - SECOND, toUnixNs: NOON_NS + 9n * SECOND };
  expect(shown(await ask(range)).map(text => text.slice(0, 3))).toEqual(['a-2', 'a-1']);
  expect((await ask({ ...range, hasCurves: false }))?.curves).toEqual([]);
});

test('a session that is not there has no load, and one of nobody an empty one', async () => {
  const ask = asking([told('a-1', 1, { calls: 1 })], []);
  expect(await ask({ session: '9999999999999' })).toBeUndefined();
  expect(shown(await ask({ session: KEY }))).toEqual([]);
});
