// What became of one body at the other end.
//
// OTLP names which answers are to be tried again. We try a few more: a wrong
// token or a wrong path is a mistake that somebody is about to mend, and what
// waits for it is not lost meanwhile.

import { ProtoReader, WIRE, WireProblem } from '../decode/proto-reader.ts';

export type Outcome =
  | { readonly kind: 'accepted'; readonly rejectedCount: number; readonly message: string }
  | { readonly kind: 'retry'; readonly why: string; readonly afterMs?: number }
  /** The other side will never take it. */
  | { readonly kind: 'refused'; readonly why: string };

/** Sends one body; never throws. */
export interface Transport {
  send(body: Buffer): Promise<Outcome>;
  close(): void;
}

/** OTLP: 429, 502, 503, 504. Ours: a server's own fault, and what a setting there mends. */
const RETRYABLE_HTTP: ReadonlySet<number> = new Set([
  401, 403, 404, 405, 407, 408, 421, 425, 429, 500, 502, 503, 504,
]);

export function httpOutcome(status: number, body: Buffer, retryAfter: string | undefined): Outcome {
  if (status >= 200 && status < 300) return accepted(body);
  const why = `HTTP ${status}${textOf(body)}`;
  if (!RETRYABLE_HTTP.has(status)) return { kind: 'refused', why };
  const afterMs = retryAfterMs(retryAfter);
  return { kind: 'retry', why, ...(afterMs !== undefined && { afterMs }) };
}

/**
 * Codes of gRPC. OTLP: CANCELLED 1, DEADLINE_EXCEEDED 4, RESOURCE_EXHAUSTED 8 (with RetryInfo),
 * ABORTED 10, OUT_OF_RANGE 11, UNAVAILABLE 14, DATA_LOSS 15. Ours: PERMISSION_DENIED 7,
 * UNIMPLEMENTED 12 (no such service there yet), UNAUTHENTICATED 16.
 */
const RETRYABLE_GRPC: ReadonlySet<number> = new Set([1, 4, 7, 10, 11, 12, 14, 15, 16]);
const RESOURCE_EXHAUSTED = 8;

export function grpcOutcome(code: number, why: string, details: Buffer | undefined): Outcome {
  const afterMs = details && retryInfoMs(details);
  const isRetryable =
    RETRYABLE_GRPC.has(code) || (code === RESOURCE_EXHAUSTED && afterMs !== undefined);
  if (!isRetryable) return { kind: 'refused', why };
  return { kind: 'retry', why, ...(afterMs !== undefined && { afterMs }) };
}

/** ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1, error_message = 2 } } */
export function accepted(response: Buffer): Outcome {
  let rejectedCount = 0;
  let message = '';
  forgiving(response, reader => {
    while (reader.next()) {
      if (reader.field !== 1 || reader.wire !== WIRE.bytes) reader.skip();
      else
        reader.message(() => {
          while (reader.next()) {
            if (reader.field === 1 && reader.wire === WIRE.varint) rejectedCount = reader.varint();
            else if (reader.field === 2 && reader.wire === WIRE.bytes) message = reader.text();
            else reader.skip();
          }
        });
    }
  });
  return { kind: 'accepted', rejectedCount, message: message.slice(0, 300) };
}

/** Status { details = 3 { value = 2 RetryInfo { retry_delay = 1 { seconds = 1, nanos = 2 } } } } */
function retryInfoMs(status: Buffer): number | undefined {
  let ms: number | undefined;
  forgiving(status, reader => {
    const within = (field: number, read: () => void): void => {
      while (reader.next()) {
        if (reader.field === field && reader.wire === WIRE.bytes) reader.message(read);
        else reader.skip();
      }
    };
    const delay = (): void => {
      ms = 0;
      while (reader.next()) {
        const value = reader.wire === WIRE.varint ? reader.varint() : (reader.skip(), 0);
        ms += reader.field === 1 ? value * 1_000 : reader.field === 2 ? value / 1e6 : 0;
      }
    };
    within(3, () => within(2, () => within(1, delay)));
  });
  return ms;
}

/** An answer that cannot be read says nothing more than its status. */
function forgiving(bytes: Buffer, read: (reader: ProtoReader) => void): void {
  try {
    read(new ProtoReader(bytes));
  } catch (problem) {
    if (!(problem instanceof WireProblem)) throw problem;
  }
}

/** Seconds, or a date. */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,6}$/.test(header)) return Number(header) * 1_000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now());
}

const textOf = (body: Buffer): string => {
  const text = body
    .toString('utf8', 0, 300)
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .trim();
  return text === '' ? '' : `: ${text}`;
};
