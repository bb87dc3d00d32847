// Sessions of plain OpenTelemetry: nothing but spans that carry `session.id`.
//
// What can be told of such a call is when it was, which services took part and
// how much they said; it has no streams, and its turns are unknown.

import {
  ATTR,
  type Attributes,
  type ProcessDetail,
  type SessionDetail,
  type SessionStatus,
} from '@framescope/protocol';
import type { CommittedBatch, DerivedRows, RawSession, StoredSpan } from '../store/store.ts';
import type { Assembled, Assembler, Change } from './assembler.ts';

const SECOND_NS = 1_000_000_000n;

/** Without an announced flush period nobody can say that a call broke off: it is quiet, then over. */
const IDLE_AFTER_NS: bigint = 60n * SECOND_NS;
const ENDED_AFTER_NS: bigint = 3_600n * SECOND_NS;

const TRACES_SHOWN_MAX = 200;

/** Of an LLM gateway with thousands of pods in one session: the rest is in the traces. */
const PROCESSES_MAX = 64;

/** Attributes of a resource that tell calls apart. */
const SESSION_ATTRIBUTES: readonly string[] = [
  ATTR.cloudRegion,
  'service.version',
  'deployment.environment.name',
];

class PlainSession {
  readonly key: string;
  readonly id: string;
  readonly #processes = new Map<string, ProcessDetail>();
  readonly #services = new Set<string>();
  readonly #traceIds = new Set<string>();
  #attributes: Attributes = {};
  #zeroUnixNs: bigint | undefined;
  #startUnixNs = 0n;
  #endUnixNs = 0n;
  #spanCount = 0;
  #commit = 0;
  lastArrivalUnixNs = 0n;
  /** As last told; a session that did not change is not written again. */
  status: SessionStatus = 'live';
  hasChanged = true;

  constructor(key: string, id: string) {
    this.key = key;
    this.id = id;
  }

  add(spans: readonly StoredSpan[], commit: number): void {
    for (const span of spans) this.#addSpan(span);
    this.#commit = Math.max(this.#commit, commit);
    this.#zeroUnixNs ??= this.#startUnixNs;
    this.hasChanged = true;
  }

  #addSpan(span: StoredSpan): void {
    const isFirst = this.#spanCount === 0;
    if (isFirst || span.startUnixNs < this.#startUnixNs) this.#startUnixNs = span.startUnixNs;
    if (isFirst || span.endUnixNs > this.#endUnixNs) this.#endUnixNs = span.endUnixNs;
    this.#spanCount++;
    this.#traceIds.delete(span.traceId);
    this.#traceIds.add(span.traceId);
    if (this.#traceIds.size > TRACES_SHOWN_MAX)
      this.#traceIds.delete(this.#traceIds.values().next().value ?? '');
    this.#addResource(span.resource.attributes);
    if (span.arrivalUnixNs > this.lastArrivalUnixNs) this.lastArrivalUnixNs = span.arrivalUnixNs;
  }

  #addResource(resource: Attributes): void {
    const service = textOf(resource, ATTR.serviceName) ?? 'unknown_service';
    const instance = textOf(resource, ATTR.serviceInstanceId);
    const host = textOf(resource, ATTR.hostName);
    const identity = JSON.stringify([service, instance, host]);
    if (this.#processes.has(identity) || this.#processes.size >= PROCESSES_MAX) return;
    this.#services.add(service);
    this.#processes.set(identity, {
      service,
      instance,
      host,
      zone: textOf(resource, ATTR.cloudZone),
      region: textOf(resource, ATTR.cloudRegion),
      clock: UNKNOWN_CLOCK,
    });
    const named = SESSION_ATTRIBUTES.filter(name => name in resource);
    const shown = Object.fromEntries(named.map(name => [name, resource[name] ?? null]));
    this.#attributes = { ...shown, ...this.#attributes };
  }

  statusAt(nowUnixNs: bigint): SessionStatus {
    const silenceNs = nowUnixNs - this.lastArrivalUnixNs;
    if (silenceNs > ENDED_AFTER_NS) return 'ended';
    return silenceNs > IDLE_AFTER_NS ? 'idle' : 'live';
  }

  derived(): DerivedRows {
    return {
      sessionKey: this.key,
      coveredCommit: this.#commit,
      revision: 0,
      session: this.#detail(),
      replace: 'given',
      turns: [],
      values: [],
      rollups: [],
    };
  }

  #detail(): SessionDetail {
    const zeroUnixNs = this.#zeroUnixNs ?? this.#startUnixNs;
    return {
      key: this.key,
      id: this.id,
      status: this.status,
      startUnixNs: String(this.#startUnixNs),
      endUnixNs: String(this.#endUnixNs),
      attributes: this.#attributes,
      services: [...this.#services],
      synthetic: null,
      spanCount: this.#spanCount,
      turnCount: 0,
      voiceToVoice: null,
      worstTurn: null,
      overBudgetCount: 0,
      bargeInCount: 0,
      frames: { expected: 0, lost: 0, late: 0, concealed: 0 },
      strip: [],
      zeroUnixNs: String(zeroUnixNs),
      durationNs: Number(this.#endUnixNs - this.#startUnixNs),
      streams: [],
      processes: [...this.#processes.values()],
      budgets: [],
      traceIds: [...this.#traceIds],
      dropped: {},
    };
  }
}

export class PlainAssembler implements Assembler {
  readonly #sessions = new Map<string, PlainSession>();

  has(sessionKey: string): boolean {
    return this.#sessions.has(sessionKey);
  }

  restore(raw: RawSession): void {
    if (raw.spans.length === 0) return;
    this.#of(raw.key, raw.id).add(raw.spans, raw.lastCommit);
  }

  ingest(batch: CommittedBatch): void {
    for (const { key, id } of batch.sessions) {
      const spans = batch.spans.filter(span => span.sessionKey === key);
      if (spans.length > 0) this.#of(key, id).add(spans, batch.commit);
    }
  }

  #of(key: string, id: string): PlainSession {
    let session = this.#sessions.get(key);
    if (!session) {
      session = new PlainSession(key, id);
      this.#sessions.set(key, session);
    }
    return session;
  }

  tick(nowUnixNs: bigint): Assembled {
    const derived: DerivedRows[] = [];
    const changes: Change[] = [];
    for (const session of this.#sessions.values()) {
      const status = session.statusAt(nowUnixNs);
      if (!session.hasChanged && status === session.status) continue;
      session.status = status;
      session.hasChanged = false;
      derived.push(session.derived());
      changes.push({ type: 'session', sessionKey: session.key });
      // Over: should its ID come back within the hour's slack, it is read from the store again.
      if (status === 'ended') this.#sessions.delete(session.key);
    }
    return { derived, changes };
  }
}

const UNKNOWN_CLOCK: ProcessDetail['clock'] = {
  domain: '',
  epoch: 0,
  offsetNs: null,
  driftPpm: null,
  errorNs: null,
  sampleCount: 0,
  source: 'wall clock',
  faultCount: 0,
};

function textOf(attributes: Attributes, name: string): string | null {
  const value = attributes[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
