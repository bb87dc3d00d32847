// The load generator, a process of its own: sends bodies to a collector and
// prints, as JSON, what was acknowledged and how long it took.
//
//   node load.js '{"url":…,"kind":"spans-protobuf","seconds":5,"connections":8,"bodiesASecond":0}'
//
// A rate of 0 is closed-loop: each connection sends its next body when the last
// one is answered. With a rate the schedule is fixed, and an answer's time counts
// from when its body was due, so that a stall is not hidden by sending less.

import { Agent, request } from 'node:http';
import { recordBodies } from './record-bodies.ts';
import { SpanBodies, SPANS_A_BODY } from './span-bodies.ts';

export interface LoadOptions {
  readonly url: string;
  readonly kind: 'spans-protobuf' | 'spans-json' | 'records';
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  /** 0: as fast as answers come. */
  readonly bodiesASecond: number;
  readonly seed: number;
}

export interface LoadResult {
  /** Acknowledged in the measured time: spans, or marks. */
  readonly items: number;
  readonly bodies: number;
  /** Acknowledged in all, warm-up included. */
  readonly itemsInAll: number;
  readonly seconds: number;
  readonly refused: number;
  readonly ackMsP50: number;
  readonly ackMsP99: number;
  readonly cpuSeconds: number;
  /** A trace of each of the last bodies that were acknowledged; of spans only. */
  readonly lastTraceIds: readonly string[];
}

/** Of so many of the last bodies. */
const LAST_TRACES = 64;

interface Source {
  readonly contentType: string;
  next(): { readonly bytes: Uint8Array; readonly items: number; readonly traceId?: string };
}

function sourceOf({ kind, seed }: LoadOptions): Source {
  if (kind === 'records') return recordBodies(seed);
  const encoding = kind === 'spans-json' ? 'json' : 'protobuf';
  const bodies = new SpanBodies(encoding, seed);
  return {
    contentType: encoding === 'json' ? 'application/json' : 'application/x-protobuf',
    next: () => ({
      bytes: bodies.next(BigInt(Date.now()) * 1_000_000n),
      items: SPANS_A_BODY,
      traceId: bodies.lastTraceId,
    }),
  };
}

class Load {
  readonly #options: LoadOptions;
  readonly #source: Source;
  readonly #agent: Agent;
  readonly #acksMs: number[] = [];
  #startMs = 0;
  #measureFromMs = 0;
  #endMs = 0;
  #items = 0;
  #bodies = 0;
  #itemsInAll = 0;
  #refused = 0;
  #sent = 0;
  #lastAckMs = 0;
  readonly #lastTraceIds: string[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#source = sourceOf(options);
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  }

  async run(): Promise<LoadResult> {
    const { seconds, warmUpSeconds, connections } = this.#options;
    this.#startMs = performance.now();
    this.#measureFromMs = this.#startMs + warmUpSeconds * 1e3;
    this.#endMs = this.#measureFromMs + seconds * 1e3;
    const cpu = process.cpuUsage();
    await Promise.all(Array.from({ length: connections }, () => this.#connection()));
    this.#agent.destroy();
    const used = process.cpuUsage(cpu);
    const sorted = Float64Array.from(this.#acksMs).toSorted();
    const at = (q: number): number => sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN;
    return {
      items: this.#items,
      bodies: this.#bodies,
      itemsInAll: this.#itemsInAll,
      seconds: (this.#lastAckMs - this.#measureFromMs) / 1e3,
      refused: this.#refused,
      ackMsP50: at(0.5),
      ackMsP99: at(0.99),
      cpuSeconds: (used.user + used.system) / 1e6,
      lastTraceIds: this.#lastTraceIds,
    };
  }

  async #connection(): Promise<void> {
    for (;;) {
      const dueMs = this.#due();
      if (dueMs >= this.#endMs) return;
      const waitMs = dueMs - performance.now();
      if (waitMs > 1) await new Promise(resolve => setTimeout(resolve, waitMs));
      await this.#send(this.#options.bodiesASecond > 0 ? dueMs : performance.now());
    }
  }

  /** When the next body is due. */
  #due(): number {
    const { bodiesASecond } = this.#options;
    if (bodiesASecond === 0) return performance.now();
    return this.#startMs + (this.#sent++ * 1e3) / bodiesASecond;
  }

  async #send(fromMs: number): Promise<void> {
    const { bytes, items, traceId } = this.#source.next();
    const status = await this.#post(bytes);
    const nowMs = performance.now();
    if (status !== 200) {
      this.#refused++;
      await new Promise(resolve => setTimeout(resolve, 20));
      return;
    }
    this.#itemsInAll += items;
    if (traceId !== undefined) this.#lastTraceIds.push(traceId);
    if (this.#lastTraceIds.length > LAST_TRACES) this.#lastTraceIds.shift();
    if (nowMs < this.#measureFromMs) return;
    this.#items += items;
    this.#bodies++;
    this.#lastAckMs = nowMs;
    this.#acksMs.push(nowMs - fromMs);
  }

  #post(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      const sent = request(
        `${this.#options.url}/v1/traces`,
        {
          method: 'POST',
          agent: this.#agent,
          headers: {
            'content-type': this.#source.contentType,
            'content-length': bytes.length,
          },
        },
        response => {
          response.resume();
          response.on('end', () => resolve(response.statusCode ?? 0));
        },
      );
      sent.on('error', reject);
      // Copied: the source writes the next body into the same buffer.
      sent.end(Buffer.from(bytes));
    });
  }
}

const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
console.log(JSON.stringify(await new Load(options).run()));
