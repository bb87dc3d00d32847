// Reads one request body: bounded as sent, bounded again as it unpacks.

import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import type { Admission } from './admission.ts';
import { BODY_BYTES_MAX, DECOMPRESSED_BYTES_MAX } from './limits.ts';

/** Why a body was not taken, with the HTTP status that says so. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly status: 400 | 413 | 415;
  /** A stable word for counting. */
  readonly reason: string;

  constructor(status: 400 | 413 | 415, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

const unpackers = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
} as const;

const inflateBare = promisify(inflateRaw);

/** The body, decompressed, in a buffer of its own; `full`: no room to read it now. @throws {BodyError} */
export async function readBody(
  request: IncomingMessage,
  room: Pick<Admission, 'reserve' | 'release'>,
): Promise<Uint8Array | 'full'> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity' && encoding !== '' && !Object.hasOwn(unpackers, encoding))
    throw new BodyError(
      415,
      'content_encoding',
      `Content-Encoding "${encoding.slice(0, 40)}" is not understood; send gzip, deflate or none`,
    );
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > BODY_BYTES_MAX) throw tooLarge(announced);
  const reserved = { bytes: 0 };
  const reserve = (bytes: number): boolean => {
    const isIn = bytes <= reserved.bytes || room.reserve(bytes - reserved.bytes);
    if (isIn) reserved.bytes = Math.max(bytes, reserved.bytes);
    return isIn;
  };
  try {
    const bytes = reserve(announced) ? await readRaw(request, reserve) : 'full';
    if (bytes === 'full' || encoding === 'identity' || encoding === '') return bytes;
    return await oneOfFew(() => unpack(bytes, encoding as keyof typeof unpackers));
  } finally {
    room.release(reserved.bytes);
  }
}

/** `reserve` is asked for the total: what came without a length, or is longer than it said. */
async function readRaw(
  request: IncomingMessage,
  reserve: (bytes: number) => boolean,
): Promise<Uint8Array | 'full'> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > BODY_BYTES_MAX) throw tooLarge(size);
      if (!reserve(size)) return 'full';
      chunks.push(chunk);
    }
  } catch (problem) {
    if (problem instanceof BodyError) throw problem;
    throw new BodyError(400, 'aborted', 'the body ended before it was complete');
  }
  return joined(chunks, size);
}

/** Bodies decompressed at a time: each may grow to 64 MiB, and more would not be faster. */
const UNPACKING_MAX = 2;
let unpackingCount = 0;
const waiting: (() => void)[] = [];

async function oneOfFew<T>(work: () => Promise<T>): Promise<T> {
  if (unpackingCount >= UNPACKING_MAX) await new Promise<void>(resolve => waiting.push(resolve));
  else unpackingCount++;
  try {
    return await work();
  } finally {
    // The place goes to who waits; the count falls when nobody does.
    const next = waiting.shift();
    if (next) next();
    else unpackingCount--;
  }
}

/** Never in Node's shared pool: the buffer is moved to another thread. */
function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

async function unpack(bytes: Uint8Array, encoding: keyof typeof unpackers): Promise<Uint8Array> {
  // "deflate" means zlib's frame, whose first byte has 8 in its low half; some send it bare.
  const isBare = encoding === 'deflate' && (bytes[0] ?? 0) % 16 !== 8;
  const unpacker = isBare ? inflateBare : unpackers[encoding];
  try {
    const unpacked = await unpacker(bytes, { maxOutputLength: DECOMPRESSED_BYTES_MAX });
    return joined([unpacked], unpacked.length);
  } catch (problem) {
    if (codeOf(problem) === 'ERR_BUFFER_TOO_LARGE')
      throw new BodyError(
        413,
        'decompressed_too_large',
        `the body is larger than ${DECOMPRESSED_BYTES_MAX} bytes when decompressed; send smaller batches`,
      );
    const why = problem instanceof Error ? problem.message : 'unreadable';
    throw new BodyError(400, 'compression', `the body is not valid ${encoding}: ${why}`);
  }
}

const tooLarge = (size: number): BodyError =>
  new BodyError(
    413,
    'body_too_large',
    `the body has ${size} bytes or more; at most ${BODY_BYTES_MAX} are taken. Send smaller batches`,
  );

const codeOf = (problem: unknown): string =>
  problem instanceof Error && 'code' in problem ? String(problem.code) : '';
