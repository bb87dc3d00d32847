// What is lost on the way to a browser is told as concealed: exactly that. The
// relay between the two ends reads the RTP header, which SRTP leaves in clear.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { passedAt } from '../support/captured.ts';
import { tracedPage, type TracedPage } from './traced-page.ts';
import { udpRelay, type Relay } from './udp-relay.ts';

interface Seen {
  readonly timestamp: number;
  readonly isLost: boolean;
}

let page: TracedPage;
let relay: Relay;
/** Packets of sound from `a`, in the order in which they were sent. */
const seen: Seen[] = [];

/** Sound of Opus; RTCP, STUN, DTLS and padding are something else. */
function note(datagram: Buffer, isLost: boolean): void {
  const isRtp = datagram.length > 12 && datagram[0]! >> 6 === 2;
  const isRtcp = datagram[1]! >= 192 && datagram[1]! <= 223;
  const isPadding = (datagram[0]! & 0x20) !== 0;
  if (isRtp && !isRtcp && !isPadding) seen.push({ timestamp: datagram.readUInt32BE(4), isLost });
}

beforeAll(async () => {
  page = await tracedPage(['entries/webrtc']);
  relay = await udpRelay({
    seed: 3,
    loss: 0.03,
    reordered: 0.03,
    heldMs: 25,
    seen: note,
    host: '0.0.0.0',
  });
});
afterAll(async () => {
  await page?.close();
  await relay?.close();
});

test('each frame that the network lost is concealed, each that came is not', async () => {
  const opened = await page.open(`
    import { Framescope } from '/index.browser.js';
    import { tracePeerConnection } from '/entries/webrtc.js';
    const scope = new Framescope({ serviceName: 'page', role: 'agent', endpoint: location.origin, encoding: 'json', tracerProvider: false });
    const call = scope.startSession({ id: 'lossy' });
    const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
    tracePeerConnection(b, { session: call });
    const waiting = [];
    // Each end knows the other by the relay alone.
    const through = (to, port) => ({ candidate }) => {
      const words = candidate?.candidate.split(' ') ?? [];
      if (words[2] !== 'udp' || words[4]?.includes(':') !== false) return;
      words[5] = String(port);
      waiting.push(() => to.addIceCandidate({ ...candidate.toJSON(), candidate: words.join(' ') }));
    };
    const bare = sdp => sdp.replaceAll(/a=candidate.*\\r\\n/g, '');
    a.onicecandidate = through(b, ${relay.backPort});
    b.onicecandidate = through(a, ${relay.frontPort});
    globalThis.told = (async () => {
      const media = await navigator.mediaDevices.getUserMedia({ audio: true });
      a.addTrack(media.getAudioTracks()[0], media);
      b.ontrack = ({ streams }) => {
        const audio = new Audio();
        audio.srcObject = streams[0];
        audio.play().catch(() => undefined);
      };
      await a.setLocalDescription(await a.createOffer());
      await b.setRemoteDescription({ type: 'offer', sdp: bare(a.localDescription.sdp) });
      await b.setLocalDescription(await b.createAnswer());
      await a.setRemoteDescription({ type: 'answer', sdp: bare(b.localDescription.sdp) });
      await new Promise(resolve => setTimeout(resolve, 500));
      for (const add of waiting) await add();
      await new Promise(resolve => setTimeout(resolve, 9000));
      const state = b.connectionState;
      await call.end();
      return state;
    })();`);
  const state = await opened.page.evaluate(
    () => (globalThis as unknown as { told: Promise<string> }).told,
  );
  expect(state).toBe('connected');
  const received = passedAt(page.records, 'mic', 'receive');
  expect(received.length).toBeGreaterThan(250);
  // Tick 0 is the first frame that the receiver got, which need not be the first that was delivered:
  // it is where everything received was delivered.
  const delivered = new Set(seen.flatMap(one => (one.isLost ? [] : [one.timestamp])));
  const first = [...delivered].find(start =>
    received.every(one => delivered.has((start + one.startTick) % 2 ** 32)),
  )!;
  const tickOf = (timestamp: number): number => (timestamp - first) >>> 0;
  const ranges = page.records
    .flatMap(one => one.blocks.flatMap(block => block.ranges))
    .filter(one => one.kind === 'conceal');
  const isConcealed = (tick: number): boolean =>
    ranges.some(one => one.startTick <= tick && tick < one.endTick);
  // Until the browser first says what it plays nothing is known of what left its buffer; what was in
  // flight or in the buffer at the end has not been played.
  const left = passedAt(page.records, 'mic', 'jitter_buffer');
  const begin = left[0]!.startTick;
  expect(begin).toBeLessThan(96_000);
  const end = received.at(-1)!.startTick - 48_000;
  const ticksOf = (isLost: boolean): number[] =>
    seen
      .filter(one => one.isLost === isLost)
      .map(one => tickOf(one.timestamp))
      .filter(tick => tick >= begin && tick < end);
  const lost = ticksOf(true);
  expect(lost.length).toBeGreaterThan(4);
  expect(lost.filter(tick => !isConcealed(tick))).toEqual([]);
  expect(ticksOf(false).filter(isConcealed)).toEqual([]);
});
