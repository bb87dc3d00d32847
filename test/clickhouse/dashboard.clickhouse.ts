// The dashboard of examples/scale-out: each of its questions is one that our tables can answer.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  derivedOf,
  rollupOf,
  valueOf,
  NOON_MINUTE,
} from '../../packages/collector/test/support/derived.ts';
import { Client } from '../../packages/collector/src/store/clickhouse/client.ts';
import { ClickHouseWriter } from '../../packages/collector/src/store/clickhouse/writer.ts';
import { ClickHouse, settingsOf } from './server.ts';

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly rawSql: string }[];
  }[];
}

const dashboard = JSON.parse(
  readFileSync(new URL('../../examples/scale-out/grafana/calls.json', import.meta.url), 'utf8'),
) as Dashboard;

let server: ClickHouse;
beforeAll(async () => {
  server = await ClickHouse.start();
});
afterAll(() => server.stop());

/** As Grafana's plugin fills its macros in. */
const filled = (sql: string, database: string): string =>
  sql
    .replaceAll('$__interval_s', '60')
    .replaceAll('$__fromTime', `toDateTime(${(NOON_MINUTE - 60) * 60})`)
    .replaceAll('$__toTime', `toDateTime(${(NOON_MINUTE + 60) * 60})`)
    .replaceAll(/\bframescope_/g, `${database}.framescope_`);

test('every panel has something to show of a call', async () => {
  const settings = settingsOf(server.storeUrl());
  const writer = await ClickHouseWriter.open({ settings, collector: 'test', nowUnixMs: Date.now });
  const client = new Client(settings);
  onTestFinished(async () => {
    await client.close();
    await writer.close();
  });
  const values = [valueOf('a', 0), valueOf('a', 0, { measure: 'part.inference' })];
  await writer.commitDerived([
    derivedOf({ key: 'a' }, { values, rollups: [rollupOf('a', NOON_MINUTE, [5e6])] }),
  ]);
  for (const { title, targets } of dashboard.panels)
    for (const { rawSql } of targets) {
      const rows = await client.rows(filled(rawSql, settings.database));
      expect(rows.length, title).toBeGreaterThan(0);
    }
});
