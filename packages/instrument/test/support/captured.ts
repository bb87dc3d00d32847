// A scope on the real clock whose records are kept instead of sent.

import { Framescope, type Clock, type HttpRequest, type Problem } from '@framescope/instrument';
import { ATTR, decodeRecord, fromBase64, type FrameRecord } from '@framescope/protocol';

export interface Captured {
  readonly scope: Framescope;
  readonly records: FrameRecord[];
  readonly problems: Problem[];
}

export function captured(role: string, clock?: Clock): Captured {
  const records: FrameRecord[] = [];
  const problems: Problem[] = [];
  const http = (request: HttpRequest) => {
    records.push(...recordsOf(request.body ?? new Uint8Array()));
    return Promise.resolve({
      status: request.method === 'GET' ? 404 : 200,
      body: new Uint8Array(),
    });
  };
  const scope = new Framescope({
    serviceName: role,
    role,
    http,
    encoding: 'json',
    tracerProvider: false,
    endpoint: 'http://collector.test',
    onProblem: problem => problems.push(problem),
    ...(clock === undefined ? {} : { clock }),
  });
  return { scope, records, problems };
}

/** The records in an OTLP/JSON body. */
export function recordsOf(body: Uint8Array): FrameRecord[] {
  return textsOf(body, ATTR.record).flatMap(text => {
    const bytes = fromBase64(text);
    const record = bytes.ok ? decodeRecord(bytes.value) : bytes;
    return record.ok ? [record.value] : [];
  });
}

/** The state messages in an OTLP/JSON body. */
export const statesOf = (body: Uint8Array): unknown[] =>
  textsOf(body, ATTR.state).map(text => JSON.parse(text) as unknown);

function textsOf(body: Uint8Array, attribute: string): string[] {
  const found = Buffer.from(body)
    .toString()
    .matchAll(new RegExp(`"${attribute}","value":{"stringValue":("(?:[^"\\\\]|\\\\.)*")`, 'g'));
  return [...found].map(([, text]) => JSON.parse(text!) as string);
}

export interface Passed {
  readonly startTick: number;
  readonly atNs: number;
}

/** What one hop of a stream saw, late ones included, in order of ticks. */
export function passedAt(records: readonly FrameRecord[], stream: string, hop: string): Passed[] {
  return records
    .flatMap(record => record.blocks.filter(block => block.stream === stream))
    .flatMap(block => block.columns.filter(column => column.hop.name === hop))
    .flatMap(column => [
      ...Array.from({ length: column.length }, (_, i) => ({
        startTick: column.startTick[i]!,
        atNs: column.atNs[i]!,
      })),
      ...column.late,
    ])
    .toSorted((a, b) => a.startTick - b.startTick);
}
