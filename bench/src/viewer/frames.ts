// Frames out of a trace of Chromium: how long the main thread was busy in each.
//
//   BeginMainThreadFrame   |           |           |
//   tasks                  ██ █  ███   ████  █     ██
//   busy                   └── 6 ──────┘└── 5 ─────┘
//
// A frame's tasks are those from its begin to the next one's: script, style, layout
// and paint. CPU time is taken where the trace has it: another process on the
// machine is none of the page's work.

export interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Milliseconds, one a frame in which anything was done. */
export function busyByFrame(events: readonly TraceEvent[]): number[] {
  const begins = events.filter(one => one.name === 'BeginMainThreadFrame');
  const main = mostCommonThread(begins);
  if (main === undefined) return [];
  const isMain = (one: TraceEvent): boolean => `${one.pid}/${one.tid}` === main;
  const starts = begins
    .filter(isMain)
    .map(one => one.ts)
    .toSorted((a, b) => a - b);
  const busyUs = starts.map(() => 0);
  for (const task of events) {
    if (task.name !== 'RunTask' || !isMain(task) || task.dur === undefined) continue;
    const frame = starts.findLastIndex(start => start <= task.ts + (task.dur ?? 0) / 2);
    if (frame >= 0) busyUs[frame]! += Math.min(task.dur, task.tdur ?? task.dur);
  }
  return busyUs.map(us => us / 1000).filter(ms => ms > 0);
}

function mostCommonThread(events: readonly TraceEvent[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { pid, tid } of events)
    counts.set(`${pid}/${tid}`, (counts.get(`${pid}/${tid}`) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0];
}

/** Value of rank ceil(q·n). */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}
