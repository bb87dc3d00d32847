// What the example costs a user to instrument: every line that exists for it is
// marked `// trace`.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const HOME = fileURLToPath(new URL('../', import.meta.url));
const MARK = / *\/\/ trace$/;
/** What belongs to the instrumentation cannot be used in a line that is not counted. */
const CALLS = /@framescope\/|Framescope|tracePeerConnection|startSession|\bscope\b|\bsession\b/;

const LINES = readdirSync(`${HOME}src`)
  .filter(file => file.endsWith('.ts'))
  .flatMap(file => readFileSync(`${HOME}src/${file}`, 'utf8').split('\n'))
  .map(text => text.trim());
const TRACING = LINES.filter(text => MARK.test(text));

test('the whole call is traced in five lines', () => {
  expect(TRACING.length).toBe(5);
});

test('no line that uses the instrumentation is left out of the count', () => {
  const isCode = (text: string): boolean => !/^(\/\/|\/\*|\*)/.test(text);
  expect(LINES.filter(text => isCode(text) && CALLS.test(text) && !MARK.test(text))).toEqual([]);
});

test('a counted line is a whole statement', () => {
  expect(TRACING.filter(text => !/^(import|const|\w+\().*;$/.test(text.replace(MARK, '')))).toEqual(
    [],
  );
});

test('the README shows each of them as it is in the code', () => {
  const readme = readFileSync(`${HOME}README.md`, 'utf8');
  for (const text of TRACING) expect(readme).toContain(text.replace(MARK, ''));
});
