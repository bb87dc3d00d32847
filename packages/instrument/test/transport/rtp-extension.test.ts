import {
  decodeHeaderExtensions,
  encodeHeaderExtensions,
  extensionIdIn,
  extmapLines,
  RtpLink,
  RTP_PROFILE,
  type HeaderExtension,
} from '@framescope/instrument/rtp';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

test('what fits goes into the one-byte form, padded to a word', () => {
  const block = encodeHeaderExtensions([
    { id: 1, payload: bytes('aa') },
    { id: 14, payload: bytes('01 02 03') },
  ]);
  expect([block.profile, hex(block.bytes)]).toEqual([0xbede, '10aae20102030000']);
});

test('16 bytes fit the one-byte form, 17 and none take the two-byte form', () => {
  const profileOf = (length: number): number =>
    encodeHeaderExtensions([{ id: 5, payload: new Uint8Array(length) }]).profile;
  expect([16, 17, 0].map(profileOf)).toEqual([0xbede, 0x1000, 0x1000]);
  expect(encodeHeaderExtensions([{ id: 15, payload: bytes('aa') }]).profile).toBe(0x1000);
});

test('either form comes back as it went', () => {
  const extension = fc.record({
    id: fc.integer({ min: 1, max: 255 }),
    payload: fc.uint8Array({ maxLength: 255 }),
  });
  fc.assert(
    fc.property(fc.array(extension, { maxLength: 6 }), extensions => {
      const { profile, bytes: packed } = encodeHeaderExtensions(extensions);
      expect(packed.length % 4).toBe(0);
      const read = decodeHeaderExtensions(profile, packed);
      const plain = (list: readonly HeaderExtension[]): string[] =>
        list.map(({ id, payload }) => `${id} ${hex(payload)}`);
      expect(read.ok && plain(read.value)).toEqual(plain(extensions));
    }),
  );
});

test('any bytes are read or refused, never thrown at', () => {
  fc.assert(
    fc.property(fc.integer(), fc.uint8Array({ maxLength: 64 }), (profile, data) => {
      decodeHeaderExtensions(profile, data);
      decodeHeaderExtensions(RTP_PROFILE.oneByte, data);
      decodeHeaderExtensions(RTP_PROFILE.twoByte | 7, data);
    }),
  );
  expect(decodeHeaderExtensions(RTP_PROFILE.oneByte, bytes('1f 00 00 00')).ok).toBe(false);
  expect(decodeHeaderExtensions(0x9999, bytes('00')).ok).toBe(false);
});

test('what follows the reserved ID 15 of the one-byte form is ignored', () => {
  const read = decodeHeaderExtensions(RTP_PROFILE.oneByte, bytes('20 aa f0 00 30 bb 00 00'));
  expect(read.ok && read.value.map(one => one.id)).toEqual([2]);
});

test('the number of our extension is found in an SDP that has it, and only there', () => {
  const sdp = ['m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=extmap:3 urn:other', ...extmapLines(7)];
  expect(extensionIdIn(sdp.join('\r\n'))).toBe(7);
  expect(extensionIdIn(sdp.slice(0, 2).join('\r\n'))).toBe(undefined);
});

test('tags of another session, broken ones and hostile packets are counted and change nothing', () => {
  const world = new World();
  const [mine, other] = ['mine', 'other'].map(id => world.scope().startSession({ id }));
  const sender = new RtpLink(other!, { extensionId: 1 });
  const rtp = new RtpLink(mine!, { extensionId: 1 });
  const foreign = sender.tag(other!.stream('mic'));
  const packet = { ssrc: 1, timestamp: 0 };
  expect(rtp.receive({ ...packet, extensions: [foreign] }, 320)).toBe(undefined);
  const broken = { id: 1, payload: foreign.payload.map(byte => byte ^ 0x55) };
  expect(rtp.receive({ ...packet, extensions: [broken] }, 320)).toBe(undefined);
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (facts, samples) => {
      rtp.receive(facts as never, samples as never);
      rtp.untag({ ...packet, extensions: [{ id: 1, payload: facts as never }] });
      rtp.tag(facts as never, samples as never);
    }),
  );
  expect(world.codes()).toContain('foreign_tag');
});

test('a packet that never finds its place is given up after 256 more', () => {
  const world = new World();
  const rtp = new RtpLink(world.scope().startSession({ id: 'call' }), { extensionId: 1 });
  for (let i = 0; i < 256; i++) rtp.receive({ ssrc: 9, timestamp: i * 160 }, 160);
  expect(world.codes()).toEqual([]);
  rtp.receive({ ssrc: 9, timestamp: 256 * 160 }, 160);
  expect(world.codes()).toEqual(['rtp_unplaced']);
});
