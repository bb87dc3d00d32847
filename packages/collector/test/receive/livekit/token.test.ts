import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { tokenProblem } from '../../../src/receive/livekit/token.ts';
import { Access } from '../../../src/serve/access.ts';

const KEY = { key: 'APIkey', secret: 'a secret of the project' };
const NOW = 1_000_000;

function jwt(claims: object, { secret = KEY.secret, alg = 'HS256' } = {}): string {
  const encode = (value: object): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const GOOD = { iss: KEY.key, exp: NOW + 100, nbf: NOW - 100, observability: { write: true } };

test('a token of the key with the grant may write', () => {
  expect(tokenProblem(jwt(GOOD), KEY, NOW)).toBeUndefined();
});

test.each([
  ['of another secret', jwt(GOOD, { secret: 'another' }), /--livekit-secret/],
  ['of another key', jwt({ ...GOOD, iss: 'APIother' }), /--livekit-key/],
  ['that has expired', jwt({ ...GOOD, exp: NOW - 61 }), /expired/],
  ['without an end', jwt({ ...GOOD, exp: undefined }), /expired/],
  ['of tomorrow', jwt({ ...GOOD, nbf: NOW + 61 }), /clocks/],
  ['that only joins rooms', jwt({ ...GOOD, observability: undefined, video: {} }), /grant/],
  ['that may not write', jwt({ ...GOOD, observability: { write: false } }), /grant/],
  ['that says it needs no signature', jwt(GOOD, { alg: 'none' }), /HS256/],
  ['with two parts', 'a.b', /three parts/],
  ['with four parts', `${jwt(GOOD)}.x`, /three parts/],
  ['of no JSON', 'a.b.c', /HS256/],
  ['whose claims are null', jwt(null as unknown as object), /--livekit-key/],
])('a token %s does not', (_, token, why) => {
  expect(tokenProblem(token, KEY, NOW)).toMatch(why);
});

const access = (options: object): Access =>
  new Access({ secret: new Uint8Array(32), nowUnixMs: () => NOW * 1_000, ...options });

test('where writing is open any token uploads, also none', () => {
  const open = access({});
  expect([open.mayUpload('Bearer x.y.z').kind, open.mayUpload(undefined).kind]).toEqual([
    'all',
    'all',
  ]);
});

test('where writing is guarded the token of the key uploads, and the one of --token', () => {
  const guarded = access({ token: 'write-write-write', liveKit: KEY });
  const given = [jwt(GOOD), 'write-write-write', jwt(GOOD, { secret: 'another' }), 'x'];
  expect(given.map(token => guarded.mayUpload(`Bearer ${token}`).kind)).toEqual([
    'all',
    'all',
    'none',
    'none',
  ]);
  expect(guarded.mayWrite(`Bearer ${jwt(GOOD)}`).kind).toBe('none');
});

test('with --token alone an upload is refused, and told what to start the collector with', () => {
  const right = access({ token: 'write-write-write' }).mayUpload(`Bearer ${jwt(GOOD)}`);
  expect(right).toMatchObject({ kind: 'none', why: expect.stringMatching(/--livekit-key/) });
});

test('the reason is never what an agent takes for "recording is switched off"', () => {
  const reasons = [
    access({ token: 'write-write-write' }).mayUpload('Bearer a.b.c'),
    access({ liveKit: KEY }).mayUpload('Bearer a.b.c'),
    access({ liveKit: KEY }).mayUpload(undefined),
  ];
  for (const right of reasons)
    expect(JSON.stringify(right)).not.toMatch(/data recording is disabled|disabled by owner/i);
});
