import { JsonLink } from '@framescope/instrument/websocket-json';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

test('a field of that name that is not ours stays in the message', () => {
  const link = new JsonLink(new World().scope().startSession({ id: 'call' }));
  const message = { framescope: { anchor: 'no anchor' }, text: 'hello' };
  expect(link.untag(message)).toBe(message);
});

test('an anchor of another call is taken out and told, and moves nothing', () => {
  const world = new World();
  const [mine, other] = ['mine', 'other'].map(id => world.scope().startSession({ id }));
  const tagged = new JsonLink(other!).tag(other!.stream('mic'), { n: 1 }, { tick: 48_000 });
  expect(new JsonLink(mine!).untag(tagged)).toEqual({ n: 1 });
  expect(mine!.stream('mic').position).toBe(0);
  expect(world.codes()).toEqual(['foreign_anchor']);
});

test('the message that was given is not changed', () => {
  const session = new World().scope().startSession({ id: 'call' });
  const message = Object.freeze({ n: 1 });
  const tagged = new JsonLink(session).tag(session.stream('mic'), message);
  expect(Object.keys(tagged)).toEqual(['n', 'framescope']);
  expect(Object.keys(message)).toEqual(['n']);
});

test('nothing that comes is thrown at', () => {
  const session = new World().scope().startSession({ id: 'call' });
  const link = new JsonLink(session);
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (a, b) => {
      link.untag(a);
      link.untag({ framescope: a });
      link.tag(a as never, b as never, a as never);
    }),
  );
});
