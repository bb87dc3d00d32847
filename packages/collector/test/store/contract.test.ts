import { expect, onTestFinished, test } from 'vitest';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { temporaryFolder } from '../support/spans.ts';
import { DERIVED_CONTRACT } from './contract-derived.ts';
import { RAW_CONTRACT } from './contract-raw.ts';
import { SET_CONTRACT } from './contract-set.ts';
import { TAIL_CONTRACT } from './contract-tail.ts';
import { GIVEN, type OpenStore } from './contract-test.ts';

async function open(): Promise<OpenStore> {
  const folder = temporaryFolder();
  let writer = new SqliteWriter({ folder, maxBytes: 1e9, budgets: GIVEN });
  const reader = new SqliteReader(folder);
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  // A volume that a commit began is known to the reader at once, as the collector tells it.
  const seeing = new Proxy(reader, {
    get: (target, name) => {
      target.refresh();
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return {
    writer,
    reader: seeing,
    again: async () => {
      writer.close();
      writer = new SqliteWriter({ folder, maxBytes: 1e9, budgets: GIVEN });
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
