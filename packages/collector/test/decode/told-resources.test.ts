import { expect, test } from 'vitest';
import { ToldResources } from '../../src/decode/told-resources.ts';

const resource = (attributes: Record<string, string>) => ({ attributes });
const WHOLE = resource({ 'service.name': 'agent', 'service.instance.id': '1', 'host.name': 'vm' });
const BRIEF = resource({ 'service.name': 'agent', 'service.instance.id': '1' });

test('what a process said of itself stands for what it says in brief', () => {
  const told = new ToldResources();
  expect(told.whole('a', BRIEF)).toBe(BRIEF);
  expect(told.whole('a', WHOLE)).toBe(WHOLE);
  expect(told.whole('a', BRIEF)).toBe(WHOLE);
  expect(told.whole('b', BRIEF)).toBe(BRIEF);
});

test('what contradicts it is taken as it is', () => {
  const told = new ToldResources();
  told.whole('a', WHOLE);
  const moved = resource({ ...WHOLE.attributes, 'host.name': 'other' });
  expect(told.whole('a', moved)).toBe(moved);
  expect(told.whole('a', BRIEF)).toBe(moved);
});

test('of many processes the one not heard of for longest is forgotten', () => {
  const told = new ToldResources();
  told.whole('first', WHOLE);
  for (let i = 0; i < 9_999; i++) told.whole(`p${i}`, WHOLE);
  expect(told.whole('first', BRIEF)).toBe(WHOLE);
  told.whole('one more', WHOLE);
  expect(told.whole('first', BRIEF)).toBe(WHOLE);
  expect(told.whole('p0', BRIEF)).toBe(BRIEF);
});
