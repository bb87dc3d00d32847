// `npm run test:clickhouse`: the ClickHouse engine of the store on the real engine, over the wire.

import { defineConfig } from 'vitest/config';
import { fileURLToPath } from 'node:url';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    name: 'clickhouse',
    include: ['*.clickhouse.ts'],
    // A Chromium for the pages.
    globalSetup: ['../setup-e2e.ts'],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What a poll waits for comes on a busy machine later than vitest's second.
    expect: { poll: { timeout: 20_000 } },
  },
});
