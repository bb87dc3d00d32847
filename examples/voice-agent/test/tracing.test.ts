// What the example costs a user to instrument: every line that exists for it is
// marked `// trace`, and the README shows them all.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const HOME = fileURLToPath(new URL('../', import.meta.url));
const LIMIT = 40;
/** What belongs to the instrumentation cannot be used in a line that is not counted. */
const CALLS =
  /@framescope\/instrument|Framescope\(|skewedClock\(|\.startSession\(|session\.|\.call\.|\.hop\(|\.mark(At)?\(|link\.|turn\?\.|stage\?\.|\.conceal\(|\.drop\(/;

interface Line {
  readonly file: string;
  readonly text: string;
}

const LINES: readonly Line[] = readdirSync(`${HOME}src`, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .toSorted()
  .flatMap(file =>
    readFileSync(`${HOME}src/${file}`, 'utf8')
      .split('\n')
      .map(text => ({ file, text: text.trim() })),
  );
const TRACING = LINES.filter(line => line.text.endsWith('// trace'));

test('all tracing of the four processes takes under 40 lines', () => {
  expect(TRACING.length).toBeGreaterThan(20);
  expect(TRACING.length).toBeLessThan(LIMIT);
});

test('no line that uses the instrumentation is left out of the count', () => {
  const uncounted = LINES.filter(({ file, text }) => {
    if (text.endsWith('// trace') || /^(\/\/|\/\*|\*)/.test(text)) return false;
    // The agent's own link, to the models, has the same name as ours.
    return CALLS.test(file.startsWith('agent/') ? text.replaceAll(/-?link\./g, '') : text);
  });
  expect(uncounted.map(({ file, text }) => `${file}: ${text}`)).toEqual([]);
});

test('a counted line is whole: nothing of it hides in the line before', () => {
  const cut = LINES.filter(({ text }, i) => {
    const before = LINES[i - 1]?.text ?? '';
    return text.endsWith('// trace') && (/(=>|=|\()$/.test(before) || text.startsWith('} from'));
  });
  expect(cut).toEqual([]);
});

test('the README shows every line of tracing as it is in the code', () => {
  const readme = readFileSync(`${HOME}README.md`, 'utf8');
  for (const { file, text } of TRACING) {
    expect(readme, file).toContain(text.replace(/,? *\/\/ trace$/, ''));
  }
});
