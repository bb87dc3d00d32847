// Gate: what users can call, as text in the repository. A change of it is seen
// in the review of a change, and every name and method has a docstring.
//
//   node packages/instrument/gates/api-report.mjs           compares, fails on a difference
//   node packages/instrument/gates/api-report.mjs --write   writes api/*.d.txt anew
//
// One file an entry of package.json: the declarations of the names it exports, as
// the compiler wrote them. Runs on the built files.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const REPORTS = join(PACKAGE, 'api');

/** @returns {Map<string, string>} report name → path of the entry's declarations */
function entries() {
  const found = new Map();
  const { exports } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
  for (const [name, target] of Object.entries(exports))
    for (const path of typesIn(target)) {
      const platform = path.endsWith('.browser.d.ts') ? '.browser' : '';
      const word = name === '.' ? 'index' : name.slice(2).replaceAll('/', '-');
      found.set(`${word}${platform}.d.txt`, join(PACKAGE, path));
    }
  return found;
}

/** @param {unknown} target @returns {string[]} */
function typesIn(target) {
  if (typeof target !== 'object' || target === null) return [];
  return Object.entries(target).flatMap(([condition, value]) =>
    condition === 'types' && typeof value === 'string' ? [value] : typesIn(value),
  );
}

/** Declarations that `entry` reaches through relative paths, itself first. @param {string} entry */
function reached(entry) {
  /** @type {Map<string, string>} */
  const files = new Map();
  const waiting = [entry];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (files.has(path)) continue;
    const text = readFileSync(path, 'utf8').replace(/\n?\/\/# sourceMappingURL=.*\n?$/, '');
    files.set(path, text);
    for (const [, from] of text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g))
      waiting.push(join(dirname(path), from.replace(/\.(js|ts)$/, '.d.ts')));
  }
  return files;
}

/**
 * @typedef {{ name: string, kind: string, comment: string, text: string }} Declared
 */

/** What `entry` exports, wherever it is declared, by name. @param {string} entry @returns {Declared[]} */
function exported(entry) {
  const files = reached(entry);
  const names = new Set(
    [...(files.get(entry)?.matchAll(/export (?:type )?\{([^}]*)\}/g) ?? [])].flatMap(
      ([, list = '']) => list.split(',').map(name => name.replace(/^\s*type\s+/, '').trim()),
    ),
  );
  /** @type {Declared[]} */
  const found = [];
  for (const [path, text] of files)
    for (const match of text.matchAll(
      /^export (?:declare )?(?:abstract )?(class|interface|type|const|function) (\w+)/gm,
    )) {
      const [, kind = '', name = ''] = match;
      if (path !== entry && !names.has(name)) continue;
      found.push({
        name,
        kind,
        comment: commentBefore(text, match.index),
        text: blockAt(text, match.index),
      });
    }
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The docstring that ends just before `at`, or nothing. @param {string} text @param {number} at */
function commentBefore(text, at) {
  const before = text.slice(0, at);
  return before.endsWith('*/\n') ? before.slice(before.lastIndexOf('/**')) : '';
}

/** A declaration: to the brace or the semicolon that ends it at the margin. @param {string} text @param {number} at */
function blockAt(text, at) {
  const rest = text.slice(at);
  const line = /^.*$/m.exec(rest)?.[0] ?? '';
  if (line.endsWith(';') || line.endsWith('}')) return line;
  const end = /\n\}.*$/m.exec(rest);
  return end === null ? line : rest.slice(0, end.index + end[0].length);
}

/** @param {string} entry */
const reportOf = entry =>
  exported(entry)
    .map(({ comment, text }) => `${comment}${text}\n`)
    .join('\n');

/** Names that `entry` exports and methods of its classes that have no docstring. @param {string} entry */
function undocumented(entry) {
  return exported(entry).flatMap(({ name, kind, comment, text }) => [
    ...(comment === '' ? [name] : []),
    ...(kind === 'class' ? bareMethods(name, text) : []),
  ]);
}

/** Methods of the class that `text` begins with which have no comment above. @param {string} name @param {string} text */
function bareMethods(name, text) {
  const lines = text.split('\n');
  return lines.flatMap((line, at) => {
    const method = /^ {4}(?:static )?(\w+)(?:<[^(]*>)?\(/.exec(line)?.[1];
    if (method === undefined || method === 'constructor') return [];
    return /\*\/\s*$/.test(lines[at - 1] ?? '') ? [] : [`${name}.${method}`];
  });
}

function write() {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS);
  for (const [name, entry] of entries()) writeFileSync(join(REPORTS, name), reportOf(entry));
}

function check() {
  const problems = [];
  const known = new Set(existsSync(REPORTS) ? readdirSync(REPORTS) : []);
  for (const [name, entry] of entries()) {
    for (const missing of undocumented(entry)) problems.push(`${missing} has no docstring`);
    const path = join(REPORTS, name);
    const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (before !== reportOf(entry)) problems.push(`api/${name} is not what the package offers now`);
    known.delete(name);
  }
  for (const name of known) problems.push(`api/${name} belongs to no entry`);
  return [...new Set(problems)];
}

if (process.argv.includes('--write')) write();
const problems = check();
if (problems.length === 0)
  console.log(`api: ${entries().size} entries as in api/, every name documented`);
else {
  console.error(problems.join('\n'));
  console.error(
    'If it is meant: node packages/instrument/gates/api-report.mjs --write, and read the difference.',
  );
  process.exitCode = 1;
}
