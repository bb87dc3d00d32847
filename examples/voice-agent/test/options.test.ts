import { expect, test } from 'vitest';
import { argumentsFor, readOptions, slownessMs } from '../src/common/options.ts';

test('without arguments everything has its default', () => {
  expect(readOptions('main', [])).toMatchObject({ calls: 1, 'skew-ms': 3_700, 'drift-ppm': 40 });
});

test('each program gets from the launcher what it takes, and reads it back', () => {
  const options = readOptions('main', ['--jitter=80', '--tool', '--slow-hop=edge', '--slow-ms=70']);
  if (options === undefined) throw new Error('no options');
  const edge = readOptions('edge', argumentsFor('edge', { ...options, agent: 'ws://a' }));
  expect(edge).toMatchObject({ jitter: 80, agent: 'ws://a', tool: false });
  expect(edge && slownessMs(edge, 'edge')).toBe(70);
  expect(edge && slownessMs(edge, 'llm')).toBe(0);
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
