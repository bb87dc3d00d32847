// Encoded transforms, playout and getStats in a real Chromium: a microphone that
// plays a recording, and real peer connections between two ends in one page.

import type { FrameRecord } from '@framescope/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { passedAt, type Passed } from '../support/captured.ts';
import { tracedPage, type TracedPage } from './traced-page.ts';

let page: TracedPage;
beforeAll(async () => {
  page = await tracedPage(['entries/webrtc']);
});
afterAll(() => page?.close());

/** Two ends in one page; `session(role, id)` begins a session, `connect(a, b)` makes a call. */
const PRELUDE = `
import { Framescope } from '/index.browser.js';
import { tracePeerConnection } from '/entries/webrtc.js';
const problems = [];
const onProblem = ({ code, message }) => problems.push(code + ': ' + message);
const scopes = {};
const session = (role, id) => {
  const options = { serviceName: role, role, endpoint: location.origin, encoding: 'json', tracerProvider: false, onProblem };
  scopes[role] = new Framescope(options);
  return scopes[role].startSession({ id });
};
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
const connect = async (a, b, munge = sdp => sdp) => {
  a.onicecandidate = ({ candidate }) => candidate && b.addIceCandidate(candidate);
  b.onicecandidate = ({ candidate }) => candidate && a.addIceCandidate(candidate);
  b.ontrack = a.ontrack = ({ streams }) => {
    const audio = new Audio();
    audio.srcObject = streams[0];
    audio.play().catch(() => undefined);
  };
  await a.setLocalDescription(await a.createOffer());
  await b.setRemoteDescription({ type: 'offer', sdp: munge(a.localDescription.sdp) });
  await b.setLocalDescription(await b.createAnswer());
  await a.setRemoteDescription({ type: 'answer', sdp: munge(b.localDescription.sdp) });
};
const inbound = async pc => [...(await pc.getStats()).values()].find(one => one.type === 'inbound-rtp');
const microphone = () => navigator.mediaDevices.getUserMedia({ audio: true });
const add = (pc, media) => pc.addTrack(media.getAudioTracks()[0], media);
`;

interface Told {
  readonly problems: string[];
  readonly figures: { readonly stream: string; readonly figures: Record<string, number> }[];
  readonly heard: {
    readonly packetsReceived: number;
    readonly bytesReceived: number;
    readonly concealedSamples: number;
    readonly totalSamplesReceived: number;
    readonly totalAudioEnergy: number;
  };
  readonly plain: Told['heard'];
  readonly own: boolean[];
  readonly next: number[];
  readonly after: {
    readonly samples: number;
    readonly concealed: number;
    readonly energy: number;
  }[];
}

/** Runs a call in a page; what it tells at the end. */
async function call(script: string): Promise<Told> {
  const opened = await page.open(`${PRELUDE}\nglobalThis.told = (async () => {${script}})();`);
  const told = await opened.page.evaluate(
    () => (globalThis as unknown as { told: Promise<unknown> }).told,
  );
  expect(opened.problems()).toEqual([]);
  await opened.page.close();
  return told as Told;
}

const rolesIn = (records: readonly FrameRecord[]): Set<string> =>
  new Set(
    records.flatMap(one => one.blocks.flatMap(({ columns }) => columns.map(({ hop }) => hop.role))),
  );

const withRole = (role: string): FrameRecord[] =>
  page.records.filter(record => rolesIn([record]).has(role));

const spacing = (passed: readonly Passed[]): number[] => [
  ...new Set(passed.slice(1).map((one, i) => one.startTick - passed[i]!.startTick)),
];

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Ms from one hop to the next, for the frames that passed both. */
function between(from: readonly Passed[], to: readonly Passed[]): number[] {
  const left = new Map(from.map(one => [one.startTick, one.atNs]));
  return to.flatMap(one => {
    const at = left.get(one.startTick);
    return at === undefined ? [] : [(one.atNs - at) / 1e6];
  });
}

test('one line sees every frame: captured, encoded, received, out of the jitter buffer, audible', async () => {
  page.records.length = 0;
  const told = await call(`
    const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
    const call = session('client', 'one line');
    const figures = [];
    const trace = tracePeerConnection(a, { session: call, onFigures: (stream, figures_) => figures.push({ stream, figures: figures_ }) });
    const media = await microphone();
    add(a, media);
    add(b, media);
    await connect(a, b);
    await pause(6000);
    const own = [Object.hasOwn(a, 'addTrack'), Object.hasOwn(a, 'addTransceiver')];
    await call.end();
    const [heard, atFarEnd] = [await inbound(a), await inbound(b)];
    await pause(1500);
    const [later, laterAtFarEnd] = [await inbound(a), await inbound(b)];
    const sound = (from, to) => ({
      samples: to.totalSamplesReceived - from.totalSamplesReceived,
      concealed: to.concealedSamples - from.concealedSamples,
      energy: to.totalAudioEnergy - from.totalAudioEnergy,
    });
    const after = [sound(heard, later), sound(atFarEnd, laterAtFarEnd)];
    own.push(Object.hasOwn(a, 'addTrack'), Object.hasOwn(a, 'addTransceiver'));
    trace.stop();
    const again = session('client', 'the next one');
    tracePeerConnection(a, { session: again });
    await pause(1200);
    const next = [again.stream('mic').hop('encode'), again.stream('agent').hop('receive')].map(hop => hop.nextTick);
    // Not at the end of the page: it would come among the records of the next test.
    await again.end();
    return { problems, figures, heard, after, own, next };
  `);
  expect(told.problems).toEqual([]);
  // The next session on the connection is another producer's.
  const [first] = page.records;
  const records = page.records.filter(record => record.producer === first?.producer);
  const hop = (stream: string, name: string): Passed[] => passedAt(records, stream, name);
  // 50 frames a second, each with a tick of its own, from tick 0 on.
  for (const [stream, name] of [
    ['mic', 'capture'],
    ['mic', 'encode'],
    ['agent', 'receive'],
    ['agent', 'jitter_buffer'],
  ] as const) {
    const passed = hop(stream, name);
    expect(passed.length, `${stream} ${name}`).toBeGreaterThan(200);
    expect(spacing(passed), `${stream} ${name}`).toContain(960);
  }
  expect(hop('mic', 'encode')[0]?.startTick).toBe(0);
  const [received, left] = [hop('agent', 'receive'), hop('agent', 'jitter_buffer')];
  const bufferedMs = between(received, left);
  const stats = told.figures
    .filter(one => one.stream === 'agent')
    .flatMap(({ figures }) => figures['jitterBufferNs'] ?? []);
  expect(stats.length).toBeGreaterThan(3);
  // Frame by frame, and as the browser's own mean of each second.
  expect(median(bufferedMs)).toBeGreaterThan(0);
  expect(Math.abs(median(bufferedMs) - median(stats) / 1e6)).toBeLessThan(30);
  const audibleMs = between(left, hop('agent', 'playout'));
  expect(audibleMs.length).toBeGreaterThan(150);
  expect(median(audibleMs)).toBeGreaterThan(1);
  // The session has ended: the methods are as they were, and the call goes on.
  expect(told.own).toEqual([true, true, false, false]);
  // A second of frames of the next session on the same connection.
  expect(told.next.filter(ticks => ticks > 40_000 && ticks < 96_000).length).toBe(2);
  for (const { samples, concealed, energy } of told.after) {
    expect(samples).toBeGreaterThan(48_000);
    expect(concealed / samples).toBeLessThan(0.2);
    expect(energy).toBeGreaterThan(0);
  }
});

test('two traced ends agree on ticks, measure their clocks, and put trailers on frames only then', async () => {
  page.records.length = 0;
  const told = await call(`
    const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
    const [client, agent] = [session('client', 'two ends'), session('agent', 'two ends')];
    // The call is a second old: tick 0 of the connection is not tick 0 of the stream.
    client.stream('mic', { sampleRate: 48000 }).hop('earlier').markAt(0, 48000);
    tracePeerConnection(a, { session: client, isPeerTraced: true });
    tracePeerConnection(b, { session: agent, isPeerTraced: true });
    // Beside it the same microphone on a connection that nobody traces.
    const [c, d] = [new RTCPeerConnection(), new RTCPeerConnection()];
    const media = await microphone();
    for (const end of [a, b, c]) add(end, media);
    await Promise.all([connect(a, b), connect(c, d)]);
    await pause(6000);
    const [heard, plain] = [await inbound(b), await inbound(d)];
    // One end stops, the other goes on: nothing that only the other takes off may stay on.
    await agent.end();
    await pause(200);
    const before = await inbound(b);
    await pause(1500);
    const later = await inbound(b);
    const after = [{
      samples: later.totalSamplesReceived - before.totalSamplesReceived,
      concealed: later.concealedSamples - before.concealedSamples,
      energy: later.totalAudioEnergy - before.totalAudioEnergy,
    }];
    await client.end();
    return { problems, heard, plain, after };
  `);
  expect(told.problems).toEqual([]);
  const sent = passedAt(withRole('client'), 'mic', 'encode');
  const received = passedAt(withRole('agent'), 'mic', 'receive');
  expect(sent[0]?.startTick).toBe(48_000);
  expect(received.length).toBeGreaterThan(200);
  const ticks = new Set(sent.map(one => one.startTick));
  // The last tenth of a second of the sender may still be in its worker when the session ends.
  const comparable = received.filter(one => one.startTick <= sent.at(-1)!.startTick);
  expect(comparable.length).toBeGreaterThan(200);
  expect(comparable.filter(one => !ticks.has(one.startTick))).toEqual([]);
  // A tag of 8 bytes and 6 around it on nearly every packet, now and then an anchor; to the decoder
  // it is the same sound as on the other connection.
  const { heard, plain } = told;
  const framesPlain = plain.totalSamplesReceived / 960;
  const trailerBytes = heard.bytesReceived / received.length - plain.bytesReceived / framesPlain;
  expect(trailerBytes).toBeGreaterThan(11);
  expect(trailerBytes).toBeLessThan(20);
  const loudness = heard.totalAudioEnergy / plain.totalAudioEnergy;
  expect(Math.abs(Math.log2(loudness))).toBeLessThan(0.5);
  const [after] = told.after;
  expect(after!.samples).toBeGreaterThan(48_000);
  expect(after!.concealed / after!.samples).toBeLessThan(0.2);
  expect(after!.energy).toBeGreaterThan(0);
  expect(withRole('client').flatMap(one => one.clockSamples).length).toBeGreaterThan(0);
});

test('in DTX nothing is sent and nothing is lost: silence is told, and the sound comes back', async () => {
  page.records.length = 0;
  const told = await call(`
    const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
    const [client, agent] = [session('client', 'dtx'), session('agent', 'dtx')];
    tracePeerConnection(a, { session: client, isPeerTraced: true });
    tracePeerConnection(b, { session: agent, isPeerTraced: true });
    const context = new AudioContext();
    const [tone, gate] = [context.createOscillator(), context.createGain()];
    const target = context.createMediaStreamDestination();
    tone.connect(gate).connect(target);
    for (let s = 0; s < 8; s++) gate.gain.setValueAtTime(s % 2 === 0 ? 0.5 : 0, context.currentTime + s);
    tone.start();
    add(a, target.stream);
    b.addTransceiver('audio', { direction: 'recvonly' });
    await connect(a, b, sdp => sdp.replaceAll('useinbandfec=1', 'useinbandfec=1;usedtx=1'));
    await pause(7000);
    const heard = await inbound(b);
    await Promise.all([client.end(), agent.end()]);
    await context.close();
    return { problems, heard };
  `);
  expect(told.problems).toEqual([]);
  const ranges = withRole('agent').flatMap(one => one.blocks.flatMap(block => block.ranges));
  const ticksOf = (kind: string): number =>
    ranges.reduce((sum, one) => sum + (one.kind === kind ? one.endTick - one.startTick : 0), 0);
  // Two or three pauses of a second were not sent.
  expect(ticksOf('silence')).toBeGreaterThan(48_000);
  expect(ticksOf('conceal')).toBeLessThan(9_600);
  const received = passedAt(withRole('agent'), 'mic', 'receive');
  const last = received.at(-1)?.startTick ?? 0;
  expect(last).toBeGreaterThan(5 * 48_000);
  // Frames and silences together are the whole axis.
  const covered = received.length * 960 + ticksOf('silence');
  expect(covered / (last + 960 - (received[0]?.startTick ?? 0))).toBeGreaterThan(0.97);
  expect(told.heard.totalAudioEnergy).toBeGreaterThan(0.1);
});
