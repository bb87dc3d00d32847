// How busy this process is, counted once a second for all of its calls, told in
// one small span `process.load` in a post that leaves anyway: five seconds side by
// side, or at once when something happened. It says nothing of a call, and costs
// the same for one as for a hundred.

import {
  ATTR,
  encodeLoad,
  encodeUtf8,
  LOAD_SPAN,
  murmur3x128,
  NS_PER_MS,
  QUEUES_MAX,
  recordSpanId,
  toHex,
  type LoadFigures,
} from '@framescope/protocol';
import { nameOf } from '../coerce.ts';
import type { LoadMeter, LoadPorts, LoadReporting } from '../ports.ts';

/** Seconds that wait until they are told together. */
const HELD_MAX = 5;
/** A loop this late is heard: told at once. */
const LATE_NS = 100_000_000;

/** Flushes may come twenty times a second; figures of less than this are noise. */
const INTERVAL_NS_MIN = 900_000_000;

export class LoadReporter implements LoadReporting {
  readonly #ports: LoadPorts;
  readonly #makeMeter: () => LoadMeter;
  readonly #traceId: string;
  /** Deepest since the last report, and now. */
  readonly #waiting = new Map<string, { most: number; now: number }>();
  #meter: LoadMeter | undefined;
  #sinceNs = 0;
  #seq = 0;
  /** Counted, not told yet. */
  #held: { readonly toNs: number; readonly figures: LoadFigures }[] = [];
  #heldFromNs = 0;
  #toldCalls = -1;

  constructor(ports: LoadPorts, makeMeter: () => LoadMeter) {
    this.#ports = ports;
    this.#makeMeter = makeMeter;
    this.#traceId = toHex(murmur3x128(encodeUtf8(`load ${ports.producer}`)));
  }

  /** Measures from now on, until `stop`. Starting twice does nothing. */
  start(): void {
    const { clock, problems } = this.#ports;
    if (this.#meter !== undefined) return;
    this.#sinceNs = clock.now();
    this.#meter = problems.guard<LoadMeter | undefined>('load', this.#makeMeter);
  }

  /** What is held is told. */
  stop(): void {
    this.#ports.problems.guard('load', () => this.#tell());
    this.#meter?.stop();
    this.#meter = undefined;
  }

  /** Takes what untyped code hands in; must not throw. */
  gauge(given: string, value: number): void {
    const { problems } = this.#ports;
    if (!(typeof value === 'number' && value >= 0 && value < Infinity))
      return problems.report('bad_argument', 'gauge: a number of 0 or more');
    const name = nameOf(given, 'queue', 'gauge', problems);
    const known = this.#waiting.get(name);
    if (known !== undefined) {
      known.most = Math.max(known.most, value);
      known.now = value;
    } else if (this.#waiting.size < QUEUES_MAX)
      this.#waiting.set(name, { most: value, now: value });
    else problems.report('too_many_gauges', `gauge: at most ${QUEUES_MAX} names a process`);
  }

  /** Tells what was since the last time, if that is long enough ago. Must not throw. */
  flush(): void {
    const { clock, problems } = this.#ports;
    const nowNs = clock.now();
    if (this.#meter === undefined || nowNs - this.#sinceNs < INTERVAL_NS_MIN) return;
    problems.guard('load', () => this.#count(nowNs));
    this.#sinceNs = nowNs;
  }

  #count(nowNs: number): void {
    const waiting: Record<string, number> = {};
    for (const [name, depth] of this.#waiting) {
      waiting[name] = depth.most;
      depth.most = depth.now;
    }
    const calls = this.#ports.open.size;
    const figures: LoadFigures = {
      calls,
      ...this.#meter!.read(),
      ...(this.#waiting.size > 0 ? { waiting } : {}),
    };
    if (this.#held.length === 0) this.#heldFromNs = this.#sinceNs;
    this.#held.push({ toNs: nowNs, figures });
    const isNews = calls !== this.#toldCalls || (figures.lagMaxNs ?? 0) >= LATE_NS;
    if (isNews || this.#held.length >= HELD_MAX) this.#tell();
  }

  #tell(): void {
    const { clock, producer, packer, outbox } = this.#ports;
    const [fromNs, held] = [this.#heldFromNs, this.#held];
    const last = held.at(-1);
    if (last === undefined) return;
    this.#held = [];
    this.#toldCalls = last.figures.calls ?? -1;
    const pieces = held.map(({ toNs, figures }) => ({
      toMs: (toNs - fromNs) / NS_PER_MS,
      figures,
    }));
    this.#seq += 1;
    const bytes = packer.pack([
      {
        name: LOAD_SPAN,
        traceId: this.#traceId,
        spanId: recordSpanId(producer, this.#traceId, this.#seq, 0),
        startUnixNs: clock.zeroUnixNs + BigInt(Math.round(fromNs)),
        endUnixNs: clock.zeroUnixNs + BigInt(Math.round(last.toNs)),
        attributes: {
          [ATTR.producer]: producer,
          [ATTR.clockDomain]: clock.domain,
          [ATTR.load]: encodeLoad(pieces),
        },
      },
    ]);
    // A second of load that nobody took is no loss to a call.
    outbox.enqueue({ recordIds: [], bytes, settled: () => undefined });
  }
}
