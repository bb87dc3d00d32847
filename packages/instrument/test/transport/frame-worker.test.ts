import {
  anchorLength,
  decodeTag,
  encodeAnchor,
  domainNs,
  sessionCheck,
  tick,
} from '@framescope/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { trailerCodec } from '../../src/transport/webrtc/frame-trailer.ts';
import {
  frameWorker,
  rowBatch,
  workerSource,
  type EncodedFrame,
  type FromWorker,
  type TapSettings,
  type Transformer,
  type WorkerPort,
} from '../../src/transport/webrtc/frame-worker.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SETTINGS: TapSettings = {
  isQuiet: false,
  trailer: true,
  check: sessionCheck(TRACE_ID),
  streamNumber: 3,
  rtp0: 4_294_966_336,
  tick0: 48_000,
  sampleRate: 16_000,
  clockRate: 48_000,
};
const ANCHOR = encodeAnchor({
  traceId: TRACE_ID,
  stream: 'mic',
  direction: 'up',
  sampleRate: 16_000,
  tick: tick(48_000),
  domain: '00000000000000c1',
  epoch: 0,
  originNs: domainNs(5),
});

const frameOf = (
  data: Uint8Array<ArrayBuffer>,
  rtpTimestamp = 0,
  sequenceNumber = 1,
): EncodedFrame => ({
  data: data.buffer,
  getMetadata: () => ({ rtpTimestamp, synchronizationSource: 7, sequenceNumber }),
});

/** Sends frames through the worker's transform; what came out and what the page was told. */
async function through(
  frames: readonly EncodedFrame[],
  isSending: boolean,
  settings?: TapSettings,
): Promise<{ out: EncodedFrame[]; told: FromWorker[] }> {
  const told: FromWorker[] = [];
  const port: WorkerPort = {
    onmessage: null,
    onrtctransform: null,
    postMessage: message => told.push(message),
  };
  frameWorker(port, trailerCodec(), rowBatch);
  if (settings !== undefined) port.onmessage?.({ data: { key: 0, settings } });
  const out: EncodedFrame[] = [];
  const readable = new ReadableStream<EncodedFrame>({
    start: controller => {
      for (const frame of frames) controller.enqueue(frame);
      controller.close();
    },
  });
  let done = (): void => undefined;
  const ended = new Promise<void>(resolve => (done = resolve));
  const writable = new WritableStream<EncodedFrame>({
    write: frame => void out.push(frame),
    close: done,
  });
  const transformer = {
    readable,
    writable,
    options: { key: 0, isSending },
  } as unknown as Transformer;
  port.onrtctransform?.({ transformer });
  await ended;
  // The end of a pipe is heard some promises later.
  for (let i = 0; i < 50; i++) await Promise.resolve();
  return { out, told };
}

const bytesOf = (frame: EncodedFrame | undefined): Uint8Array => new Uint8Array(frame?.data ?? []);
const speech = (): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: 60 }, (_, i) => i * 4);

test('what was put on is taken off again, and says the tick across a wrap of the timestamp', async () => {
  const sent = await through([frameOf(speech(), 960)], true, { ...SETTINGS, anchor: ANCHOR });
  expect(sent.out[0]?.data.byteLength).toBe(60 + 8 + ANCHOR.length + 6);
  const received = await through(
    [frameOf(new Uint8Array(sent.out[0]!.data), 960)],
    false,
    SETTINGS,
  );
  expect(bytesOf(received.out[0])).toEqual(speech());
  // 960 − (2^32 − 960) = 1,920 timestamps at 48 kHz = 640 ticks at 16 kHz.
  const row = received.told.find(one => one.rows !== undefined)?.rows;
  expect(Array.from(row!.subarray(5))).toEqual([60, 48_640, 3]);
  const anchor = received.told.find(one => one.anchor !== undefined)?.anchor;
  expect(anchorLength(anchor!)).toBe(ANCHOR.length);
});

test('the tag in a trailer is the tag of the wire', () => {
  const out = trailerCodec().append(new Uint8Array(5), SETTINGS, SETTINGS.rtp0);
  const tag = decodeTag(out.subarray(5, 13));
  expect(tag.ok && tag.value).toEqual({
    flags: 0,
    streamNumber: 3,
    check: sessionCheck(TRACE_ID),
    tickLow: 48_000,
  });
});

test('an anchor goes with one frame, not with the next', async () => {
  const frames = [frameOf(speech()), frameOf(speech())];
  const { out } = await through(frames, true, { ...SETTINGS, anchor: ANCHOR });
  expect(out.map(one => one.data.byteLength)).toEqual([74 + ANCHOR.length, 74]);
});

test('empty frames pass untouched, whichever way they go', async () => {
  for (const isSending of [true, false]) {
    const { out, told } = await through([frameOf(new Uint8Array(0))], isSending, SETTINGS);
    expect(out[0]?.data.byteLength).toBe(0);
    expect(told.some(one => one.problem !== undefined)).toBe(false);
  }
});

test('before the peer announced that it takes trailers off, nothing is put on', async () => {
  const unset = await through([frameOf(speech())], true);
  const off = await through([frameOf(speech())], true, { ...SETTINGS, trailer: false });
  expect([unset, off].map(({ out }) => out[0]?.data.byteLength)).toEqual([60, 60]);
});

test('when nobody wants to know any more, frames pass and trailers still come off', async () => {
  const sent = trailerCodec().append(speech(), { ...SETTINGS, anchor: ANCHOR }, 0);
  const { out, told } = await through([frameOf(sent)], false, { ...SETTINGS, isQuiet: true });
  expect(bytesOf(out[0])).toEqual(speech());
  expect(told).toEqual([]);
});

test('a frame that cannot be read is passed on, and told once', async () => {
  const broken = (): EncodedFrame => ({
    data: speech().buffer,
    getMetadata: () => {
      throw new RangeError('no metadata');
    },
  });
  const { out, told } = await through([broken(), broken(), frameOf(speech())], true, SETTINGS);
  expect(out.length).toBe(3);
  expect(told.flatMap(one => one.problem ?? [])).toEqual(['RangeError: no metadata']);
});

test('bytes that are no trailer of this session stay where they are', async () => {
  const foreign = trailerCodec().append(speech(), { ...SETTINGS, check: 1 }, 0);
  const { out } = await through([frameOf(foreign)], false, SETTINGS);
  expect(out[0]?.data.byteLength).toBe(foreign.length);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 10 }),
      (head, tail) => {
        const end = [0x46, 0x53, 0x54, 0x01];
        const found = trailerCodec().find(Uint8Array.from([...head, ...tail, ...end]), 0);
        expect((found?.at ?? 0) >= 0).toBe(true);
      },
    ),
  );
});

test('the text that goes to the worker is one expression that names nothing from outside', () => {
  const port = { postMessage: (): void => undefined } as unknown as WorkerPort;
  // Only what a worker has: no module scope to lean on.
  new Function('self', 'performance', 'TransformStream', workerSource())(
    port,
    performance,
    TransformStream,
  );
  expect(typeof port.onrtctransform).toBe('function');
});
