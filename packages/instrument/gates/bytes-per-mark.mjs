// Gate: a mark must not allocate. Measured on the built files, through the
// public API: what users call is what is counted.
//
//   node packages/instrument/gates/bytes-per-mark.mjs
//
// The young generation is made larger than the run could fill, so that the heap
// grows by exactly what the loop allocated. Starts itself again with the flags
// that this takes. `--broken` marks with a clock that boxes a BigInt a mark, and must
// fail: a gate that cannot fail guards nothing. `--json` prints figures only.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const FLAGS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
const LIMIT_BYTES_PER_MARK = 0.1;
/** Marks between two flushes: under the capacity of a session's ring. */
const MARKS_PER_RING = 4_000;
const RINGS = 16;
const WARM_UP_ROUNDS = 40;
/** What allocates does so in each of them; a compiler that is late on a busy machine only in the first. */
const BATCHES = 4;

if (globalThis.gc === undefined) {
  const run = spawnSync(
    process.execPath,
    [...FLAGS, fileURLToPath(import.meta.url), ...process.argv.slice(2)],
    { stdio: 'inherit' },
  );
  process.exitCode = run.status ?? 1;
} else {
  await measure();
}

async function measure() {
  const { Framescope, systemClock } = await import('../out/index.node.js');
  const scope = new Framescope({
    serviceName: 'gate',
    tracerProvider: false,
    // Nothing leaves: the timers of the flush never run.
    timers: { after: () => ({ cancel: () => undefined }) },
    http: () => new Promise(() => undefined),
    ...(process.argv.includes('--broken') ? { clock: boxingClock(systemClock()) } : {}),
  });
  const hopsOf = () => {
    const stream = scope.startSession({ id: `gate ${Math.random()}` }).stream('mic');
    return [stream.hop('receive'), stream.hop('decode')];
  };
  for (let round = 0; round < WARM_UP_ROUNDS; round++) markMany(hopsOf());
  const marks = RINGS * MARKS_PER_RING;
  const batch = () => {
    const fresh = Array.from({ length: RINGS }, hopsOf);
    globalThis.gc();
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    const startNs = process.hrtime.bigint();
    for (const hops of fresh) markMany(hops);
    const ns = Number(process.hrtime.bigint() - startNs) / marks;
    return { bytes: (process.memoryUsage().heapUsed - before) / marks, ns };
  };
  const batches = Array.from({ length: BATCHES }, batch);
  const bytes = Math.min(...batches.map(one => one.bytes));
  const ns = Math.min(...batches.map(one => one.ns));
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ bytes, ns }));
    return;
  }
  console.log(
    `${process.version}: ${bytes.toFixed(3)} bytes a mark (limit ${LIMIT_BYTES_PER_MARK}), ${ns.toFixed(0)} ns a mark, ${BATCHES} × ${marks} marks`,
  );
  if (bytes > LIMIT_BYTES_PER_MARK) {
    console.error(
      'A mark allocates: look for a literal, a closure, or a double in a field under src/hot.',
    );
    process.exitCode = 1;
  }
}

function markMany([receive, decode]) {
  for (let i = 0; i < MARKS_PER_RING / 2; i++) {
    receive.mark(320);
    decode.markAt(i * 320, 320);
  }
}

function boxingClock(clock) {
  return {
    domain: clock.domain,
    epoch: 0,
    zeroUnixNs: clock.zeroUnixNs,
    now: () => clock.now(),
    makeColumn: capacity => {
      const column = Array.from({ length: capacity }, () => 0n);
      return {
        stamp: slot => {
          column[slot] = process.hrtime.bigint();
        },
        read: slot => Number(column[slot]),
      };
    },
  };
}
