// `POST /observability/recordings/v0`: what LiveKit Agents uploads when a session is over.
//
//   multipart/form-data   header        protobuf, see recording-header.ts
//                         chat_history  JSON: not kept, its items come as log records
//                         audio         Ogg Opus, left the user, right the agent; absent when not recorded
//
// The sound goes from the socket to a file, piece by piece. Without --recordings keep it is read and
// let go, and the agent is told that all is well: it could do nothing about it, and would only try again.

import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import type { Request, RequestHandler, Response } from 'express';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { randomUUID } from 'node:crypto';
import { OGG_EDGE_BYTES, opusFacts } from '../../files/ogg-opus.ts';
import type { RecordingStore } from '../../store/recordings.ts';
import { RPC, status } from '../otlp-answer.ts';
import { readRecordingHeader, type RecordingHeader } from './recording-header.ts';

/** Five hours of both sides as LiveKit encodes them. */
const AUDIO_BYTES_MAX = 1024 * 1024 * 1024;
const HEADER_BYTES_MAX = 64 * 1024;

export interface RecordingPorts {
  /** Absent: not kept. */
  readonly store?: RecordingStore;
  readonly nowUnixNs: () => bigint;
  readonly count: (outcome: RecordingOutcome) => void;
}

/** `unkept`: taken, and let go. */
export type RecordingOutcome = 'kept' | 'unkept' | 'silent' | 'refused';

class UploadProblem extends Error {
  override readonly name = 'UploadProblem';
  readonly status: 400 | 413 | 415;

  constructor(of: 400 | 413 | 415, message: string) {
    super(message);
    this.status = of;
  }
}

export const takeRecording =
  (ports: RecordingPorts): RequestHandler =>
  async (request: Request, response: Response): Promise<void> => {
    try {
      ports.count(await take(request, ports));
      response.status(200).type('json').end('{}');
    } catch (problem) {
      ports.count('refused');
      if (!(problem instanceof UploadProblem)) throw problem;
      if (!request.complete) response.setHeader('Connection', 'close');
      response
        .status(problem.status)
        .type('json')
        .end(status('json', RPC.invalidArgument, problem.message));
    }
  };

interface Upload {
  header: RecordingHeader | undefined;
  /** Where the sound was written; absent without a store, or without sound. */
  partPath: string | undefined;
  audioBytes: number;
}

async function take(request: Request, ports: RecordingPorts): Promise<RecordingOutcome> {
  const { store } = ports;
  const upload: Upload = { header: undefined, partPath: undefined, audioBytes: 0 };
  try {
    await readParts(request, upload, store);
    if (upload.header === undefined)
      throw new UploadProblem(400, 'the upload has no part "header" that says whose it is');
    if (upload.audioBytes === 0) return 'silent';
    if (store === undefined || upload.partPath === undefined) return 'unkept';
    await keep(upload, upload.header, upload.partPath, { store, now: ports.nowUnixNs() });
    upload.partPath = undefined;
    return 'kept';
  } finally {
    if (upload.partPath !== undefined) store?.discard(upload.partPath);
  }
}

async function keep(
  upload: Upload,
  { roomId, jobId, roomName, startUnixNs }: RecordingHeader,
  partPath: string,
  { store, now }: { store: RecordingStore; now: bigint },
): Promise<void> {
  const facts = await factsOf(partPath, upload.audioBytes);
  store.keep(partPath, {
    id: store.idOf([roomId, jobId, roomName, String(startUnixNs)]),
    source: 'livekit',
    sessionIds: [roomId, roomName, jobId].filter(id => id !== ''),
    contentType: facts ? 'audio/ogg' : 'application/octet-stream',
    bytes: upload.audioBytes,
    startUnixNs: startUnixNs === undefined ? null : String(startUnixNs),
    receivedUnixNs: String(now),
    durationNs: facts?.durationNs ?? null,
    channels: facts?.channels ?? null,
    sampleRate: facts?.inputSampleRate || null,
  });
}

async function factsOf(path: string, bytes: number): Promise<ReturnType<typeof opusFacts>> {
  const file = await open(path);
  try {
    const length = Math.min(bytes, OGG_EDGE_BYTES);
    const [start, end] = [Buffer.alloc(length), Buffer.alloc(length)];
    await file.read(start, 0, length, 0);
    await file.read(end, 0, length, bytes - length);
    return opusFacts(start, end);
  } finally {
    await file.close();
  }
}

async function readParts(
  request: Request,
  upload: Upload,
  store: RecordingStore | undefined,
): Promise<void> {
  const contentType = request.headers['content-type'];
  if (contentType === undefined || !/^multipart\/form-data\b/i.test(contentType))
    throw new UploadProblem(
      415,
      `Content-Type must be multipart/form-data, got ${contentType === undefined ? 'none' : `"${contentType.slice(0, 80)}"`}`,
    );
  const work: Promise<void>[] = [];
  let problem: unknown;
  const form = formOf(contentType);
  form.on('file', (name, stream) => {
    const done = takePart(name, stream, upload, store).catch((cause: unknown) => {
      problem ??= cause;
      stream.resume();
    });
    work.push(done);
  });
  try {
    await pipeline(request, form);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    problem ??= new UploadProblem(400, `the body is not complete multipart/form-data: ${why}`);
  }
  await Promise.all(work);
  if (problem !== undefined) throw problem;
}

function formOf(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: { fileSize: AUDIO_BYTES_MAX, files: 16, fields: 16, fieldSize: HEADER_BYTES_MAX },
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    throw new UploadProblem(400, `Content-Type: ${why}`);
  }
}

async function takePart(
  name: string,
  stream: BusboyFileStream,
  upload: Upload,
  store: RecordingStore | undefined,
): Promise<void> {
  if (name === 'header') {
    upload.header = await headerOf(stream);
    return;
  }
  if (name !== 'audio') {
    stream.resume();
    return;
  }
  if (upload.partPath !== undefined)
    throw new UploadProblem(400, 'the upload has two parts "audio"');
  stream.on('data', (chunk: Buffer) => (upload.audioBytes += chunk.length));
  if (store === undefined) {
    for await (const _ of stream);
    return;
  }
  upload.partPath = store.partPath(randomUUID());
  await pipeline(stream, createWriteStream(upload.partPath));
  if (stream.truncated)
    throw new UploadProblem(413, `the part "audio" has more than ${AUDIO_BYTES_MAX} bytes`);
}

async function headerOf(stream: Readable): Promise<RecordingHeader> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= HEADER_BYTES_MAX) chunks.push(chunk);
  }
  if (size > HEADER_BYTES_MAX)
    throw new UploadProblem(400, `the part "header" has ${size} bytes; a header is a few hundred`);
  const header = readRecordingHeader(Buffer.concat(chunks));
  if (typeof header === 'string') throw new UploadProblem(400, header);
  return header;
}
