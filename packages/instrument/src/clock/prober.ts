// Clock probes: four stamps with the collector, while a session is open. Every
// sample is handed on raw; the collector chooses.
//
// Four a second in the first half minute, then one: of a few exchanges the least
// round trip is luck, and the collector has to call a lucky one a slew to be on
// the safe side, which makes the bound of a young call three times as wide. A
// session that begins later starts with what was measured before it.
//
// A collector on the same clock (one host) is no peer: its samples say nothing.
//
// An answer over a fresh connection is thrown away: its way there included
// handshakes, which makes the two ways unequal. Platforms that cannot say
// (browsers) lose the first answer after each silence instead.

import { decodeUtf8, domainNs, type ClockSample } from '@framescope/protocol';
import type { Clock, Http, Timer, Timers } from '../ports.ts';

const PROBE_MS = 1_000;
const FIRST_PROBE_MS = 250;
const FIRST_COUNT = 120;
/** Samples that a session starts with: a minute of one a second. */
const RECENT_MAX = 60;
/** A collector that does not answer is asked less often, up to this. */
const PROBE_MS_MAX = 30_000;
const TIMEOUT_MS = 5_000;

export interface ProberPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly http: Http;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What else is asked with a probe, as the rest of its query. */
  readonly query: () => string;
  /** Takes the `triggers` of an answer; must not throw. */
  readonly heard: (triggers: unknown) => void;
}

export class Prober {
  readonly #ports: ProberPorts;
  readonly #take: (sample: ClockSample) => void;
  #timer: Timer | undefined;
  #isRunning = false;
  #isWarm = false;
  #failures = 0;
  #count = 0;
  #recent: ClockSample[] = [];
  /** Of the recent samples. */
  #recentEpoch = 0;

  /** @param take Gets each sample, off the audio path. */
  constructor(ports: ProberPorts, take: (sample: ClockSample) => void) {
    this.#ports = ports;
    this.#take = take;
  }

  /** The last samples of the clock as it runs now, oldest first. */
  recent(): readonly ClockSample[] {
    return this.#recentEpoch === this.#ports.clock.epoch ? this.#recent : [];
  }

  /** Probes from now on, until `stop`. Starting twice does nothing. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#probe();
  }

  stop(): void {
    this.#isRunning = false;
    this.#isWarm = false;
    this.#count = 0;
    this.#recent = [];
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #probe(): Promise<void> {
    const { clock, http, url, headers, query, heard } = this.#ports;
    const { epoch } = clock;
    const t1 = clock.now();
    try {
      const answer = await http({
        method: 'GET',
        url: `${url}?t1=${t1}${query()}`,
        headers,
        timeoutMs: TIMEOUT_MS,
      });
      const t4 = clock.now();
      const told = answer.status === 200 ? answerOf(answer.body) : undefined;
      const sample = told === undefined ? undefined : sampleOf(told, t1, t4);
      if (told?.['triggers'] !== undefined) heard(told['triggers']);
      this.#failures = sample === undefined ? this.#failures + 1 : 0;
      // A leap between the two readings would be taken for a way of its length.
      clock.check?.();
      const isGood = this.#isWarm && answer.isCold !== true && epoch === clock.epoch;
      this.#isWarm = sample !== undefined;
      if (sample !== undefined && isGood && sample.peer !== clock.domain) this.#keep(sample);
    } catch {
      // No answer is no news: the exporter tells of an unreachable collector.
      this.#isWarm = false;
      this.#failures += 1;
    }
    this.#again();
  }

  #keep(sample: ClockSample): void {
    const { epoch } = this.#ports.clock;
    if (epoch !== this.#recentEpoch) this.#recent = [];
    this.#recentEpoch = epoch;
    if (this.#recent.push(sample) > RECENT_MAX) this.#recent.shift();
    this.#count += 1;
    this.#take(sample);
  }

  #again(): void {
    if (!this.#isRunning) return;
    const isFirst = this.#failures === 0 && this.#count > 0 && this.#count < FIRST_COUNT;
    const everyMs = isFirst ? FIRST_PROBE_MS : PROBE_MS;
    const delayMs = Math.min(everyMs * 2 ** Math.min(this.#failures, 5), PROBE_MS_MAX);
    this.#timer?.cancel();
    this.#timer = this.#ports.timers.after(delayMs, () => {
      if (this.#isRunning) void this.#probe();
    });
  }
}

/** 32 triggers of 300 bytes, and the four stamps. */
const ANSWER_BYTES_MAX = 16_384;

function answerOf(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  if (body.length > ANSWER_BYTES_MAX) return undefined;
  const raw: unknown = JSON.parse(decodeUtf8(body));
  return typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : undefined;
}

/** Reads `{ domain, epoch, t2, t3 }`; `undefined` for anything else. */
function sampleOf(
  told: Readonly<Record<string, unknown>>,
  t1: number,
  t4: number,
): ClockSample | undefined {
  const { domain, epoch, t2, t3 } = told;
  if (typeof domain !== 'string' || !/^[0-9a-f]{16}$/.test(domain)) return undefined;
  if (!isWhole(epoch) || !isWhole(t2) || !isWhole(t3)) return undefined;
  return {
    peer: domain,
    peerEpoch: epoch,
    t1: domainNs(t1),
    t2: domainNs(t2),
    t3: domainNs(t3),
    t4: domainNs(t4),
  };
}

const isWhole = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value);
