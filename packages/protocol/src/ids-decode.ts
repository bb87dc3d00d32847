// IDs of foreign JSON, checked.

import type { SpanId, TraceId } from './ids.ts';
import { decoded, rejected, type Decoded } from './result.ts';

/** Reads a trace ID from foreign JSON. Upper-case hex is accepted and folded. */
export function decodeTraceId(raw: unknown, path: string): Decoded<TraceId> {
  const hex = decodeHex(raw, path, 32);
  return hex.ok ? decoded(hex.value as TraceId) : hex;
}

/** Reads a span ID from foreign JSON. Upper-case hex is accepted and folded. */
export function decodeSpanId(raw: unknown, path: string): Decoded<SpanId> {
  const hex = decodeHex(raw, path, 16);
  return hex.ok ? decoded(hex.value as SpanId) : hex;
}

function decodeHex(raw: unknown, path: string, digits: number): Decoded<string> {
  if (typeof raw !== 'string')
    return rejected(path, `expected a string of ${digits} hex digits, got ${typeof raw}`);
  if (raw.length !== digits || !/^[0-9a-f]*$/i.test(raw))
    return rejected(path, `expected ${digits} hex digits, got ${raw.length} characters`);
  if (/^0*$/.test(raw)) return rejected(path, 'all-zero ID');
  return decoded(raw.toLowerCase());
}
