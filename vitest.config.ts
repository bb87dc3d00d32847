// How the tests run: two projects, told apart by the file name.
//
//   unit  *.test.ts       packages resolve to src/, files run side by side, no clock, no network
//   e2e   *.e2e.test.ts   packages resolve to out/ (workers and processes need built files:
//                         Node 20 runs no TypeScript), one file after the other
//
//   npx vitest run --project unit packages/protocol
//   npx vitest run --project e2e  packages/collector

import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Each package's front door in src/, so that a unit test never sees a stale build. */
const SOURCES = [
  { find: '#platform', replacement: here('packages/instrument/src/platform/node/platform.ts') },
  { find: /^@framescope\/protocol$/, replacement: here('packages/protocol/src/index.ts') },
  { find: /^@framescope\/instrument$/, replacement: here('packages/instrument/src/index.node.ts') },
  {
    find: /^@framescope\/instrument\/(.+)$/,
    replacement: here('packages/instrument/src/entries/$1.ts'),
  },
  { find: /^framescope$/, replacement: here('packages/collector/src/index.ts') },
  { find: /^@framescope\/testkit\/(.+)$/, replacement: here('packages/testkit/src/vendors/$1.ts') },
  { find: /^@framescope\/testkit$/, replacement: here('packages/testkit/src/index.ts') },
];

const PLACES = ['packages/*/test', 'examples/*/test', 'bench/test', 'test'];
const E2E = '**/*.e2e.test.ts';

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias: SOURCES },
        test: {
          name: 'unit',
          include: PLACES.map(place => `${place}/**/*.test.ts`),
          exclude: [...configDefaults.exclude, E2E, '**/out/**'],
          // Against hanging; a busy machine takes seconds for what takes one alone.
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: PLACES.map(place => `${place}/**/*.e2e.test.ts`),
          exclude: [...configDefaults.exclude, '**/out/**'],
          globalSetup: [here('test/setup-e2e.ts')],
          // Built files are taken as they are: Vite would rewrite the `new URL(…)` of workers.
          server: { deps: { external: [/\/out\//] } },
          // Two cores: calls, collectors and browsers of two files would measure each other.
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // What a poll waits for comes on a busy machine later than vitest's second.
          expect: { poll: { timeout: 20_000 } },
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
