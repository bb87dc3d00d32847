// Numbers and hostile text as they are shown.

import { expect, test } from 'vitest';
import { cut } from '../src/ui/dom.ts';
import { clock, duration, moment, ms, share, words } from '../src/ui/format.ts';

test('a duration takes the unit that fits it', () => {
  expect([null, 0, 1_500, 420_000, 9.4e6, 38e6, 951e6, 1.274e9, 125e9, -3e6].map(duration)).toEqual(
    ['–', '0 ms', '1.5 µs', '420 µs', '9.4 ms', '38 ms', '951 ms', '1.27 s', '2:05', '−3.0 ms'],
  );
});

test('no rounding reaches a unit that looks wrong', () => {
  expect([999_499, 999_500, 999.4e6, 999.6e6].map(duration)).toEqual([
    '999 µs',
    '1.0 ms',
    '999 ms',
    '1.00 s',
  ]);
});

test('a share of something is never 0 %, of not all never 100 %', () => {
  expect([share(1, 1e6), share(0, 10), share(9999, 10_000), share(1, 1), share(1, 0)]).toEqual([
    '<0.1 %',
    '0 %',
    '99.9 %',
    '100 %',
    '–',
  ]);
});

test('milliseconds keep a decimal only below ten', () => {
  expect([ms(4.04e6), ms(41e6), ms(1_234e6), ms(0), ms(null)]).toEqual([
    '4.0',
    '41',
    '1,234',
    '0',
    '–',
  ]);
});

test('a moment of a call is told to the millisecond', () => {
  expect([moment(83_456e6), moment(3_723_004e6), clock(59.6e9)]).toEqual([
    '1:23.456',
    '1:02:03.004',
    '1:00',
  ]);
});

test('hostile text is cut, and what would turn its direction is gone', () => {
  expect(cut('a\u202Eb\u0007c')).toBe('a b c');
  expect(cut('x'.repeat(500), 10)).toBe('xxxxxxxxx…');
});

test('names of merged parts name both', () => {
  expect(words('endpointing+jitter_buffer')).toBe('endpointing + jitter buffer');
});
