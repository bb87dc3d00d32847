import { expect, test } from 'vitest';
import { argumentsFor, readOptions, slowness } from '../src/common/options.ts';

test('without arguments everything has its default', () => {
  expect(readOptions('main', [])).toMatchObject({ calls: 1, 'skew-ms': 3_700, 'drift-ppm': 40 });
});

test('each program gets from the launcher what it takes, and reads it back', () => {
  const options = readOptions('main', ['--jitter=80', '--tool', '--slow-hop=edge', '--slow-ms=70']);
  if (options === undefined) throw new Error('no options');
  const edge = readOptions('edge', argumentsFor('edge', { ...options, agent: 'ws://a' }));
  expect(edge).toMatchObject({ jitter: 80, agent: 'ws://a', tool: false });
  expect(edge && slowness(edge, 'edge', 1)()).toBe(70);
  expect(edge && slowness(edge, 'llm', 1)()).toBe(0);
});

test('a limit is accepted, and what lies beyond it is refused by name', () => {
  expect(readOptions('agent', ['--endpoint-ms=200'])?.['endpoint-ms']).toBe(200);
  expect(() => readOptions('agent', ['--endpoint-ms=199'])).toThrow(/--endpoint-ms .* 200 to 5000/);
  expect(() => readOptions('main', ['--calls='])).toThrow(/--calls/);
  expect(() => readOptions('main', ['--slow-hop=mars'])).toThrow(
    /--slow-hop must be one of none, edge/,
  );
  expect(() => readOptions('edge', ['--turns=1'])).toThrow(/--turns/);
});

test('a slow hop meets the share that it is given, the same for the same seed', () => {
  const options = readOptions('main', ['--slow-hop=tts', '--slow-ms=500', '--slow-share=20'])!;
  const drawn = (seed: number): number[] => {
    const next = slowness(options, 'tts', seed);
    return Array.from({ length: 200 }, next);
  };
  const met = drawn(7).filter(ms => ms === 500).length;
  expect(met).toBeGreaterThan(25);
  expect(met).toBeLessThan(55);
  expect(drawn(7)).toEqual(drawn(7));
  expect(drawn(7)).not.toEqual(drawn(8));
});
