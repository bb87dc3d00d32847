import { expect, test } from 'vitest';
import { Endpointer } from '../src/agent/endpointer.ts';

test('the turn is over when the window has passed on the media clock, once', () => {
  const endpointer = new Endpointer(500);
  endpointer.speechStarted();
  endpointer.speechStopped(16_000);
  expect(endpointer.advance(16_000 + 7_999)).toBe(false);
  expect(endpointer.advance(16_000 + 8_000)).toBe(true);
  expect(endpointer.advance(16_000 + 9_000)).toBe(false);
});

test('speech in the window starts it anew', () => {
  const endpointer = new Endpointer(500);
  endpointer.speechStopped(16_000);
  endpointer.speechStarted();
  expect(endpointer.advance(32_000)).toBe(false);
  endpointer.speechStopped(30_000);
  expect(endpointer.advance(38_000)).toBe(true);
});
