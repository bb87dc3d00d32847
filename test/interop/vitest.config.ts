// `npm run test:interop`: tests against real programs, one file after the other.

import { defineConfig } from 'vitest/config';
import { fileURLToPath } from 'node:url';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    name: 'interop',
    include: ['*.interop.ts'],
    maxWorkers: 1,
    // Limits of a few milliseconds against programs that share a machine with others: a test that misses one
    // is tried again, to the same limit. What is wrong misses it each time.
    retry: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
