// `npm run test:interop`: tests against real programs, one file after the other.

import { defineConfig } from 'vitest/config';
import { fileURLToPath } from 'node:url';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    name: 'interop',
    include: ['*.interop.ts'],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What a poll waits for comes on a busy machine later than vitest's second.
    expect: { poll: { timeout: 20_000 } },
  },
});
