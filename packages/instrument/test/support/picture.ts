// Records as lines of text: `mic.agent/receive  0-320@20 320-640@40 | late 0-320@60`.

import { hopKey, type FrameRecord } from '@framescope/protocol';

const MS = 1_000_000;
const ms = (ns: number): string => String(Math.round(ns / MS));

/** One line a hop of each record, frames as `start-end@ms`; declared ranges behind a bar. */
export function picture(records: readonly FrameRecord[]): string[] {
  return records.flatMap(record =>
    record.blocks.flatMap(block => [
      ...block.columns.map(column => {
        const frames = Array.from(
          { length: column.length },
          (_, i) => `${column.startTick[i]}-${column.endTick[i]}@${ms(column.atNs[i]!)}`,
        );
        const late = column.late.map(one => `${one.startTick}-${one.endTick}@${ms(one.atNs)}`);
        const key = hopKey({ ...column.hop, stream: block.stream });
        return [key, ...frames, ...(late.length > 0 ? ['| late', ...late] : [])].join(' ');
      }),
      ...block.ranges.map(
        ({ kind, hop, startTick, endTick, atNs }) =>
          `${hopKey({ ...hop, stream: block.stream })} ${kind} ${startTick}-${endTick}@${ms(atNs)}`,
      ),
    ]),
  );
}
