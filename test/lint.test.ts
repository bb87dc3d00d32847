// Each lint rule of ours catches a bad file, and lets its good twin pass.
//
// The samples are written into a temporary tree of the same shape as ours and
// linted once, with the real configuration.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const oxlint = join(
  dirname(createRequire(import.meta.url).resolve('oxlint/package.json')),
  'bin/oxlint',
);

type Sample = readonly [path: string, code: string];

/** rule → files it must refuse. */
const BAD: Record<string, readonly Sample[]> = {
  'hot-path(no-allocation)': [
    ['packages/instrument/src/hot/array.ts', 'export function f(): unknown { return [1]; }'],
    ['packages/instrument/src/hot/new.ts', 'export function f(): unknown { return new Map(); }'],
    [
      'packages/instrument/src/hot/slice.ts',
      'export function f(a: Uint8Array): unknown { return a.subarray(1); }',
    ],
    ['bench/src/hot/text.ts', 'export function f(n: number): string { return `${n}`; }'],
  ],
  'framescope(import-boundaries)': [
    ['packages/protocol/src/dep.ts', "import 'node:fs';"],
    ['packages/instrument/src/export/otel.ts', "import '@opentelemetry/api';"],
    ['packages/instrument/src/clock/node.ts', "import 'node:perf_hooks';"],
    ['packages/instrument/src/neighbour.ts', "import '../../protocol/src/units.ts';"],
    ['packages/collector/src/serve/viewer.ts', "import '@framescope/viewer';"],
    [
      'packages/collector/src/lazy.ts',
      "export const load = () => import('@framescope/instrument');",
    ],
    ['packages/collector/src/query/sql.ts', "import 'better-sqlite3';"],
    ['packages/viewer/src/pages/all.ts', "export { x } from 'framescope';"],
    ['packages/viewer/src/draw/bars.ts', "import '../data/marks.ts';"],
    ['packages/viewer/src/layout/bars.ts', "import '../draw/bars.ts';"],
    ['packages/protocol/src/star.ts', "export * from './units.ts';"],
    ['packages/collector/src/kit.ts', "import '@framescope/testkit';"],
    ['examples/voice-agent/src/kit.ts', "import '@framescope/testkit';"],
  ],
  'framescope(one-place)': [
    ['packages/viewer/src/input/wheel.ts', 'requestAnimationFrame(() => {});'],
    ['packages/viewer/src/layout/scale.ts', 'export const x: number = window.devicePixelRatio;'],
    ['packages/collector/src/store/env.ts', 'export const x = process.env;'],
    ['packages/instrument/src/otel/env.ts', "export const x = process['env'];"],
    ['packages/collector/src/serve/exit.ts', 'process.exit(1);'],
  ],
  'framescope(sql-in-store)': [
    ['packages/collector/src/query/turns.ts', "export const sql = 'SELECT id FROM turn';"],
    [
      'packages/collector/src/rollup/minute.ts',
      'export const sql = `\n  INSERT INTO rollup VALUES (?)`;',
    ],
    ['packages/testkit/src/peek.ts', "export const sql = 'PRAGMA user_version';"],
  ],
  'framescope(unit-casts)': [
    ['packages/collector/src/assemble/cast.ts', 'export const x = 5 as SessionNs;'],
    ['packages/viewer/src/pages/cast.ts', 'export const x = <Tick>5;'],
  ],
  'framescope(header-comment)': [
    ['packages/protocol/src/long.ts', 'export const x = 1;\n'.concat('\n'.repeat(31))],
    ['scripts/long.mjs', `#!/usr/bin/env node\nexport const x = 1;\n${'\n'.repeat(31)}`],
  ],
  'framescope(pure-unit-test)': [
    ['packages/protocol/test/sleep.test.ts', 'setTimeout(() => {}, 5);'],
    ['packages/protocol/test/clock.test.ts', 'export const x = Date.now();'],
    ['packages/protocol/test/today.test.ts', 'export const x = new Date();'],
    ['packages/protocol/test/net.test.ts', "import 'node:http';"],
  ],
  'eslint(max-lines-per-function)': [
    [
      'scripts/long-function.mjs',
      `// A long one.\nexport function f(x) {\n${'  x++;\n'.repeat(70)}}`,
    ],
  ],
  'eslint(no-console)': [['packages/instrument/src/talk.ts', "console.log('a');"]],
  'typescript(no-explicit-any)': [['packages/protocol/src/any.ts', 'export const x: any = 1;']],
  'vitest(no-disabled-tests)': [
    [
      'packages/protocol/test/skip.test.ts',
      "import { test } from 'vitest';\ntest.skip('a', () => {});",
    ],
  ],
  'vitest(no-focused-tests)': [
    [
      'packages/protocol/test/only.test.ts',
      "import { expect, test } from 'vitest';\ntest.only('a', () => { expect(1).toBe(1); });",
    ],
  ],
  'vitest(expect-expect)': [
    [
      'packages/protocol/test/empty.test.ts',
      "import { test } from 'vitest';\ntest('a', () => {});",
    ],
  ],
};

/** The same things where they belong, or done right. */
const GOOD: readonly Sample[] = [
  [
    'packages/instrument/src/hot/ring.ts',
    'export class Ring {\n  readonly at = new Float64Array(4);\n  put(x: number): void { this.at[0] = x; }\n}',
  ],
  [
    'packages/instrument/src/otel/spans.ts',
    "import '@opentelemetry/api';\nimport '@framescope/protocol';",
  ],
  [
    'packages/instrument/src/platform/node/env.ts',
    "import 'node:os';\nexport const x = process.env;",
  ],
  ['packages/collector/src/config.ts', 'export const x = process.env;'],
  [
    'packages/collector/src/store/sqlite/read.ts',
    "import 'better-sqlite3';\nexport const q = 'SELECT 1';",
  ],
  ['packages/collector/src/serve/words.ts', "export const help = 'Select a turn';"],
  ['packages/viewer/src/draw/surface.ts', 'requestAnimationFrame(() => devicePixelRatio);'],
  ['packages/protocol/src/units.ts', 'export const x = 5 as SessionNs;'],
  ['packages/protocol/src/frame-block-codec.ts', 'export const x = 5 as Tick;'],
  ['packages/viewer/src/layout/lanes.ts', 'export const x = 5 as SessionNs;'],
  ['packages/testkit/src/call.ts', "import 'framescope';\nimport '@framescope/instrument';"],
  ['packages/protocol/src/short.ts', 'export const x = 1;'],
  ['packages/collector/test/sleep.e2e.test.ts', "import 'node:http';\nsetTimeout(() => {}, 5);"],
  ['scripts/run.mjs', `// What it is.\nprocess.exit(Number(process.env.X));\n${'\n'.repeat(31)}`],
];

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

let folder: string;
let found: readonly string[];

/** Our configuration, readable from another folder. */
function configuration(): string {
  const text = readFileSync(join(root, '.oxlintrc.json'), 'utf8');
  return text.replaceAll('"./lint/', `"${root}lint/`);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'framescope-lint-'));
  write('.oxlintrc.json', configuration());
  for (const [path, code] of [...Object.values(BAD).flat(), ...GOOD]) write(path, code);
  const result = spawnSync(process.execPath, [oxlint, '-f', 'json'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const { diagnostics } = JSON.parse(result.stdout) as { diagnostics: readonly Diagnostic[] };
  found = diagnostics.map(one => `${one.filename} ${one.code}`);
});

afterAll(() => rmSync(folder, { recursive: true }));

for (const [rule, samples] of Object.entries(BAD)) {
  test.each(samples)(`${rule} refuses %s`, path => {
    expect(found).toContain(`${path} ${rule}`);
  });
}

test.each(GOOD)('no rule minds %s', path => {
  expect(found.filter(line => line.startsWith(`${path} `))).toEqual([]);
});
