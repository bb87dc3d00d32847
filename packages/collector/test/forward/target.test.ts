import { expect, test } from 'vitest';
import { readTarget, TargetError } from '../../src/forward/target.ts';

const problemOf = (text: string): string => {
  try {
    readTarget(text);
    return 'taken';
  } catch (problem) {
    return problem instanceof TargetError ? problem.message : `crash: ${String(problem)}`;
  }
};

test('a target says where, by what, which spans, and how long after', () => {
  expect(readTarget('otlp+http://jaeger:4318')).toMatchObject({
    protocol: 'http',
    isTls: false,
    authority: 'jaeger:4318',
    path: '',
    headers: {},
    send: new Set(['turns', 'promoted']),
    delayMs: 5_000,
    queueBytesMax: 64 * 1024 * 1024,
    isGzip: true,
    fromStart: false,
  });
  expect(
    readTarget(
      'otlp+grpcs://tempo.example?send=all&delay=0.5&queue=8MB&header=x-org:me&compression=none&from=start&ca=/ca.pem',
    ),
  ).toMatchObject({
    protocol: 'grpc',
    isTls: true,
    authority: 'tempo.example:4317',
    headers: { 'x-org': 'me' },
    send: new Set(['all']),
    delayMs: 500,
    queueBytesMax: 8 * 1024 * 1024,
    isGzip: false,
    fromStart: true,
    caFile: '/ca.pem',
  });
});

test('a path before /v1/traces and a user of basic authentication are kept', () => {
  const target = readTarget('otlp+https://me:p%40ss@host/otlp/?send=all');
  expect([target.path, target.name]).toEqual(['/otlp', 'otlp+https://host:4318/otlp']);
  expect(target.headers['authorization']).toBe(
    `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
  );
});

test('a target is the same after a restart with another secret, another with another filter', () => {
  const id = (query: string): string => readTarget(`otlp+http://a:1${query}`).id;
  expect(id('?header=authorization:Bearer%20x')).toBe(id('?header=authorization:Bearer%20y'));
  expect(id('?send=promoted,turns')).toBe(id('?send=turns,promoted'));
  expect(id('?send=all')).not.toBe(id('?send=turns'));
});

test.each([
  [
    'http://a:4318',
    '"http://a:4318": expected otlp+http://, otlp+https://, otlp+grpc:// or otlp+grpcs://',
  ],
  ['jaeger', '"jaeger" is no URL; write e.g. otlp+http://127.0.0.1:14318?send=turns,promoted'],
  [
    'otlp+http://a?send=frames',
    'send=frames: expected turns, promoted or all, with commas between',
  ],
  ['otlp+http://a?send=', 'send= names nothing to send'],
  [
    'otlp+http://a?sent=all',
    '"sent" is no parameter of it; there are send, delay, queue, header, compression, ca, from',
  ],
  ['otlp+http://a?delay=-1', 'delay=-1: expected a number from 0 to 3600'],
  ['otlp+http://a?delay=3600', 'taken'],
  ['otlp+http://a?delay=3601', 'delay=3601: expected a number from 0 to 3600'],
  ['otlp+http://a?queue=0MB', 'queue=0MB: expected a size such as 64MB'],
  ['otlp+http://a?queue=1MB', 'taken'],
  ['otlp+http://a?header=x', 'header= must be name:value, in printable ASCII'],
  ['otlp+http://a?compression=br', 'compression=br: expected gzip or none'],
  ['otlp+http://a?from=yesterday', 'from=yesterday: expected now or start'],
])('%s: %s', (text, expected) => {
  expect(problemOf(text)).toBe(expected);
});

test('what is wrong is said without what may be a secret', () => {
  expect(problemOf('http://user:secret@a?header=authorization:secret')).not.toContain('secret');
});
