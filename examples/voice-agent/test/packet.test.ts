import { expect, test } from 'vitest';
import { callFromUrl, parseMessage, urlForCall, type CallMessage } from '../src/common/messages.ts';
import { decodePacket, encodePacket, tickOf } from '../src/common/packet.ts';

test('a frame comes back as it was sent, its time to a tenth of a millisecond', () => {
  const packet = {
    sequence: 123_456,
    sentMs: 98_765.4,
    isSpurtStart: true,
    isSpurtEnd: false,
    opus: Buffer.from([1, 2, 3]),
  };
  expect(decodePacket(encodePacket(packet))).toEqual(packet);
  expect(tickOf(packet)).toBe(123_456 * 320);
});

test('what is no frame of ours is none', () => {
  expect(decodePacket(Buffer.from('{"type":"clear"}'))).toBeUndefined();
  expect(decodePacket(Buffer.alloc(10))).toBeUndefined();
});

test('the identity of a call survives its URL, whatever the session is called', () => {
  const call = { session: 'Anruf 7 / ä?&=#', seed: 3, preSkip: 104 };
  expect(callFromUrl(urlForCall('ws://127.0.0.1:9/', call))).toEqual(call);
  expect(callFromUrl('/?seed=3')).toBeUndefined();
});

test('messages of unknown type, and no JSON at all, are left aside', () => {
  const parse = (text: string): unknown => parseMessage<CallMessage>(text, ['clear', 'bye']);
  expect(parse('{"type":"clear"}')).toEqual({ type: 'clear' });
  expect([parse('{"type":"x"}'), parse('null'), parse('{'), parse('7')]).toEqual(
    Array(4).fill(undefined),
  );
});
