// What outlives a scope, a session, a connection: nothing. And what is still to
// be told when they end is told.

import { EventEmitter } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { traceTwilioMediaStream } from '@framescope/instrument/adapters';
import { tracePeerConnection } from '@framescope/instrument/webrtc';
import { expect, test, vi } from 'vitest';
import { makePacker } from '../src/export/frames-packer.ts';
import { Outbox } from '../src/export/outbox.ts';
import type { SessionPort } from '../src/ports.ts';
import { Problems } from '../src/problems.ts';
import { captureFrames } from '../src/transport/web-audio/capture-frames.ts';
import { registerCapture } from '../src/transport/web-audio/processors.ts';
import { FrameTaps, type Transformable } from '../src/transport/webrtc/frame-tap.ts';
import { World } from './support/world.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Whether it is gone once nobody here holds it. */
async function isCollected(ref: WeakRef<object>): Promise<boolean> {
  for (let i = 0; i < 20; i++) {
    // What a WeakRef was read or made in keeps its target until the loop's next turn.
    await new Promise(resolve => setImmediate(resolve));
    collectGarbage();
  }
  return ref.deref() === undefined;
}

class Socket extends EventEmitter {
  readonly sent: unknown[] = [];
  send(data: unknown): void {
    this.sent.push(data);
  }
}

test('a scope that nobody holds is collected, though it was never shut down', async () => {
  const used = async (): Promise<WeakRef<object>> => {
    const world = new World();
    const scope = world.scope();
    const call = scope.startSession({ id: 'call' });
    call.stream('mic').hop('receive').mark(320);
    const ended = call.end();
    await world.pass(3_000);
    await ended;
    return new WeakRef(scope);
  };
  expect(await isCollected(await used())).toBe(true);
});

test('a scope whose session is open stays, whoever holds it', async () => {
  const world = new World();
  const ref = new WeakRef(world.scope());
  ref.deref()!.startSession({ id: 'call' });
  await world.pass(1_000);
  expect(await isCollected(ref)).toBe(false);
});

test('what an adapter followed in a call of its own is let go when the connection is gone', async () => {
  const world = new World();
  const scope = world.scope();
  const followed = async (): Promise<WeakRef<object>> => {
    const socket = new Socket();
    const ref = new WeakRef(traceTwilioMediaStream(socket).session);
    await world.pass(1_000);
    socket.emit('close');
    await world.pass(3_000);
    return ref;
  };
  const ref = await followed();
  expect(scope.stats().openSessions).toBe(0);
  expect(await isCollected(ref)).toBe(true);
});

test('everyone who shuts down waits until all is sent', async () => {
  const world = new World();
  const scope = world.scope();
  scope.startSession({ id: 'call' }).stream('mic').hop('receive').mark(320);
  const order: string[] = [];
  const first = scope.shutdown().then(() => order.push('first', `${world.acknowledged.length}`));
  const second = scope.shutdown().then(() => order.push('second', `${world.acknowledged.length}`));
  await world.pass(3_000);
  await Promise.all([first, second]);
  expect(order).toEqual(['first', '1', 'second', '1']);
});

/** As much of a peer connection as tracing without audio touches. */
class Peer extends EventTarget {
  connectionState = 'connected';
  addTrack(): void {}
  addTransceiver(): void {}
  getTransceivers(): readonly never[] {
    return [];
  }
  createDataChannel(): never {
    throw new Error('the number is taken');
  }
}

test('a connection that closed is let go while its session lasts', async () => {
  const world = new World();
  const session = world.scope().startSession({ id: 'call' });
  const peer = new Peer();
  tracePeerConnection(peer as never, { session });
  expect(Object.hasOwn(peer, 'addTrack')).toBe(true);
  peer.connectionState = 'closed';
  await world.pass(200);
  expect(Object.hasOwn(peer, 'addTrack')).toBe(false);
});

test('a connection that gives no channel is traced without one', () => {
  const session = new World().scope().startSession({ id: 'call' });
  const peer = new Peer();
  tracePeerConnection(peer as never, { session, isPeerTraced: true });
  expect(Object.hasOwn(peer, 'addTrack')).toBe(true);
});

test('who waited for a collector in vain is not kept until it answers', async () => {
  const world = new World();
  const never = (): Promise<never> => new Promise<never>(() => undefined);
  const outbox = new Outbox({
    http: never,
    timers: world.timers,
    random: () => 0,
    url: 'http://collector.test/v1/traces',
    headers: {},
    format: makePacker('json', {}, '0'),
    bytesMax: 1_000,
    problems: new Problems(undefined),
  });
  outbox.enqueue({ recordIds: [], bytes: new Uint8Array(1), settled: () => undefined });
  const waited = async (): Promise<WeakRef<object>> => {
    const flushed = outbox.flush(1_000);
    await world.pass(2_000);
    await flushed;
    return new WeakRef(flushed);
  };
  expect(await isCollected(await waited())).toBe(true);
  expect(outbox.waitingCount).toBe(1);
});

test('a capture that was stopped costs the audio thread nothing more', () => {
  const made: { port: FakePort; process: (i: unknown[][], o: unknown[][]) => boolean }[] = [];
  class FakePort {
    onmessage: ((event: { data: object }) => void) | null = null;
    postMessage(): void {}
  }
  class AudioWorkletProcessor {
    readonly port = new FakePort();
  }
  const registerProcessor = (_name: string, processor: unknown): void => {
    const options = { processorOptions: { frameSamples: 960, wantsPcm: false, capacity: 0 } };
    made.push(Reflect.construct(processor as new () => never, [options]));
  };
  const scope = { currentFrame: 0, AudioWorkletProcessor, registerProcessor };
  registerCapture(scope, 'capture', captureFrames);
  const [capture] = made;
  expect(capture!.process([[new Float32Array(128)]], [[]])).toBe(true);
  expect(capture!.process([[]], [[]])).toBe(true);
  capture!.port.onmessage?.({ data: { ended: true } });
  expect(capture!.process([[]], [[]])).toBe(false);
});

/** A worker whose script a content security policy refuses, as it is told: later. */
/** The package seen through its front door has types of its own build. */
const portOf = (world: World): SessionPort =>
  world.scope().startSession({ id: 'call' }).port() as unknown as SessionPort;

class RefusedWorker extends EventTarget {
  static readonly all: RefusedWorker[] = [];
  constructor() {
    super();
    RefusedWorker.all.push(this);
  }
  postMessage(): void {}
  terminate(): void {}
}

test('where the worker for frames is refused, frames pass as if nobody traced', () => {
  vi.stubGlobal('Worker', RefusedWorker);
  vi.stubGlobal('RTCRtpScriptTransform', class {});
  const world = new World();
  const taps = new FrameTaps(portOf(world));
  const events = { rows: () => undefined, anchor: () => undefined };
  const [sender, receiver]: Transformable[] = [{ transform: null }, { transform: null }];
  taps.add(sender!, true, events);
  expect(sender!.transform).not.toBeNull();
  RefusedWorker.all[0]!.dispatchEvent(new Event('error'));
  expect(sender!.transform).toBeNull();
  expect(taps.add(receiver!, false, events)).toBeUndefined();
  expect(receiver!.transform).toBeNull();
  expect(world.codes()).toEqual(['no_frame_worker']);
  vi.unstubAllGlobals();
});

test('an error in a worker that runs leaves its transforms in place', () => {
  vi.stubGlobal('Worker', RefusedWorker);
  vi.stubGlobal('RTCRtpScriptTransform', class {});
  const taps = new FrameTaps(portOf(new World()));
  const sender: Transformable = { transform: null };
  taps.add(sender, true, { rows: () => undefined, anchor: () => undefined });
  const worker = RefusedWorker.all.at(-1)!;
  worker.dispatchEvent(new MessageEvent('message', { data: { pong: 0, now: 0, timeOrigin: 0 } }));
  worker.dispatchEvent(new Event('error'));
  expect(sender.transform).not.toBeNull();
  vi.unstubAllGlobals();
});
