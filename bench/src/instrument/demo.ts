// The demo (examples/voice-agent), run as it is against a server that keeps what
// it is sent: telemetry bytes a frame, and the marks that bits are counted on.

import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { decodeRecord, type FrameRecord } from '@framescope/protocol';
import { flushesOf, loadBytesOf, type SentFlush } from './otlp-reader.ts';

const DEMO = fileURLToPath(new URL('../../../examples/voice-agent/out/main.js', import.meta.url));
/** Frames of both directions last 20 ms. */
const FRAME_S = 0.02;

export interface DemoRun {
  /** Bytes of every body with records, live state or load in it, as sent, uncompressed. */
  readonly bytes: number;
  /** Of these: live state (turns, waits, words). */
  readonly stateBytes: number;
  /** Of these: reports of how busy the four processes are, which cost the same for a hundred calls. */
  readonly loadBytes: number;
  /** Bodies of turn and stage spans, which are OpenTelemetry's own and no part of `bytes`. */
  readonly spanBytes: number;
  /** Distinct frames that any hop marked, of both directions. */
  readonly frames: number;
  readonly records: readonly FrameRecord[];
}

interface Body {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Runs the demo for so long; `protocol` as `OTEL_EXPORTER_OTLP_PROTOCOL` has it. */
export async function runDemo(
  seconds: number,
  protocol: 'http/protobuf' | 'http/json',
): Promise<DemoRun> {
  const bodies: Body[] = [];
  const server = createServer((request, response) => answer(request, response, bodies));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const args = ['--duration', String(seconds), '--loop', '--collector', `http://127.0.0.1:${port}`];
  const child = spawn(process.execPath, [DEMO, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, OTEL_EXPORTER_OTLP_PROTOCOL: protocol },
  });
  await new Promise(resolve => child.once('exit', resolve));
  server.close();
  server.closeAllConnections();
  return tally(bodies);
}

function answer(request: IncomingMessage, response: ServerResponse, bodies: Body[]): void {
  if (request.url?.startsWith('/v1/clock') === true) {
    const now = Number(process.hrtime.bigint());
    response.end(`{"domain":"00000000000000aa","epoch":0,"t1":null,"t2":${now},"t3":${now}}`);
    return;
  }
  const chunks: Buffer[] = [];
  const type = request.headers['content-type'] ?? '';
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    bodies.push({ type, bytes: Buffer.concat(chunks) });
    response.setHeader('content-type', type);
    response.end(type.includes('json') ? '{}' : undefined);
  });
}

function tally(bodies: readonly Body[]): DemoRun {
  const flushes: SentFlush[] = [];
  let bytes = 0;
  let spanBytes = 0;
  let loadBytes = 0;
  for (const body of bodies) {
    const found = flushesOf(body.bytes, body.type);
    const load = loadBytesOf(body.bytes, body.type);
    if (found.length === 0 && load === 0) spanBytes += body.bytes.length;
    else bytes += body.bytes.length;
    loadBytes += load;
    flushes.push(...found);
  }
  const records = flushes.flatMap(({ record }) => {
    const read = record === undefined ? undefined : decodeRecord(record);
    return read?.ok === true ? [read.value] : [];
  });
  const stateBytes = flushes.reduce((sum, { stateLength }) => sum + stateLength, 0);
  return { bytes, stateBytes, loadBytes, spanBytes, frames: frameCount(records), records };
}

/** Frames as 20 ms of each stream's axis: how a stage cuts it does not count them twice. */
function frameCount(records: readonly FrameRecord[]): number {
  const seen = new Set<string>();
  for (const { blocks } of records)
    for (const { stream, sampleRate, columns } of blocks)
      for (const column of columns)
        for (let i = 0; i < column.length; i++) {
          const ticks = sampleRate * FRAME_S;
          const last = Math.ceil(column.endTick[i]! / ticks);
          for (let at = Math.floor(column.startTick[i]! / ticks); at < last; at++)
            seen.add(`${stream} ${at}`);
        }
  return seen.size;
}
