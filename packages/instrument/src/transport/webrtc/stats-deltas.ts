// `getStats` counts since the beginning; what is worth telling is what happened
// between two looks. Means over the interval, never the truth of one frame.

import { durationNs, NS_PER_S, type DurationNs, type MediaFigures } from '@framescope/protocol';
import { numberAt, textAt } from '../../adapters/common/foreign.ts';

type Report = Iterable<unknown>;
type Entry = Readonly<Record<string, unknown>>;

/** One report as the entries that matter, by type. */
class Look {
  readonly #byType = new Map<string, Entry>();

  constructor(report: Report) {
    for (const entry of report) {
      const type = textAt(entry, 'type');
      if (type === undefined || !isOfAudio(entry)) continue;
      const isBetter = type === 'candidate-pair' ? isInUse(entry) : !this.#byType.has(type);
      if (isBetter) this.#byType.set(type, entry as Entry);
    }
  }

  number(type: string, field: string): number | undefined {
    return numberAt(this.#byType.get(type), field);
  }

  id(type: string): string | undefined {
    return textAt(this.#byType.get(type), 'id');
  }
}

const isOfAudio = (entry: unknown): boolean => (textAt(entry, 'kind') ?? 'audio') === 'audio';

const isInUse = (entry: unknown): boolean =>
  textAt(entry, 'state') === 'succeeded' && (numberAt(entry, 'bytesReceived') ?? 0) > 0;

const ns = (seconds: number): DurationNs => durationNs(Math.round(seconds * NS_PER_S));

export class StatsDeltas {
  #before: Look | undefined;

  /** The figures since the last report; `undefined` for the first. Counters that fell begin anew. */
  add(report: Report): MediaFigures | undefined {
    const before = this.#before;
    const now = new Look(report);
    this.#before = now;
    if (before === undefined) return undefined;
    const rise = (type: string, field: string): number | undefined =>
      riseOf(before, now, type, field);
    const figures = {
      jitterBufferNs: meanNs(
        rise('inbound-rtp', 'jitterBufferDelay'),
        rise('inbound-rtp', 'jitterBufferEmittedCount'),
      ),
      jitterBufferTargetNs: meanNs(
        rise('inbound-rtp', 'jitterBufferTargetDelay'),
        rise('inbound-rtp', 'jitterBufferEmittedCount'),
      ),
      playoutNs: meanNs(
        rise('media-playout', 'totalPlayoutDelay'),
        rise('media-playout', 'totalSamplesCount'),
      ),
      rttNs: rttOf(now, rise),
      jitterNs: secondsNs(
        now.number('inbound-rtp', 'jitter') ?? now.number('remote-inbound-rtp', 'jitter'),
      ),
      totalSamples: rise('inbound-rtp', 'totalSamplesReceived'),
      concealedSamples: rise('inbound-rtp', 'concealedSamples'),
      concealmentEvents: rise('inbound-rtp', 'concealmentEvents'),
      insertedSamples: rise('inbound-rtp', 'insertedSamplesForDeceleration'),
      removedSamples: rise('inbound-rtp', 'removedSamplesForAcceleration'),
      synthesizedNs: secondsNs(rise('media-playout', 'synthesizedSamplesDuration')),
      packets: rise('inbound-rtp', 'packetsReceived') ?? rise('outbound-rtp', 'packetsSent'),
      packetsLost: rise('inbound-rtp', 'packetsLost') ?? rise('remote-inbound-rtp', 'packetsLost'),
      packetsDiscarded: rise('inbound-rtp', 'packetsDiscarded'),
    };
    const known = Object.entries(figures).filter(([, value]) => value !== undefined);
    return known.length === 0 ? undefined : (Object.fromEntries(known) as MediaFigures);
  }
}

function riseOf(before: Look, now: Look, type: string, field: string): number | undefined {
  if (before.id(type) !== now.id(type)) return undefined;
  const [was, is] = [before.number(type, field), now.number(type, field)];
  return was === undefined || is === undefined || is < was ? undefined : is - was;
}

const secondsNs = (seconds: number | undefined): DurationNs | undefined =>
  seconds === undefined ? undefined : ns(seconds);

/** Seconds over samples: nothing left, nothing known. */
const meanNs = (seconds: number | undefined, count: number | undefined): DurationNs | undefined =>
  seconds === undefined || count === undefined || count <= 0 ? undefined : ns(seconds / count);

/** What was measured in the interval, by RTCP if there was any; else the last one of ICE. */
function rttOf(
  now: Look,
  rise: (type: string, field: string) => number | undefined,
): DurationNs | undefined {
  for (const type of ['remote-inbound-rtp', 'remote-outbound-rtp']) {
    const mean = meanNs(rise(type, 'totalRoundTripTime'), rise(type, 'roundTripTimeMeasurements'));
    if (mean !== undefined) return mean;
  }
  const pair = meanNs(
    rise('candidate-pair', 'totalRoundTripTime'),
    rise('candidate-pair', 'responsesReceived'),
  );
  if (pair !== undefined) return pair;
  return secondsNs(now.number('candidate-pair', 'currentRoundTripTime'));
}
