// What examples cost a user to instrument: the lines marked `// trace`, at most
// five of them where an adapter does the work.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const EXAMPLES = ['openai-realtime', 'twilio-media-streams'];
/** What belongs to the instrumentation cannot be used in a line that is not counted. */
const CALLS = /@framescope\/|Framescope\(|\bscope\b|(?<!')\bsession\b(?=[.,)])|\btrace[A-Z]\w*\(/;

describe.each(EXAMPLES)('%s', name => {
  const home = fileURLToPath(new URL(`../examples/${name}/`, import.meta.url));
  const lines = readdirSync(`${home}src`, { encoding: 'utf8' })
    .flatMap(file => readFileSync(`${home}src/${file}`, 'utf8').split('\n'))
    .map(line => line.trim());
  const tracing = lines.filter(line => line.endsWith('// trace'));

  test('is instrumented in five lines', () => {
    expect(tracing.length).toBeLessThanOrEqual(5);
    expect(tracing.length).toBeGreaterThan(2);
  });

  test('each of them is a whole statement, and no other line uses the instrumentation', () => {
    expect(tracing.filter(line => !line.endsWith('; // trace') || line.length > 120)).toEqual([]);
    const uncounted = lines.filter(
      line => CALLS.test(line) && !line.endsWith('// trace') && !/^(\/\/|\/?\*)/.test(line),
    );
    expect(uncounted).toEqual([]);
  });

  test('its README shows exactly these lines', () => {
    const shown = readFileSync(`${home}README.md`, 'utf8')
      .split('\n')
      .map(line => line.trim());
    const missing = tracing
      .map(line => line.replace(/ \/\/ trace$/, ''))
      .filter(line => !shown.includes(line));
    expect(missing).toEqual([]);
  });
});
