// What spans tell of a session: when it was, who took part, which traces belong
// to it. For a user of plain OpenTelemetry this is all there is.

import { ATTR, SCOPE_NAME, SPAN, type Attributes } from '@framescope/protocol';
import { decodeTurnState } from '../recognise/framescope.ts';
import type { SpanTally, StoredSpan } from '../store/store.ts';
import type { SessionData } from './session-data.ts';
import { SessionSources } from './turns/sources.ts';
import { clockKey } from './clock/clock-graph.ts';

const TRACES_MAX = 200;
/** Of a gateway with thousands of pods in one session: the rest is in the traces. */
const RESOURCES_MAX = 64;

export class SessionSpans {
  count = 0;
  startUnixNs = 0n;
  endUnixNs = 0n;
  lastArrivalUnixNs = 0n;
  /** What other programs tell of turns. */
  readonly sources: SessionSources = new SessionSources();
  /** Oldest first. */
  readonly #traceIds = new Set<string>();
  readonly #resources = new Map<string, Attributes>();
  #lastResource: Attributes | undefined;

  add(tally: SpanTally): void {
    if (this.count === 0 || tally.startUnixNs < this.startUnixNs)
      this.startUnixNs = tally.startUnixNs;
    if (this.count === 0 || tally.endUnixNs > this.endUnixNs) this.endUnixNs = tally.endUnixNs;
    if (tally.arrivalUnixNs > this.lastArrivalUnixNs) this.lastArrivalUnixNs = tally.arrivalUnixNs;
    this.count += tally.count;
    for (const traceId of tally.traceIds) this.#addTrace(traceId);
    this.#addResource(tally.resource);
  }

  #addResource(resource: Attributes): void {
    // The tallies of a commit share their resources.
    if (resource === this.#lastResource) return;
    this.#lastResource = resource;
    const identity = JSON.stringify([
      resource[ATTR.serviceName],
      resource[ATTR.serviceInstanceId],
      resource[ATTR.hostName],
    ]);
    if (this.#resources.size < RESOURCES_MAX && !this.#resources.has(identity))
      this.#resources.set(identity, resource);
  }

  /** One of the spans that were counted, whole. */
  addWhole(span: StoredSpan, data: SessionData): void {
    if (span.name === SPAN.turn && ATTR.turnState in span.attributes) addTurnOf(span, data);
    else if (span.scope !== SCOPE_NAME) this.sources.add(span, data);
  }

  #addTrace(traceId: string): void {
    this.#traceIds.delete(traceId);
    this.#traceIds.add(traceId);
    if (this.#traceIds.size > TRACES_MAX)
      this.#traceIds.delete(this.#traceIds.values().next().value ?? '');
  }

  traceIds(): string[] {
    return [...this.#traceIds];
  }

  resources(): Attributes[] {
    return [...this.#resources.values()];
  }
}

/** A turn's final state rides on its span too: one that came by another exporter is not lost. */
function addTurnOf(span: StoredSpan, data: SessionData): void {
  const { attributes } = span;
  const text = attributes[ATTR.turnState];
  const domain = attributes[ATTR.clockDomain];
  const zero = attributes[ATTR.clockZeroUnixNs];
  if (typeof text !== 'string' || typeof domain !== 'string') return;
  if (typeof zero !== 'string' || !/^-?\d{1,19}$/.test(zero)) return;
  const state = decodeTurnState(text, ATTR.turnState);
  if (!state.ok) {
    return data.refuse('unreadable turn state');
  }
  const epoch = Number(attributes[ATTR.clockEpoch] ?? 0);
  if (!Number.isSafeInteger(epoch)) return;
  data.clocks.note({ domain, epoch, zeroUnixNs: BigInt(zero) });
  const producer = attributes[ATTR.producer];
  data.addTurn({
    state: state.value,
    clock: clockKey(domain, epoch),
    producer: typeof producer === 'string' ? producer : undefined,
    source: 'framescope',
  });
}
