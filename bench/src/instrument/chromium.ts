// Marks of a call in a real Chromium, as they were recorded: bench/recordings.

import { readFileSync } from 'node:fs';
import { decodeRecord, type FrameRecord } from '@framescope/protocol';
import { flushesOf } from './otlp-reader.ts';

const RECORDING = new URL('../../recordings/chromium-marks.json', import.meta.url);

interface Recording {
  /** What recorded it, with which command, when. */
  readonly header: { readonly command: string; readonly contentType: string };
  readonly bodies: readonly string[];
}

/** @throws when the recording does not say how it came to be, or cannot be read. */
export function chromiumRecords(): FrameRecord[] {
  const { header, bodies } = JSON.parse(readFileSync(RECORDING, 'utf8')) as Recording;
  if (!header?.command) throw new Error('chromium-marks.json has no header: record it anew');
  return bodies
    .flatMap(body => flushesOf(Buffer.from(body, 'base64'), header.contentType))
    .flatMap(({ record }) => {
      if (record === undefined) return [];
      const read = decodeRecord(record);
      if (!read.ok) throw new Error(`${read.path}: ${read.problem}`);
      return [read.value];
    });
}
