// What OTLP answers, in the encoding of the request: a response with its
// partial success, or a google.rpc.Status.
//
//   Export…ServiceResponse { partial_success = 1 { rejected = 1, error_message = 2 } }
//   Status { code = 1, message = 2, details = 3 { type_url = 1, value = 2 } }
//   RetryInfo { retry_delay = 1 { seconds = 1 } }

import type { Signal } from '../decode/by-signal.ts';
import type { Encoding } from '../decode/decode.ts';
import { bytesField, textField, varintField } from './protobuf.ts';

export const CONTENT_TYPE: Readonly<Record<Encoding, string>> = {
  json: 'application/json',
  protobuf: 'application/x-protobuf',
};

/** Codes of google.rpc. */
export const RPC = {
  ok: 0,
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** What the count of rejected things is called in JSON. */
const REJECTED: Readonly<Record<Signal, string>> = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
};

export interface PartialSuccess {
  readonly rejectedCount: number;
  /** With a count of 0: a warning. */
  readonly message: string;
}

/** An empty message is full success. */
export function exportResponse(
  encoding: Encoding,
  signal: Signal,
  { rejectedCount, message }: PartialSuccess,
): Buffer {
  if (rejectedCount === 0 && message === '')
    return encoding === 'json' ? Buffer.from('{"partialSuccess":{}}') : Buffer.alloc(0);
  if (encoding === 'json')
    return json({
      partialSuccess: { [REJECTED[signal]]: String(rejectedCount), errorMessage: message },
    });
  return bytesField(1, Buffer.concat([varintField(1, rejectedCount), textField(2, message)]));
}

export function status(encoding: Encoding, code: number, message: string): Buffer {
  if (encoding === 'json') return json({ code, message });
  return Buffer.concat([varintField(1, code), textField(2, message)]);
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

/** For gRPC's `grpc-status-details-bin`: without it, clients must not retry RESOURCE_EXHAUSTED. */
export function statusWithRetry(code: number, message: string, seconds: number): Buffer {
  const delay = bytesField(1, varintField(1, seconds));
  const detail = Buffer.concat([textField(1, RETRY_INFO), bytesField(2, delay)]);
  return Buffer.concat([status('protobuf', code, message), bytesField(3, detail)]);
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
