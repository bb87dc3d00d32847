// What outlives a scope, a session, a connection: nothing. And what is still to
// be told when they end is told.

import { EventEmitter } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { traceTwilioMediaStream } from '@framescope/instrument/adapters';
import { tracePeerConnection } from '@framescope/instrument/webrtc';
import { expect, test } from 'vitest';
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

test('what an adapter without a session follows goes nowhere, and is not kept', async () => {
  const followed = (): WeakRef<object> =>
    new WeakRef(traceTwilioMediaStream(new Socket(), {} as never).session);
  expect(await isCollected(followed())).toBe(true);
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
