// `npm run bench -- [suite] [--quick] [--long] [--json FILE]`: runs the built suites
// beside this file and prints their rows; the exit code is 1 when a limit is
// missed. A suite is a file that exports `run`.

import { readdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Row, SuiteOptions } from './row.ts';

const NOT_SUITES = new Set(['main', 'row']);

interface Suite {
  readonly run: (options: SuiteOptions) => Promise<Row[]>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

const names = readdirSync(new URL('.', import.meta.url))
  .filter(file => file.endsWith('.js'))
  .map(file => file.slice(0, -'.js'.length))
  .filter(name => !NOT_SUITES.has(name));
const unknown = positionals.filter(name => !names.includes(name));

if (unknown.length > 0) {
  console.error(`No suite ${unknown.join(', ')}. There are: ${names.join(', ')}.`);
  process.exitCode = 2;
} else {
  const rows = await runAll(positionals.length > 0 ? positionals : names);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 1)}\n`);
  if (rows.some(row => !row.ok)) process.exitCode = 1;
}

async function runAll(suites: readonly string[]): Promise<Row[]> {
  const all: Row[] = [];
  for (const name of suites) {
    const suite = (await import(new URL(`${name}.js`, import.meta.url).href)) as Partial<Suite>;
    const rows = await suite.run?.({ quick: values.quick, long: values.long });
    for (const row of rows ?? []) console.log(lineOf(row));
    all.push(...(rows ?? []));
  }
  return all;
}

function lineOf(row: Row): string {
  const what = `${row.suite.padEnd(10)} ${row.name.padEnd(52)}`;
  if (row.skipped !== undefined) return `      ${what} skipped: ${row.skipped}`;
  const value = `${row.value.toPrecision(4).padStart(10)} ${row.unit}`;
  const limit = row.limit === undefined ? '' : `(${row.better} than ${row.limit})`;
  return `${row.ok ? 'ok  ' : 'MISS'}  ${what}${value} ${limit}`;
}
