// A call in a real Chromium whose network goes away and which finds another way by an ICE
// restart: two traced ends of one connection, a real collector. The call stays one session, and
// what happened is one hand-over with its gap, though both ends tell of it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page as ApiPage, SessionDetail, SessionSummary } from '@framescope/protocol';
import { startCollector, type Collector } from 'framescope';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  tracedPage,
  type TracedPage,
} from '../../packages/instrument/test/transport/traced-page.ts';
import { udpRelay, type Relay } from '../../packages/instrument/test/transport/udp-relay.ts';

const data = mkdtempSync(join(tmpdir(), 'framescope-ice-'));
let collector: Collector;
let page: TracedPage;
/** The way that goes away, and the one behind it. */
let relays: readonly Relay[] = [];

beforeAll(async () => {
  collector = await startCollector({ port: 0, data });
  page = await tracedPage(['entries/webrtc']);
  const relay = (): Promise<Relay> =>
    udpRelay({ seed: 1, loss: 0, reordered: 0, heldMs: 0, host: '0.0.0.0' });
  relays = [await relay(), await relay()];
}, 60_000);

afterAll(async () => {
  await page?.close();
  for (const relay of relays) await relay.close();
  await collector?.close();
  rmSync(data, { recursive: true, force: true });
});

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(`${collector.url}/api/v1${path}`);
  return (await answer.json()) as T;
}

const script = (ports: readonly (readonly [number, number])[]): string => `
  import { Framescope } from '/index.browser.js';
  import { tracePeerConnection } from '/entries/webrtc.js';
  const PORTS = ${JSON.stringify(ports)};
  const problems = [];
  const session = (role, authority) => new Framescope({
    serviceName: 'voice-' + role, role, endpoint: '${collector.url}', tracerProvider: false,
    onProblem: ({ code }) => problems.push(code),
  }).startSession({ id: 'restarted', authority });
  const [caller, agent] = [session('client', false), session('agent', true)];
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  tracePeerConnection(a, { session: caller });
  tracePeerConnection(b, { session: agent });
  // Each end knows the other by a relay alone: the first, and after the restart the second.
  let way = 0;
  let waiting = [];
  const through = (to, side) => ({ candidate }) => {
    const words = candidate?.candidate.split(' ') ?? [];
    if (words[2] !== 'udp' || words[4]?.includes(':') !== false) return;
    words[5] = String(PORTS[way][side]);
    waiting.push(() => to.addIceCandidate({ ...candidate.toJSON(), candidate: words.join(' ') }));
  };
  a.onicecandidate = through(b, 1);
  b.onicecandidate = through(a, 0);
  const until = async (done, limitMs) => {
    const end = performance.now() + limitMs;
    while (!done() && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 50));
    if (!done()) throw new Error('waited for ' + done + ' in ' + a.connectionState + ', ' + b.connectionState);
  };
  const bare = sdp => sdp.replaceAll(/a=candidate.*\\r\\n/g, '');
  const negotiate = async () => {
    waiting = [];
    await a.setLocalDescription(await a.createOffer());
    await b.setRemoteDescription({ type: 'offer', sdp: bare(a.localDescription.sdp) });
    await b.setLocalDescription(await b.createAnswer());
    await a.setRemoteDescription({ type: 'answer', sdp: bare(b.localDescription.sdp) });
    await until(() => a.iceGatheringState === 'complete' && b.iceGatheringState === 'complete', 30000);
    for (const add of waiting) await add();
  };
  const both = state => () => a.connectionState === state && b.connectionState === state;
  globalThis.call = {
    begin: async () => {
      const media = await navigator.mediaDevices.getUserMedia({ audio: true });
      a.addTrack(media.getAudioTracks()[0], media);
      b.ontrack = ({ streams }) => {
        const audio = new Audio();
        audio.srcObject = streams[0];
        audio.play().catch(() => undefined);
      };
      await negotiate();
      await until(both('connected'), 30000);
    },
    restart: async () => {
      const isLost = ({ connectionState: one }) => one === 'disconnected' || one === 'failed';
      await until(() => isLost(a) && isLost(b), 60000);
      way = 1;
      a.restartIce();
      await negotiate();
      await until(both('connected'), 60000);
    },
    end: async () => {
      await Promise.all([caller.end(), agent.end()]);
      return problems;
    },
  };`;

interface Call {
  begin(): Promise<void>;
  restart(): Promise<void>;
  end(): Promise<string[]>;
}

test('an ICE restart in the middle of a call is one hand-over of one session, with the gap that was heard', async () => {
  const opened = await page.open(script(relays.map(one => [one.frontPort, one.backPort] as const)));
  const run = <K extends keyof Call>(step: K): Promise<Awaited<ReturnType<Call[K]>>> =>
    opened.page.evaluate(
      name => (globalThis as unknown as { call: Call }).call[name]() as never,
      step,
    );
  const heard = async (): Promise<number> => {
    const { items } = await get<ApiPage<SessionSummary>>('/sessions');
    const [own] = items;
    if (own === undefined) return 0;
    const { streams } = await get<SessionDetail>(`/sessions/${own.key}`);
    const hop = streams[0]?.hops.find(one => one.role === 'agent' && one.name === 'receive');
    return hop?.markCount ?? 0;
  };
  await run('begin');
  await expect.poll(heard, { timeout: 60_000 }).toBeGreaterThan(50);
  relays[0]!.cut();
  await run('restart');
  const before = await heard();
  await expect.poll(heard, { timeout: 60_000 }).toBeGreaterThan(before + 50);
  expect(await run('end')).toEqual([]);
  const told = async (): Promise<SessionDetail> => {
    const { items } = await get<ApiPage<SessionSummary>>('/sessions');
    expect(items).toHaveLength(1);
    return get<SessionDetail>(`/sessions/${items[0]!.key}`);
  };
  await expect.poll(async () => (await told()).status, { timeout: 60_000 }).toBe('ended');
  await expect.poll(async () => (await told()).handovers?.length, { timeout: 60_000 }).toBe(1);
  const [one] = (await told()).handovers!;
  expect(one).toMatchObject({ role: 'client', wasTold: true });
  const mic = one!.directions.find(way => way.stream === 'mic')!;
  // Chromium takes some five seconds to notice: 50 frames of each are gone.
  expect(mic.frames).toBeGreaterThan(100);
  expect(mic.silenceNs).toBeGreaterThan(2e9);
}, 300_000);
