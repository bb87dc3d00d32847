// Whose report is it? A file or a webhook's body, told by its shape.

import { decoded, rejected, type Decoded } from '@framescope/protocol';
import { deepgramCall, isDeepgram } from './deepgram.ts';
import { elevenLabsCall, isElevenLabs } from './elevenlabs.ts';
import { isObject, type Json } from './json.ts';
import type { ReportedCall, Vendor } from './report.types.ts';
import { isRetell, retellCall } from './retell.ts';
import { isVapi, vapiCall } from './vapi.ts';

/** Vendors that send a report by webhook. */
export type WebhookVendor = Exclude<Vendor, 'deepgram'>;

interface Reader {
  readonly is: (json: Json) => boolean;
  readonly read: (json: Json) => Decoded<ReportedCall> | undefined;
}

const READERS: Readonly<Record<WebhookVendor, Reader>> = {
  vapi: { is: isVapi, read: vapiCall },
  retell: { is: isRetell, read: retellCall },
  elevenlabs: { is: isElevenLabs, read: elevenLabsCall },
};

/** One call of one vendor; undefined: an event that reports no call. */
export function webhookReport(
  vendor: WebhookVendor,
  json: unknown,
): Decoded<ReportedCall> | undefined {
  if (!isObject(json)) return rejected('', 'expected a JSON object');
  return READERS[vendor].read(json);
}

/** All calls of a file: one report, a list of them, or Deepgram's events. Undefined: no report at all. */
export function reportsOf(json: unknown): Decoded<readonly ReportedCall[]> | undefined {
  const items: readonly unknown[] = Array.isArray(json) ? json : [json];
  if (isDeepgram(items)) {
    const read = deepgramCall(items);
    return read.ok ? decoded([read.value]) : read;
  }
  const calls: ReportedCall[] = [];
  for (const [at, item] of items.entries()) {
    const reader = isObject(item) ? Object.values(READERS).find(one => one.is(item)) : undefined;
    if (reader === undefined) return undefined;
    const read = reader.read(item as Json);
    if (read === undefined) continue;
    if (!read.ok) return items.length > 1 ? { ...read, path: `[${at}].${read.path}` } : read;
    calls.push(read.value);
  }
  return decoded(calls);
}
