import { expect, test } from 'vitest';
import { decodeLoad } from '../src/index.ts';

const read = (value: unknown): unknown => decodeLoad(JSON.stringify(value), 'load');

test('figures of load are read, and what a newer sender adds is left out', () => {
  const figures = { calls: 3, lagMaxNs: 4e6, busy: 0.25, cpu: 1.5, waiting: { llm: 2 } };
  expect(read({ ...figures, gpu: 7 })).toEqual({ ok: true, value: figures });
});

test.each([
  ['a text', '"x"', 'load'],
  ['a count below 0', '{"calls":-1}', 'load.calls'],
  ['a number that is none', '{"calls":1,"cpu":"much"}', 'load.cpu'],
  ['a queue without a depth', '{"calls":1,"waiting":{"llm":null}}', 'load.waiting'],
  ['half of it', '{"calls":', 'load'],
])('%s is refused with its place', (_, text, path) => {
  expect(decodeLoad(text, 'load')).toMatchObject({ ok: false, path });
});

test('a text of 8,192 characters is read and a longer one refused', () => {
  const pad = (length: number): string =>
    `{"calls":1,"x":"${'y'.repeat(length - '{"calls":1,"x":""}'.length)}"}`;
  expect(decodeLoad(pad(8_192), 'load').ok).toBe(true);
  expect(decodeLoad(pad(8_193), 'load').ok).toBe(false);
});
