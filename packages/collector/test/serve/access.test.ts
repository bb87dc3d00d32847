import { expect, test } from 'vitest';
import { Access, COOKIE_NAME, INGEST_TOKEN_SECONDS_MAX } from '../../src/serve/access.ts';

const WRITE = 'write-write-write';
const READ = 'read-read-read-read';

function accessOf(
  tokens: { token?: string; readToken?: string } = { token: WRITE },
  secret = new Uint8Array(32),
): { access: Access; clock: { nowMs: number } } {
  const clock = { nowMs: 1_000_000 };
  const access = new Access({ ...tokens, secret, nowUnixMs: () => clock.nowMs });
  return { access, clock };
}

test('without tokens everybody writes and reads, and there is no link', () => {
  const { access } = accessOf({});
  expect([access.mayWrite(undefined), access.mayRead(undefined, undefined), access.link()]).toEqual(
    [{ kind: 'all' }, true, undefined],
  );
});

test('one token writes and reads; nothing else does', () => {
  const { access } = accessOf();
  for (const [header, may] of [
    [`Bearer ${WRITE}`, true],
    [`bearer  ${WRITE} `, true],
    [`Bearer ${WRITE}x`, false],
    [`Bearer ${WRITE.slice(1)}`, false],
    [`Basic ${WRITE}`, false],
    [WRITE, false],
    ['Bearer ', false],
    [undefined, false],
  ] as const)
    expect([header, access.mayWrite(header).kind, access.mayRead(header, undefined)]).toEqual([
      header,
      may ? 'all' : 'none',
      may,
    ]);
});

test('with a token of each kind the one that writes does not read, and the other way round', () => {
  const { access } = accessOf({ token: WRITE, readToken: READ });
  expect([
    access.mayRead(`Bearer ${WRITE}`, undefined),
    access.mayRead(`Bearer ${READ}`, ''),
  ]).toEqual([false, true]);
  expect([access.mayWrite(`Bearer ${WRITE}`).kind, access.mayWrite(`Bearer ${READ}`).kind]).toEqual(
    ['all', 'none'],
  );
});

test('an ingest token writes its session until its second, and no longer', () => {
  const { access, clock } = accessOf();
  const { token, expiresUnixS } = access.ingestToken('call "1"', 60);
  expect(expiresUnixS).toBe(1_060);
  clock.nowMs = 1_059_999;
  expect(access.mayWrite(`Bearer ${token}`)).toEqual({ kind: 'session', sessionId: 'call "1"' });
  expect(access.mayRead(`Bearer ${token}`, undefined)).toBe(false);
  clock.nowMs = 1_060_000;
  expect(access.mayWrite(`Bearer ${token}`)).toMatchObject({ kind: 'none' });
});

test('an ingest token lives a day at most', () => {
  const { access } = accessOf();
  expect(access.ingestToken('a', 1e9).expiresUnixS).toBe(1_000 + INGEST_TOKEN_SECONDS_MAX);
});

test('an ingest token that was changed, or is of another collector, writes nothing', () => {
  const { access } = accessOf();
  const { token } = access.ingestToken('mine', 60);
  const [, signature] = token.split('.');
  const claim = Buffer.from('{"s":"yours","e":9999999}').toString('base64url');
  const foreign = accessOf({ token: WRITE }, new Uint8Array(32).fill(1)).access;
  for (const bad of [`${claim}.${signature}`, `${token}x`, `${token}.`, '.', `.${signature}`])
    expect(access.mayWrite(`Bearer ${bad}`).kind, bad).toBe('none');
  expect(foreign.mayWrite(`Bearer ${token}`).kind).toBe('none');
});

test('without --token an ingest token still narrows to its session', () => {
  const { access } = accessOf({});
  const { token } = access.ingestToken('a', 60);
  expect(access.mayWrite(`Bearer ${token}`)).toEqual({ kind: 'session', sessionId: 'a' });
});

test('the link gives one cookie, once; the cookie reads and does not write', () => {
  const { access } = accessOf();
  const word = access.link() ?? '';
  expect(access.redeem('guess')).toBeUndefined();
  const cookie = access.redeem(word);
  expect(access.redeem(word)).toBeUndefined();
  expect(access.link()).toBeUndefined();
  const header = `theme=dark; ${COOKIE_NAME}=${cookie}`;
  expect([access.mayRead(undefined, header), access.mayRead(undefined, `${header}x`)]).toEqual([
    true,
    false,
  ]);
  expect(access.mayWrite(undefined).kind).toBe('none');
});
