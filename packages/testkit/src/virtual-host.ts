// A host of the simulation: a clock that is wrong in a known way, timers on
// virtual time, and a wire that only writes down what leaves.
//
// This is the whole platform of the real instrumentation: it reads no other
// clock, sleeps on no other timer and reaches no network.

import { encodeUtf8, domainNs, NS_PER_MS, unixNs, type DomainNs } from '@framescope/protocol';
import type {
  Clock,
  Http,
  HttpRequest,
  HttpResponse,
  TimeColumn,
  Timers,
} from '@framescope/instrument';
import { Draws, sequence } from './random.ts';
import { type PartyName, type HostSpec } from './scenario.ts';
import { type VirtualTime } from './virtual-time.ts';

/** Every host's clock started so long before the call: its readings are never negative. */
const UPTIME_MS = 3_600_000;
const NS_PER_MS_BIG = BigInt(NS_PER_MS);

/** The collector's clock as probes see it: which domain, and what it reads at true time 0. */
export interface CollectorTime {
  readonly domain: string;
  readonly epoch: number;
  readonly atZeroNs: number;
}

/** One body that left a process. */
export interface SentBody {
  readonly host: PartyName;
  /** True time. */
  readonly atNs: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What the hosts of one call share. */
export interface World {
  readonly time: VirtualTime;
  readonly seed: number;
  /** Unix time of true time 0, ms. */
  readonly startUnixMs: number;
  readonly collector: CollectorTime;
  /** Takes what leaves; false: nobody answers (the process is silenced). */
  readonly send: (body: SentBody) => boolean;
}

/** True time, from the zero of the call, of a reading of a host's clock; not for one that jumps. */
export const trueNsOf = (spec: HostSpec, atNs: number): number =>
  (atNs - UPTIME_MS * NS_PER_MS) / (1 + spec.driftPpm / 1e6);

/** A clock that shows `offsetMs` too much and runs `driftPpm` fast; its domain is its own. */
export function hostClock(world: World, name: PartyName, spec: HostSpec): Clock {
  const rate = 1 + spec.driftPpm / 1e6;
  const uptimeNs = UPTIME_MS * NS_PER_MS;
  let leaptNs = 0;
  const now = (): DomainNs => domainNs(Math.round(uptimeNs + world.time.nowNs * rate) + leaptNs);
  const zero = (): Clock['zeroUnixNs'] =>
    unixNs(BigInt(Math.round(world.startUnixMs + spec.offsetMs - UPTIME_MS)) * NS_PER_MS_BIG);
  let epoch = 0;
  if (spec.jump !== undefined) {
    const { atMs, byMs } = spec.jump;
    world.time.at(atMs * NS_PER_MS, () => {
      leaptNs = Math.round(byMs * NS_PER_MS);
    });
  }
  return {
    domain: domainOf(world.seed, name),
    get epoch() {
      return epoch;
    },
    get zeroUnixNs() {
      return epoch === 0 ? zero() : unixNs(zero() - BigInt(leaptNs));
    },
    now,
    makeColumn: capacity => new VirtualColumn(capacity, now),
    check: () => {
      if (leaptNs === 0 || epoch === 1) return false;
      epoch = 1;
      return true;
    },
  };
}

/** Stamps by calling the clock: in virtual time that costs nothing anyone measures. */
class VirtualColumn implements TimeColumn {
  readonly #atNs: Float64Array;
  readonly #now: () => DomainNs;

  constructor(capacity: number, now: () => DomainNs) {
    this.#atNs = new Float64Array(capacity);
    this.#now = now;
  }

  stamp(slot: number): void {
    this.#atNs[slot] = this.#now();
  }

  read(slot: number): DomainNs {
    return domainNs(this.#atNs[slot]!);
  }
}

/** 16 hex digits, the same for the same seed and name. */
function domainOf(seed: number, name: string): string {
  const draws = new Draws(seed, `domain ${name}`);
  return Array.from({ length: 16 }, (_, digit) =>
    Math.floor(draws.uniform(digit) * 16).toString(16),
  ).join('');
}

const timersOf = (time: VirtualTime): Timers => ({
  after: (delayMs, task) =>
    time.at(time.nowNs + Math.round(delayMs * NS_PER_MS), () => {
      time.wakes();
      task();
    }),
});

/** Ways to the collector and back: unequal, with jitter, so that a probe has an error to bound. */
const PROBE_UP_MS = 2.4;
const PROBE_DOWN_MS = 1.1;
const PROBE_JITTER_MS = 0.4;

function httpOf(world: World, host: PartyName): Http {
  const draws = new Draws(world.seed, `http ${host}`);
  let exchange = 0;
  const delayNs = (baseMs: number): number => {
    exchange += 1;
    return Math.round((baseMs + draws.exponential(exchange, PROBE_JITTER_MS)) * NS_PER_MS);
  };
  const answer = (request: HttpRequest): HttpResponse => {
    const path = new URL(request.url).pathname;
    if (request.method === 'GET') return clockAnswer(world);
    // Triggers are for processes that remember: here they end with their call.
    if (path === '/v1/triggers') return { status: 202, body: new Uint8Array(), isCold: false };
    const { headers, body = new Uint8Array() } = request;
    if (!world.send({ host, atNs: world.time.nowNs, path, headers, body }))
      throw new Error('connect ECONNREFUSED: this process is silenced');
    const isJson = headers['content-type']?.includes('json') ?? false;
    return { status: 200, body: encodeUtf8(isJson ? '{}' : ''), isCold: false };
  };
  return request =>
    new Promise((resolve, reject) => {
      const { time } = world;
      time.at(time.nowNs + delayNs(PROBE_UP_MS), () => {
        try {
          const response = answer(request);
          time.at(time.nowNs + delayNs(PROBE_DOWN_MS), () => {
            time.wakes();
            resolve(response);
          });
        } catch (cause) {
          time.wakes();
          reject(cause);
        }
      });
    });
}

function clockAnswer({ collector, time }: World): HttpResponse {
  const t2 = Math.round(collector.atZeroNs + time.nowNs);
  const { domain, epoch } = collector;
  const body = encodeUtf8(JSON.stringify({ domain, epoch, t1: null, t2, t3: t2 + 20_000 }));
  return { status: 200, body, isCold: false };
}

/** Everything that the instrumentation takes from outside, as its options name it. */
export interface HostPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly http: Http;
  readonly random: () => number;
}

export function hostPorts(world: World, name: PartyName, spec: HostSpec): HostPorts {
  return {
    clock: hostClock(world, name, spec),
    timers: timersOf(world.time),
    http: httpOf(world, name),
    random: sequence(world.seed, `random ${name}`),
  };
}
