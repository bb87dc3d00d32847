// Bodies that other programs really sent are kept as fixtures. Each says of which package and version
// it is, which command made it and when: one that nobody could make again proves nothing.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PLACES = ['packages', 'examples', 'test'];

/** Files in folders named `fixtures`. */
function fixtures(folder: string, isInside = false): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    if (entry.name === 'node_modules' || entry.name === 'out') return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return fixtures(path, isInside || entry.name === 'fixtures');
    return isInside && entry.name.endsWith('.json') ? [path] : [];
  });
}

/** What is missing of a header; empty: nothing. */
function missing(text: string): string[] {
  const { header } = JSON.parse(text) as { header?: Record<string, unknown> };
  const wanted: Readonly<Record<string, RegExp>> = {
    package: /./,
    version: /\d/,
    command: /./,
    date: /^20\d\d-\d\d-\d\d$/,
  };
  return Object.entries(wanted).flatMap(([key, form]) =>
    form.test(String(header?.[key] ?? '')) ? [] : key,
  );
}

test('every fixture says of which package and version it is, which command made it and when', () => {
  const all = PLACES.flatMap(place => fixtures(join(ROOT, place)));
  expect(all.length).toBeGreaterThan(0);
  const bad = all.flatMap(path => {
    const lacks = missing(readFileSync(path, 'utf8'));
    return lacks.length === 0 ? [] : `${path.slice(ROOT.length)}: ${lacks.join(', ')}`;
  });
  expect(bad).toEqual([]);
});

test('no fixture holds a path of the machine that made it', () => {
  const all = PLACES.flatMap(place => fixtures(join(ROOT, place)));
  const bad = all.filter(path => /\/(root|home|Users|tmp)\/[\w.]/.test(readFileSync(path, 'utf8')));
  expect(bad).toEqual([]);
});

test('a fixture without a header, or with half of one, is seen', () => {
  expect(missing('{"body":1}')).toEqual(['package', 'version', 'command', 'date']);
  expect(missing('{"header":{"package":"a","version":"1","command":"b","date":"today"}}')).toEqual([
    'date',
  ]);
});
