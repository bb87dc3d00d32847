// The contract of every store, on ClickHouse: the same tests as SQLite's, none left out.

import { afterAll, beforeAll, onTestFinished } from 'vitest';
import {
  derivedContract,
  rawContract,
  type OpenStore,
} from '../../packages/collector/test/store/contract.ts';
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
    ClickHouseWriter.open({ settings, collector: 'test', nowUnixMs: Date.now });
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

rawContract(open);
derivedContract(open);
