// Node streams: hops in a pipeline over real files and pipes, and context over
// a TCP connection that cuts its bytes anywhere.

import { createReadStream } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { skewedClock } from '@framescope/instrument';
import { ByteLink, markedHop, markReadable } from '@framescope/instrument/streams';
import { afterEach, expect, test } from 'vitest';
import { captured, passedAt } from '../support/captured.ts';

const SPEECH = fileURLToPath(
  new URL('../../../../examples/voice-agent/clips/reader-0880.wav', import.meta.url),
);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Takes everything in; a chunk at a time, as slowly as asked. */
function sink(pauseMs = 0): { readonly stream: Writable; readonly bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      setTimeout(done, pauseMs);
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}

test('chunks of odd lengths go through unchanged, and every whole sample is marked once', async () => {
  const told = captured('agent');
  closing.push(() => told.scope.shutdown());
  const session = told.scope.startSession({ id: 'file' });
  const mic = session.stream('mic', { sampleRate: 16_000 });
  const file = createReadStream(SPEECH, { highWaterMark: 641, end: 64_099 });
  const plain = createReadStream(SPEECH, { end: 64_099 });
  const stop = markReadable(file, mic.hop('read'));
  const end = sink();
  await pipeline(file, markedHop(mic.hop('decode')), end.stream);
  stop();
  stop();
  const expected = Buffer.concat(await plain.toArray());
  expect(end.bytes().equals(expected)).toBe(true);
  await session.end();
  for (const hop of ['read', 'decode']) {
    const passed = passedAt(told.records, 'mic', hop);
    expect(passed.length).toBe(100);
    expect(mic.hop(hop).nextTick).toBe(32_050);
  }
  expect(told.problems).toEqual([]);
});

/** Two ends of a TCP connection on loopback. */
async function connected(): Promise<readonly [Socket, Socket]> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>(resolve => server.once('connection', resolve));
  const here = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const there = await accepted;
  closing.push(async () => {
    here.destroy();
    there.destroy();
    await new Promise(resolve => server.close(resolve));
  });
  return [here, there];
}

/** 20 ms frames of PCM16 at 16 kHz, in real time. */
async function* frames(count: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < count; i++) {
    yield Buffer.alloc(640, i);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

test('over TCP both ends agree on ticks, and the echo measures their clocks', async () => {
  const client = captured('client');
  const agent = captured('agent', skewedClock({ offsetMs: 3_700, driftPpm: 40 }));
  closing.push(() => Promise.all([client.scope.shutdown(), agent.scope.shutdown()]));
  const [call, session] = [client, agent].map(({ scope }) => scope.startSession({ id: 'tcp' }));
  const [here, there] = await connected();
  const [mine, theirs] = [new ByteLink(call!), new ByteLink(session!)];
  const mic = call!.stream('mic', { sampleRate: 16_000 });
  // The call was two seconds old.
  mic.hop('send').markAt(31_680, 320);
  const down = session!.stream('agent', { sampleRate: 16_000 });
  const [heard, answered] = [sink(), sink()];
  there.pipe(theirs.incoming()).pipe(heard.stream);
  here.pipe(mine.incoming()).pipe(answered.stream);
  Readable.from(frames(80)).pipe(mine.outgoing(mic)).pipe(here, { end: false });
  Readable.from(frames(80)).pipe(theirs.outgoing(down)).pipe(there, { end: false });
  for (const end of [heard, answered])
    await expect.poll(() => end.bytes().length, { timeout: 10_000 }).toBe(80 * 640);
  await Promise.all([call!.end(), session!.end()]);
  const received = passedAt(agent.records, 'mic', 'receive');
  expect(received[0]?.startTick).toBe(32_000);
  expect(received.length).toBe(80);
  const samples = client.records.flatMap(record => record.clockSamples);
  expect(samples.length).toBeGreaterThan(0);
  expect([...client.problems, ...agent.problems]).toEqual([]);
});

test('bytes of somebody who does not use it go through as they are, and that is told', async () => {
  const told = captured('agent');
  closing.push(() => told.scope.shutdown());
  const link = new ByteLink(told.scope.startSession({ id: 'raw' }));
  const raw = Buffer.alloc(5_000, 0xff);
  const end = sink();
  await pipeline(Readable.from([raw.subarray(0, 3), raw.subarray(3)]), link.incoming(), end.stream);
  expect(end.bytes().equals(raw)).toBe(true);
  expect(told.problems.map(one => one.code)).toEqual(['no_messages']);
});

test('a message that the end of the connection cut off is told, with its length', async () => {
  const told = captured('agent');
  closing.push(() => told.scope.shutdown());
  const session = told.scope.startSession({ id: 'cut' });
  const link = new ByteLink(session);
  const mic = session.stream('mic', { sampleRate: 16_000 });
  const sent = sink();
  await pipeline(
    Readable.from([Buffer.alloc(640), Buffer.alloc(640)]),
    link.outgoing(mic),
    sent.stream,
  );
  const bytes = sent.bytes();
  const heard = sink();
  await pipeline(
    Readable.from([bytes.subarray(0, bytes.length - 140)]),
    new ByteLink(session).incoming(),
    heard.stream,
  );
  expect(heard.bytes().length).toBe(640);
  expect(told.problems.map(one => one.code)).toEqual(['cut_off_message']);
  expect(told.problems[0]?.message).toContain('its first 505 bytes');
});
