// The caller: as many calls at once as asked for, one after the other in each
// place. Its clock is off by design (--skew-ms, --drift-ppm): one machine has
// one monotonic clock, so the difference between two has to be put in.

import { setTimeout as pause } from 'node:timers/promises';
import { Call } from './client/call.ts';
import { FRAME_MS } from './common/audio.ts';
import { durationMs, skewOf, slowness, type Options } from './common/options.ts';
import { runProgram, type Running } from './common/process.ts';
import { loadClips, type Clip } from './common/script.ts';
import type { OpenWire, Wires } from './common/wire.ts';

const BETWEEN_CALLS_MS = 1_000;
/** Concurrent calls do not all begin at once. */
const STAGGER_MS = 370;
const AFTER_FAILURE_MS = 2_000;
/** Of a spike: when it comes, and how fast. */
const SPIKE_AT_MS = 15_000;
const SPIKE_STAGGER_MS = 20;
const BEFORE_SPIKE = 0.1;

class Caller {
  readonly #options: Options;
  readonly #openWire: OpenWire;
  readonly #clips: readonly Clip[];
  readonly #stopping = new AbortController();
  readonly #live = new Set<Call>();
  readonly #runId = Date.now().toString(36);
  #callCount = 0;

  constructor(options: Options, openWire: OpenWire) {
    this.#options = options;
    this.#clips = loadClips(options.brief);
    this.#openWire = openWire;
  }

  async run(): Promise<void> {
    const { calls, duration } = this.#options;
    const timer = duration > 0 ? setTimeout(() => this.stop(), duration * 1000) : undefined;
    await Promise.all(Array.from({ length: calls }, (_, place) => this.#runPlace(place)));
    clearTimeout(timer);
  }

  /** Hangs up everywhere; `run` then ends by itself. */
  stop(): void {
    this.#stopping.abort();
    for (const call of this.#live) call.hangUp();
  }

  async #runPlace(place: number): Promise<void> {
    await this.#wait(this.#startMs(place));
    while (!this.#stopping.signal.aborted) {
      await this.#oneCall();
      if (!this.#options.loop) return;
      await this.#wait(BETWEEN_CALLS_MS);
    }
  }

  #startMs(place: number): number {
    const { calls, spike } = this.#options;
    const early = Math.ceil(calls * BEFORE_SPIKE);
    if (!spike || place < early) return place * STAGGER_MS;
    return SPIKE_AT_MS + (place - early) * SPIKE_STAGGER_MS;
  }

  async #oneCall(): Promise<void> {
    const number = this.#callCount;
    this.#callCount += 1;
    try {
      const call = await Call.start(this.#callOptions(number));
      this.#live.add(call);
      if (this.#stopping.signal.aborted) call.hangUp();
      process.stdout.write(`${await call.finished()}\n`);
      this.#live.delete(call);
    } catch (error) {
      process.stderr.write(`${String(error)}\n`);
      if (this.#options.loop) await this.#wait(AFTER_FAILURE_MS);
      else process.exitCode = 1;
    }
  }

  #callOptions(number: number): Parameters<typeof Call.start>[0] {
    const options = this.#options;
    const { offsetMs, driftPpm } = skewOf(options);
    const edges = options.edge.split(',');
    const buffer = options['jitter-buffer'];
    return {
      session: ['call', options.region, this.#runId, number + 1]
        .filter(one => one !== '')
        .join('-'),
      edgeUrls: edges.map((_, at) => edges[(number + at) % edges.length] ?? ''),
      chunkFrames: durationMs(options.chunk) / FRAME_MS,
      bufferMs: buffer.startsWith('fixed:') ? Number(buffer.slice('fixed:'.length)) : undefined,
      seed: options.seed + number,
      turns: options.turns,
      bargesIn: options.brief ? 'always' : options['barge-in'] ? 'often' : 'never',
      slowMs: slowness(options, 'client', options.seed + number)(),
      nowMs: () => performance.now() * (1 + driftPpm / 1e6) + offsetMs,
      openWire: this.#openWire,
      clips: this.#clips,
    };
  }

  async #wait(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}

function start(options: Options, { open: openWire }: Wires): Promise<Running> {
  if (options.edge === '') throw new Error('Give the address of the edge relay: --edge ws://…');
  const caller = new Caller(options, openWire);
  const finished = caller.run();
  const stop = async (): Promise<void> => {
    caller.stop();
    await finished;
  };
  return Promise.resolve({ url: options.edge, stop, finished });
}

runProgram('client', start);
