// A record is decoded at the door, to be sure of it, and again where its marks are
// joined, a moment later in the same thread. What the door made is kept for then.

import type { RecordPart } from '@framescope/protocol';

const decodedRecords = new WeakMap<Uint8Array, RecordPart>();

export function keepRecord(bytes: Uint8Array, record: RecordPart): void {
  decodedRecords.set(bytes, record);
}

/** What was decoded from these very bytes, once; undefined when they were read from the store. */
export function takeRecord(bytes: Uint8Array): RecordPart | undefined {
  const record = decodedRecords.get(bytes);
  decodedRecords.delete(bytes);
  return record;
}
