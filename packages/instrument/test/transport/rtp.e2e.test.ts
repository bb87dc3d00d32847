// Tags and anchors in RTP header extensions, through a real RTP stack (werift)
// over UDP, with a relay that loses, reorders, and once does not know the extension.

import type { Socket } from 'node:dgram';
import { skewedClock, systemClock, type Clock, type Session } from '@framescope/instrument';
import {
  decodeHeaderExtensions,
  encodeHeaderExtensions,
  extensionIdIn,
  extmapLines,
  RtpLink,
  RTP_EXTENSION_URI,
  RTP_PROFILE,
} from '@framescope/instrument/rtp';
import { afterEach, expect, test } from 'vitest';
import {
  MediaStreamTrack,
  RTCPeerConnection,
  RTCRtpHeaderExtensionParameters,
  RtpHeader,
  RtpPacket,
  type PeerConfig,
} from 'werift';
import { captured, passedAt, type Captured } from '../support/captured.ts';
import { portOf, udpRelay, udpSocket, type RelayOptions } from './udp-relay.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const EXTENSION_ID = 5;
const FRAME = 320;
/** Opus counts RTP timestamps at 48 kHz, whatever the sample rate. */
const CLOCK_RATE = 48_000;
/** Wraps after a second or so. */
const FIRST_TIMESTAMP = 2 ** 32 - 40_000;

interface End {
  readonly told: Captured;
  readonly session: Session;
  readonly rtp: RtpLink;
  readonly socket: Socket;
}

async function endpoint(role: string, clock?: Clock): Promise<End> {
  const told = captured(role, clock);
  closing.push(() => told.scope.shutdown());
  const session = told.scope.startSession({ id: 'an RTP call' });
  const rtp = new RtpLink(session, { extensionId: EXTENSION_ID, clockRate: CLOCK_RATE });
  const socket = await udpSocket();
  closing.push(() => new Promise<void>(resolve => socket.close(resolve)));
  return { told, session, rtp, socket };
}

/** Sends frame `index` of a stream of 20 ms frames at 16 kHz; its place is in the payload. */
function send(end: End, streamName: string, index: number, port: number): void {
  const stream = end.session.stream(streamName, { sampleRate: 16_000 });
  const { id, payload } = end.rtp.tag(stream);
  const header = new RtpHeader({
    ssrc: streamName === 'mic' ? 1_111 : 2_222,
    payloadType: 111,
    sequenceNumber: index & 0xffff,
    timestamp: (FIRST_TIMESTAMP + index * 960) % 2 ** 32,
    extensionProfile: payload.length > 16 ? RTP_PROFILE.twoByte : RTP_PROFILE.oneByte,
    extensions: [{ id, payload: Buffer.from(payload) }],
  });
  const packet = new RtpPacket(header, Buffer.from(String(index * FRAME)));
  end.socket.send(packet.serialize(), port, '127.0.0.1');
  stream.hop('send').mark(FRAME);
}

/** Receives on `end`; gives the ticks that the senders put into the payloads. */
function receiving(end: End): number[] {
  const ticks: number[] = [];
  end.socket.on('message', datagram => {
    const { header, payload } = RtpPacket.deSerialize(datagram);
    ticks.push(Number(payload.toString()));
    end.rtp.receive(header, FRAME);
  });
  return ticks;
}

async function relayed(options: RelayOptions, a: End, b: End): ReturnType<typeof udpRelay> {
  const relay = await udpRelay(options);
  closing.push(() => relay.close());
  relay.connect(portOf(a.socket), portOf(b.socket));
  return relay;
}

/** A relay of other people: it takes out what it does not know. */
function stripped(datagram: Buffer): Buffer {
  const packet = RtpPacket.deSerialize(datagram);
  packet.header.extensions = [];
  packet.header.extension = false;
  return packet.serialize();
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

test('through 2 % loss, reordering and a stretch without extensions every frame keeps its tick', async () => {
  const client = await endpoint('client');
  const agent = await endpoint('agent', skewedClock({ offsetMs: 3_700, driftPpm: 40 }));
  const isStripped = (index: number): boolean => index < 10 || (index >= 150 && index < 250);
  const options = { seed: 7, loss: 0.02, reordered: 0.05, heldMs: 15 };
  const change = (datagram: Buffer, index: number): Buffer =>
    isStripped(index) ? stripped(datagram) : datagram;
  const relay = await relayed({ ...options, change }, client, agent);
  const [arrived, answered] = [receiving(agent), receiving(client)];
  for (let index = 0; index < 500; index++) {
    send(client, 'mic', index, relay.frontPort);
    send(agent, 'agent', index, relay.backPort);
    await pause(5);
  }
  await pause(100);
  await Promise.all([client.session.end(), agent.session.end()]);

  expect(relay.lostCount).toBeGreaterThan(8);
  expect(relay.heldCount).toBeGreaterThan(25);
  expect(arrived).not.toEqual(arrived.toSorted((a, b) => a - b));
  const ascending = (ticks: number[]): number[] => ticks.toSorted((a, b) => a - b);
  const marked = passedAt(agent.told.records, 'mic', 'receive').map(one => one.startTick);
  expect(marked).toEqual(ascending(arrived));
  const back = passedAt(client.told.records, 'agent', 'receive').map(one => one.startTick);
  expect(back).toEqual(ascending(answered));
  expect([...agent.told.problems, ...client.told.problems]).toEqual([]);

  // What came before the first anchor was marked with the time it came at, not when it was placed.
  const early = passedAt(agent.told.records, 'mic', 'receive').slice(0, 9);
  const spreadMs = (early[8]!.atNs - early[0]!.atNs) / 1e6;
  expect(spreadMs).toBeGreaterThan(20);

  const samples = client.told.records.flatMap(record => record.clockSamples);
  expect(samples.length).toBeGreaterThan(0);
  const agentZero = agent.told.records[0]!.zeroUnixNs;
  for (const { t1, t2, t3, t4 } of samples) {
    const offsetNs = (t2 - t1 + (t3 - t4)) / 2 + Number(agentZero - systemClock().zeroUnixNs);
    const boundMs = (t4 - t1 - (t3 - t2)) / 2e6 + 1;
    expect(Math.abs(offsetNs / 1e6 - 3_700)).toBeLessThan(boundMs);
  }
});

test('our packing and the stack’s are the same bytes, in either form', () => {
  for (const lengths of [
    [8, 3],
    [8, 100],
  ]) {
    const extensions = lengths.map((length, i) => ({
      id: i + 3,
      payload: Buffer.alloc(length, i + 1),
    }));
    const { profile, bytes } = encodeHeaderExtensions(extensions);
    const header = new RtpHeader({
      extensionProfile: profile as RtpHeader['extensionProfile'],
      extensions,
    });
    const packet = new RtpPacket(header, Buffer.from([7])).serialize();
    // 12 bytes of header, profile and length, the block, one byte of payload.
    expect(packet.subarray(16, -1).equals(bytes)).toBe(true);
    expect(packet.readUInt16BE(12)).toBe(profile);
    const read = decodeHeaderExtensions(profile, packet.subarray(16, -1));
    expect(read.ok && read.value.map(one => [one.id, one.payload.length])).toEqual(
      lengths.map((length, i) => [i + 3, length]),
    );
  }
});

const offerOf = (sdp: string, port: number): string =>
  sdp.replaceAll(
    /^(a=candidate:\S+ 1 udp \d+) \S+ \d+ typ host.*$/gim,
    `$1 127.0.0.1 ${port} typ host`,
  );

/** The port of the first host candidate: there is one, on loopback. */
const portIn = (sdp: string): number => Number(/^a=candidate:.* (\d+) typ host/m.exec(sdp)?.[1]);

test('a negotiated extension passes ICE, DTLS and SRTP, and the lines of SDP are the ones peers agree on', async () => {
  const config: Partial<PeerConfig> = {
    iceUseIpv4: true,
    iceUseIpv6: false,
    iceInterfaceAddresses: { udp4: '127.0.0.1' },
    iceServers: [],
    headerExtensions: {
      audio: [new RTCRtpHeaderExtensionParameters({ uri: RTP_EXTENSION_URI })],
    },
  };
  const [a, b] = [new RTCPeerConnection(config), new RTCPeerConnection(config)];
  closing.push(() => Promise.all([a.close(), b.close()]));
  const [client, agent] = [await endpoint('client'), await endpoint('agent')];
  const relay = await udpRelay({ seed: 11, loss: 0.02, reordered: 0.05, heldMs: 30 });
  closing.push(() => relay.close());

  const track = new MediaStreamTrack({ kind: 'audio' });
  a.addTransceiver(track, { direction: 'sendonly' });
  await a.setLocalDescription(await a.createOffer());
  const offer = a.localDescription!;
  // The stack chose the number; both ends take it from the SDP.
  const extensionId = extensionIdIn(offer.sdp)!;
  expect(offer.sdp).toContain(extmapLines(extensionId)[1]);
  const [sender, receiver] = [client, agent].map(
    ({ session }) => new RtpLink(session, { extensionId, clockRate: CLOCK_RATE }),
  );
  const heard: number[] = [];
  b.onTrack.subscribe(remote =>
    remote.onReceiveRtp.subscribe(({ header, payload }) => {
      heard.push(Number(payload.toString()));
      receiver!.receive(header, FRAME);
    }),
  );
  await b.setRemoteDescription({ ...offer, sdp: offerOf(offer.sdp, relay.backPort) });
  await b.setLocalDescription(await b.createAnswer());
  const answer = b.localDescription!;
  expect(extensionIdIn(answer.sdp)).toBe(extensionId);
  relay.connect(portIn(offer.sdp), portIn(answer.sdp));
  await a.setRemoteDescription({ ...answer, sdp: offerOf(answer.sdp, relay.frontPort) });
  await expect.poll(() => a.connectionState, { timeout: 15_000 }).toBe('connected');

  const mic = client.session.stream('mic', { sampleRate: 16_000 });
  for (let index = 0; index < 200; index++) {
    const { id, payload } = sender!.tag(mic);
    const header = new RtpHeader({
      sequenceNumber: index,
      timestamp: index * 960,
      extensionProfile: payload.length > 16 ? RTP_PROFILE.twoByte : RTP_PROFILE.oneByte,
      extensions: [{ id, payload: Buffer.from(payload) }],
    });
    track.writeRtp(new RtpPacket(header, Buffer.from(String(index * FRAME))));
    mic.hop('send').mark(FRAME);
    await pause(5);
  }
  await pause(200);
  await agent.session.end();
  expect(relay.lostCount).toBeGreaterThan(0);
  expect(heard.length).toBeGreaterThan(180);
  const marked = passedAt(agent.told.records, 'mic', 'receive').map(one => one.startTick);
  expect(marked).toEqual(heard.toSorted((x, y) => x - y));
});
