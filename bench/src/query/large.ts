// A store of ten gigabytes, and how long a collector takes to start on it.
//
// One volume is filled by the collector itself, with spans and records as they come; the others
// are copies of it. To a start they are what sixteen full volumes are: files that are opened,
// looked at and indexed in memory. What lists hold is that of one volume.

import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BenchCollector, load, median } from '../ingest/processes.ts';

const FULL_BYTES = 600e6;
const STORE_BYTES = 10e9;
/** Beyond what is made: nothing of it is dropped. */
const CAP = ['--max-size', '12GB'];
const STARTS = 5;
const FILL_SECONDS = 15;

export interface LargeStart {
  /** From the start of the process until it says that it is ready, median. */
  readonly readyMs: number;
  /** Until its first list of sessions is answered, median. */
  readonly listMs: number;
  readonly bytes: number;
}

export async function startOnLargeStore(): Promise<LargeStart> {
  const folder = mkdtempSync(join(tmpdir(), 'framescope-large-'));
  try {
    await fillVolume(folder);
    const bytes = copyVolumes(join(folder, 'volumes'));
    const starts: { ready: number; list: number }[] = [];
    for (let i = 0; i < STARTS; i++) starts.push(await oneStart(folder));
    return {
      readyMs: median(starts.map(one => one.ready)),
      listMs: median(starts.map(one => one.list)),
      bytes,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const volumesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter(name => name.endsWith('.db'))
    .toSorted();

async function fillVolume(folder: string): Promise<void> {
  const collector = new BenchCollector(CAP, folder);
  await collector.ready();
  const kinds = ['spans-protobuf', 'records'] as const;
  const volumes = join(folder, 'volumes');
  const size = (): number =>
    volumesIn(volumes).reduce((sum, name) => sum + statSync(join(volumes, name)).size, 0);
  for (let i = 0; size() < FULL_BYTES; i++)
    await load({
      url: collector.url,
      kind: kinds[i % kinds.length]!,
      seconds: FILL_SECONDS,
      warmUpSeconds: 0,
      connections: 8,
      bodiesASecond: 0,
      seed: i + 1,
    });
  await collector.stop();
}

/** Copies the first volume until there is enough; answers how much there is. */
function copyVolumes(folder: string): number {
  const names = volumesIn(folder);
  const first = join(folder, names[0]!);
  const each = statSync(first).size;
  let bytes = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  let number = Number.parseInt(names.at(-1)!, 10);
  for (; bytes < STORE_BYTES; bytes += each) {
    number++;
    cpSync(first, join(folder, `${String(number).padStart(6, '0')}.db`));
  }
  return bytes;
}

async function oneStart(folder: string): Promise<{ ready: number; list: number }> {
  const startMs = performance.now();
  const collector = await new BenchCollector(CAP, folder).ready();
  const ready = performance.now() - startMs;
  await collector.get('/api/v1/sessions?limit=100');
  const list = performance.now() - startMs;
  await collector.stop();
  return { ready, list };
}
