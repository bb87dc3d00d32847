// `livekit.MetricsRecordingHeader`, the first part of an uploaded recording:
//
//   1 room_id · 4 start_time {1 seconds, 2 nanos} · 6 room_name · 8 job_id

import { ProtoReader, WIRE, WireProblem } from '../../decode/proto-reader.ts';

export interface RecordingHeader {
  /** The room's SID, `RM_…`. */
  readonly roomId: string;
  readonly roomName: string;
  readonly jobId: string;
  /** Of the first sample; undefined: not said. */
  readonly startUnixNs: bigint | undefined;
}

/** A text is what is wrong with it. */
export function readRecordingHeader(bytes: Uint8Array): RecordingHeader | string {
  const read = { roomId: '', roomName: '', jobId: '', seconds: 0n, nanos: 0 };
  const from = new ProtoReader(bytes);
  try {
    while (from.next()) {
      if (from.field === 1 && from.wire === WIRE.bytes) read.roomId = from.text();
      else if (from.field === 6 && from.wire === WIRE.bytes) read.roomName = from.text();
      else if (from.field === 8 && from.wire === WIRE.bytes) read.jobId = from.text();
      else if (from.field === 4 && from.wire === WIRE.bytes)
        from.message(() => {
          while (from.next()) {
            if (from.field === 1 && from.wire === WIRE.varint) read.seconds = from.varint64();
            else if (from.field === 2 && from.wire === WIRE.varint) read.nanos = from.varint();
            else from.skip();
          }
        });
      else from.skip();
    }
  } catch (problem) {
    if (!(problem instanceof WireProblem)) throw problem;
    return `the part "header" is not a MetricsRecordingHeader: ${problem.message}`;
  }
  const { roomId, roomName, jobId, seconds, nanos } = read;
  if (roomId === '' && jobId === '' && roomName === '')
    return 'the part "header" names neither a room nor a job: nobody could say whose recording this is';
  const startUnixNs = seconds > 0n ? seconds * 1_000_000_000n + BigInt(nanos) : undefined;
  return { roomId, roomName, jobId, startUnixNs };
}
