// Hop keys, and the tables of codes.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hopKey, parseHopKey } from '../src/hop-key.ts';
import { HOP, hopCode, hopOfCode, ROLE, roleCode, roleOfCode } from '../src/hops.ts';

test('a hop key reads as it is written in the documents', () => {
  const receive = { stream: 'mic', role: 'agent', name: 'receive', nth: 0 };
  expect(hopKey(receive)).toBe('mic.agent/receive');
  expect(hopKey({ ...receive, nth: 1 })).toBe('mic.agent/receive#2');
  expect(hopKey({ ...receive, instance: 'pod-7' })).toBe('mic.agent/receive@pod-7');
});

test('any names come back from a hop key, and two places never share one', () => {
  const name = fc.string({ unit: fc.constantFrom('a', '.', '/', '#', '@', '%', '2', 'é') });
  const place = fc.record({ stream: name, role: name, name, nth: fc.nat(20) });
  fc.assert(
    fc.property(place, fc.option(name, { nil: undefined }), (where, instance) => {
      const full = instance === undefined ? where : { ...where, instance };
      expect(parseHopKey(hopKey(full))).toEqual(full);
    }),
  );
});

test('text that is no hop key is none', () => {
  for (const text of ['', 'mic', 'mic.agent', 'agent/receive', 'mic.agent/receive#x', '@a.b/c'])
    expect(parseHopKey(text)).toBeUndefined();
});

test('each standard name has one code and each code its name; other names have code 0', () => {
  for (const [name, code] of Object.entries(HOP))
    expect([hopOfCode(code), hopCode(name)]).toEqual([name, code]);
  for (const name of Object.keys(ROLE)) expect(roleOfCode(roleCode(name))).toBe(name);
  expect([hopCode('mixer'), hopCode('toString'), roleCode('__proto__')]).toEqual([0, 0, 0]);
  expect(Math.max(...Object.values(ROLE))).toBeLessThan(64); // six bits on the wire
});
