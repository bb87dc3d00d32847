import { expect, test } from 'vitest';
import { decodeLoad, encodeLoad, LOAD_PIECES_MAX } from '../src/index.ts';

const read = (value: unknown): unknown => decodeLoad(JSON.stringify(value), 'load');

test('figures of load are read, and what a newer sender adds is left out', () => {
  const figures = { calls: 3, lagMaxNs: 4e6, busy: 0.25, cpu: 1.5, waiting: { llm: 2 } };
  expect(read({ ...figures, gpu: 7 })).toEqual({ ok: true, value: [{ figures }] });
});

test('seconds side by side come back as they were, and what stays the same is told once', () => {
  const second = (
    toMs: number,
    lagMaxNs: number,
    llm: number,
  ): Parameters<typeof encodeLoad>[0][number] => ({
    toMs,
    figures: { calls: 3, lagMaxNs, busy: 0.25, rssBytes: 91 * 2 ** 20, waiting: { llm } },
  });
  const pieces = [second(1_001, 2e6, 0), second(2_003, 1_240_000, 2)];
  const text = encodeLoad(pieces);
  expect(text).toBe(
    '{"toMs":[1001,2003],"calls":3,"lagMaxUs":[2000,1240],"busy":0.25,"rssMb":91,"waiting":{"llm":[0,2]}}',
  );
  expect(decodeLoad(text, 'load')).toEqual({ ok: true, value: pieces });
});

test('what a platform could not tell in one of the seconds is absent in that one', () => {
  const pieces = [
    { toMs: 1_000, figures: { calls: 1 } },
    { toMs: 2_000, figures: { calls: 1, cpu: 0.5 } },
  ];
  expect(decodeLoad(encodeLoad(pieces), 'load')).toEqual({ ok: true, value: pieces });
});

test('60 seconds are read and 61 refused', () => {
  const pieces = (count: number): string =>
    JSON.stringify({ toMs: Array.from({ length: count }, (_, i) => i + 1), calls: 1 });
  expect(decodeLoad(pieces(LOAD_PIECES_MAX), 'load').ok).toBe(true);
  expect(decodeLoad(pieces(LOAD_PIECES_MAX + 1), 'load').ok).toBe(false);
});

test.each([
  ['a text', '"x"', 'load'],
  ['a count below 0', '{"calls":-1}', 'load.calls'],
  ['a number that is none', '{"calls":1,"cpu":"much"}', 'load.cpu'],
  ['a queue without a depth', '{"calls":1,"waiting":{"llm":null}}', 'load.waiting'],
  ['half of it', '{"calls":', 'load'],
  ['times that do not ascend', '{"toMs":[5,5]}', 'load.toMs'],
  ['a second of nonsense', '{"toMs":[5,6],"calls":[1,-1]}', 'load.calls'],
])('%s is refused with its place', (_, text, path) => {
  expect(decodeLoad(text, 'load')).toMatchObject({ ok: false, path });
});

test('a text of 8,192 characters is read and a longer one refused', () => {
  const pad = (length: number): string =>
    `{"calls":1,"x":"${'y'.repeat(length - '{"calls":1,"x":""}'.length)}"}`;
  expect(decodeLoad(pad(8_192), 'load').ok).toBe(true);
  expect(decodeLoad(pad(8_193), 'load').ok).toBe(false);
});
