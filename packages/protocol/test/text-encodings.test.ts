// UTF-8, base64 and hex by hand, beside the platform's own.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { base64Length, fromBase64, toBase64 } from '../src/base64.ts';
import { hexInto, toHex } from '../src/hex.ts';
import { crc32 } from '../src/crc32.ts';
import { ByteReader, ByteWriter, SVARINT_MAX } from '../src/bytes.ts';
import { decodeUtf8 } from '../src/utf8-decode.ts';
import { encodeUtf8 } from '../src/utf8.ts';

const anyBytes = (): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: 200 });

test('any text becomes the bytes that TextEncoder makes, lone surrogates included', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.nat(0xffff)), (text, units) => {
      for (const each of [text, String.fromCharCode(...units)])
        expect(encodeUtf8(each)).toEqual(new Uint8Array(new TextEncoder().encode(each)));
    }),
  );
});

test('well-formed bytes become their text, and malformed ones never throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), text => {
      expect(decodeUtf8(encodeUtf8(text))).toBe(text);
    }),
  );
  fc.assert(
    fc.property(anyBytes(), bytes => {
      const text = decodeUtf8(bytes);
      expect(text.includes('\ufffd')).toBe(new TextDecoder().decode(bytes).includes('\ufffd'));
    }),
  );
});

test('a surrogate, an overlong form and a code beyond Unicode are malformed bytes', () => {
  const text = (...bytes: number[]): string => decodeUtf8(Uint8Array.from(bytes));
  expect(text(0xed, 0xa0, 0x80)).toBe('\ufffd\ufffd\ufffd');
  expect(text(0xe0, 0x80, 0xaf)).toBe('\ufffd\ufffd\ufffd');
  expect(text(0xf4, 0x90, 0x80, 0x80)).toBe('\ufffd\ufffd\ufffd\ufffd');
  expect(text(0xed, 0x9f, 0xbf)).toBe('\ud7ff');
});

test('base64 is the platform’s, with and without padding and in the URL alphabet', () => {
  fc.assert(
    fc.property(anyBytes(), bytes => {
      const text = Buffer.from(bytes).toString('base64');
      expect(toBase64(bytes)).toBe(text);
      expect(base64Length(bytes.length)).toBe(text.length);
      for (const form of [text, text.replaceAll('=', ''), Buffer.from(bytes).toString('base64url')])
        expect(fromBase64(form)).toEqual({ ok: true, value: bytes });
    }),
  );
});

test('text that is not base64 is refused with its first wrong character', () => {
  const problemOf = (text: string): string => {
    const answer = fromBase64(text, 'record');
    return answer.ok ? 'none' : `${answer.path}: ${answer.problem}`;
  };
  expect(problemOf('AA A')).toBe('record: character 2 is not base64');
  expect(problemOf('AAAA\n')).toBe('record: 5 characters are not whole base64');
  expect(problemOf('A')).toBe('record: 1 characters are not whole base64');
  expect(problemOf('A===')).toMatch(/not base64|not whole/);
  expect(problemOf('AAé=')).toBe('record: character 2 is not base64');
  expect(problemOf('')).toBe('none');
});

test('hex comes back; what is no hex digit counts as zero', () => {
  fc.assert(
    fc.property(anyBytes(), bytes => {
      expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
      expect(hexInto(new Uint8Array(bytes.length), toHex(bytes).toUpperCase())).toEqual(bytes);
    }),
  );
  expect([...hexInto(new Uint8Array(3), 'zfA')]).toEqual([0x0f, 0xa0, 0]);
});

test('the CRC is the one of gzip and PNG', () => {
  expect(crc32(encodeUtf8('123456789'))).toBe(0xcbf43926);
});

test('numbers come back at the edges of their ranges', () => {
  const edges = [0, 1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 49, Number.MAX_SAFE_INTEGER];
  const out = new ByteWriter(1);
  for (const value of edges) out.varint(value);
  for (const value of [SVARINT_MAX, -SVARINT_MAX, 0, -1]) out.svarint(value);
  for (const value of [-1, -(2 ** 53) + 1, 2 ** 53 - 1, -(2 ** 32)]) out.i64(value);
  for (const value of [Math.PI, -Infinity]) out.f64(value);
  const input = new ByteReader(out.toBytes());
  expect(edges.map(() => input.varint())).toEqual(edges);
  expect([1, 2, 3, 4].map(() => input.svarint())).toEqual([SVARINT_MAX, -SVARINT_MAX, 0, -1]);
  expect([1, 2, 3, 4].map(() => input.i64())).toEqual([
    -1,
    -(2 ** 53) + 1,
    2 ** 53 - 1,
    -(2 ** 32),
  ]);
  expect([input.f64(), input.f64()]).toEqual([Math.PI, -Infinity]);
  expect([input.remaining, input.problem]).toEqual([0, undefined]);
});
