// Helpers in the hands of untyped code: whatever is handed in, nothing is
// thrown, nothing is rejected, and what is wrong is counted.

import { Readable } from 'node:stream';
import { RtpLink } from '@framescope/instrument/rtp';
import { ByteLink, markedHop, markReadable } from '@framescope/instrument/streams';
import { createPlayout, tapCapture } from '@framescope/instrument/web-audio';
import { JsonLink } from '@framescope/instrument/websocket-json';
import { tracePeerConnection } from '@framescope/instrument/webrtc';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

const RUNS = { numRuns: 500 };

/** Throws at every touch. */
const thorny = new Proxy(
  {},
  {
    get: () => {
      throw new Error('a thorn');
    },
  },
);
/** Named, since not even the report of a failure may touch it. */
const THORN = 'a thorn';
const odd = fc.oneof(fc.anything(), fc.constant(THORN), fc.constant(undefined));
const given = (value: unknown): never => (value === THORN ? thorny : value) as never;

test('links without a session, or with an odd one, take every call', () => {
  fc.assert(
    fc.property(odd, odd, odd, (one, two, three) => {
      const [session, a, b] = [given(one), given(two), given(three)];
      const rtp = new RtpLink(session, a);
      rtp.tag(a, b);
      rtp.untag(a);
      rtp.receive(b, a);
      const json = new JsonLink(session);
      json.tag(a, b, a);
      json.untag(a);
      const bytes = new ByteLink(session);
      bytes.outgoing(a, b).on('error', fail).write('text');
      bytes
        .incoming(a)
        .on('error', fail)
        .write(Buffer.from([1, 2, 3]));
    }),
    RUNS,
  );
});

function fail(cause: unknown): void {
  throw cause;
}

test('a hop that is none marks nothing, and lets the sound through', async () => {
  const samples = fc.sample(odd, 50);
  for (const one of samples) {
    const hop = given(one);
    const through = Readable.from([Buffer.alloc(320)]).pipe(markedHop(hop, hop));
    expect(Buffer.concat(await through.toArray()).length).toBe(320);
    markReadable(hop, hop)();
  }
});

test('a peer connection that is none, or that throws at every touch, costs nothing but a count', async () => {
  const world = new World();
  const session = world.scope().startSession({ id: 'call' });
  fc.assert(
    fc.property(odd, odd, (pc, options) => {
      tracePeerConnection(given(pc), given(options)).stop();
      const trace = tracePeerConnection(given(pc), { session });
      trace.stop();
      trace.stop();
    }),
    RUNS,
  );
  for (const pc of [undefined, thorny]) {
    tracePeerConnection(pc as never, { session });
    tracePeerConnection(pc as never, { session, isPeerTraced: true });
  }
  await world.pass(5_000);
  expect(world.codes()).toContain('adapter_event');
});

test('where there is no audio worklet nothing plays, nothing is marked, and that is told', async () => {
  const world = new World();
  const session = world.scope().startSession({ id: 'call' });
  for (const one of [undefined, thorny, {}, 7]) {
    const tap = await tapCapture(one as never, { session });
    tap.stop();
    const player = await createPlayout(one as never, { session });
    player.push(new Float32Array(480));
    player.push(one as never, one as never);
    player.clear();
    player.stop();
    await tapCapture(one as never, one as never);
    await createPlayout(one as never, one as never);
  }
  expect(world.codes()).toContain('no_worklet');
});
