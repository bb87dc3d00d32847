// The contract of every store, on ClickHouse: the same tests as SQLite's, none left out.

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { DERIVED_CONTRACT } from '../../packages/collector/test/store/contract-derived.ts';
import { RAW_CONTRACT } from '../../packages/collector/test/store/contract-raw.ts';
import { SET_CONTRACT } from '../../packages/collector/test/store/contract-set.ts';
import { TAIL_CONTRACT } from '../../packages/collector/test/store/contract-tail.ts';
import { GIVEN, type OpenStore } from '../../packages/collector/test/store/contract-test.ts';
import { ClickHouseReader } from '../../packages/collector/src/store/clickhouse/reader.ts';
import { ClickHouseWriter } from '../../packages/collector/src/store/clickhouse/writer.ts';
import { ClickHouse, settingsOf } from './server.ts';

let server: ClickHouse;
beforeAll(async () => {
  server = await ClickHouse.start();
});
afterAll(() => server.stop());

async function open(): Promise<OpenStore> {
  const settings = settingsOf(server.storeUrl());
  const openWriter = (): Promise<ClickHouseWriter> =>
    ClickHouseWriter.open({ settings, budgets: GIVEN, collector: 'test', nowUnixMs: Date.now });
  let writer = await openWriter();
  const reader = await ClickHouseReader.open(settings);
  onTestFinished(async () => {
    await reader.close();
    await writer.close();
  });
  return {
    writer,
    reader,
    again: async () => {
      await writer.close();
      writer = await openWriter();
      return writer;
    },
  };
}

for (const { name, run } of [
  ...RAW_CONTRACT,
  ...DERIVED_CONTRACT,
  ...SET_CONTRACT,
  ...TAIL_CONTRACT,
])
  test(name, () => {
    expect.hasAssertions();
    return run(open);
  });
