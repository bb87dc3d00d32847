// What OTLP/HTTP answers, in the encoding of the request: a response with its
// partial success, or a google.rpc.Status.
//
//   ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1, error_message = 2 } }
//   Status { code = 1, message = 2 }

import type { Encoding } from '../decode/decode.ts';

export const CONTENT_TYPE: Readonly<Record<Encoding, string>> = {
  json: 'application/json',
  protobuf: 'application/x-protobuf',
};

/** Codes of google.rpc. */
export const RPC = {
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
} as const;

/** An empty message is full success. */
export function exportResponse(encoding: Encoding, rejectedCount: number, message: string): Buffer {
  if (rejectedCount === 0 && message === '')
    return encoding === 'json' ? Buffer.from('{"partialSuccess":{}}') : Buffer.alloc(0);
  if (encoding === 'json')
    return json({
      partialSuccess: { rejectedSpans: String(rejectedCount), errorMessage: message },
    });
  const partial = Buffer.concat([varintField(1, rejectedCount), textField(2, message)]);
  return bytesField(1, partial);
}

export function status(encoding: Encoding, code: number, message: string): Buffer {
  if (encoding === 'json') return json({ code, message });
  return Buffer.concat([varintField(1, code), textField(2, message)]);
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

const varintField = (field: number, value: number): Buffer =>
  Buffer.from([field * 8, ...varint(value)]);

const bytesField = (field: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([field * 8 + 2, ...varint(bytes.length)]), bytes]);

const textField = (field: number, text: string): Buffer => bytesField(field, Buffer.from(text));
