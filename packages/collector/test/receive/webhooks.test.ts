// Who sent a webhook: signatures as each vendor makes them. Retell's own code and ElevenLabs' are
// held against these in test/interop/vendors.interop.ts.

import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { signatureProblem } from '../../src/receive/webhooks/signatures.ts';

const NOW = 1_796_040_000_000;
const BODY = Buffer.from('{"a":1}');
const SECRET = 'a secret of the vendor';

const hmac = (...pieces: (string | Buffer)[]): string => {
  const its = createHmac('sha256', SECRET);
  for (const piece of pieces) its.update(piece);
  return its.digest('hex');
};

const problem = (
  vendor: 'vapi' | 'retell' | 'elevenlabs',
  headers: Record<string, string>,
  body: Buffer = BODY,
): string | undefined => signatureProblem(vendor, SECRET, { headers, body, nowUnixMs: NOW });

test('Retell: body and time, at most five minutes old', () => {
  const signed = (time: number) => ({
    'x-retell-signature': `v=${time},d=${hmac(BODY, String(time))}`,
  });
  expect(problem('retell', signed(NOW - 300_000))).toBeUndefined();
  expect(problem('retell', signed(NOW - 300_001))).toContain('older than 5 minutes');
  expect(problem('retell', signed(NOW), Buffer.from('{"a":2}'))).toContain('not of this body');
  expect(problem('retell', { 'x-retell-signature': `v=${NOW},d=12` })).toContain('of the form');
  expect(problem('retell', {})).toContain('no header x-retell-signature');
});

test('ElevenLabs: time, point and body, at most half an hour old', () => {
  const signed = (seconds: number) => ({
    'elevenlabs-signature': `t=${seconds},v0=${hmac(`${seconds}.`, BODY)}`,
  });
  expect(problem('elevenlabs', signed(NOW / 1_000 - 1_800))).toBeUndefined();
  expect(problem('elevenlabs', signed(NOW / 1_000 - 1_801))).toContain('older than 30 minutes');
  expect(problem('elevenlabs', signed(NOW / 1_000), Buffer.from(''))).toContain('not of this body');
  expect(problem('elevenlabs', {})).toContain('no header ElevenLabs-Signature');
});

test('Vapi: the secret itself, or a signature with or without a time', () => {
  const time = String(NOW / 1_000);
  const taken = [
    { 'x-vapi-secret': SECRET },
    { 'x-vapi-signature': hmac(BODY) },
    { 'x-signature': `sha256=${hmac(BODY)}` },
    { 'x-signature': hmac(`${time}.`, BODY), 'x-timestamp': time },
    { 'x-signature': hmac(`${NOW}.`, BODY), 'x-timestamp': String(NOW) },
  ];
  for (const headers of taken) expect(problem('vapi', headers)).toBeUndefined();
  expect(problem('vapi', { 'x-vapi-secret': 'another' })).toContain('not the one of --vapi-secret');
  expect(problem('vapi', { authorization: 'Bearer another' })).toContain('not the one');
  const old = String(NOW / 1_000 - 301);
  expect(problem('vapi', { 'x-signature': hmac(`${old}.`, BODY), 'x-timestamp': old })).toContain(
    '5 minutes off',
  );
  expect(problem('vapi', {})).toContain('neither a secret');
});
