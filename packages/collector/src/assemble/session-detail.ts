// A session as it is listed and shown, from what was assembled of it.

import {
  ATTR,
  type Attributes,
  type ClockDetail,
  type FrameCounts,
  type Handover,
  type HopDetail,
  type ProcessDetail,
  type SessionDetail,
  type SessionStatus,
  type SessionTopology,
  type StreamDetail,
  type Turn,
  type VendorLeg,
  type WaitDefinition,
} from '@framescope/protocol';
import { quantilesOf } from '../query/kaplan-meier.ts';
import type { HopFigures } from '../rollup/hop-totals.ts';
import type { ValueRow } from '../store/store.ts';
import {
  driftPpm,
  wallOffsetNs,
  WALL_CLOCK_ERROR_NS,
  type ClockMap,
} from './clock/session-clocks.ts';
import type { HopFrames, StreamFrames } from './frames/stream-frames.ts';
import { serviceOf, textOf, type Process, type SessionData } from './session-data.ts';
import type { SessionSpans } from './session-spans.ts';
import type { KeptTopology } from './topology/kept.ts';
import { remember } from './topology/reconnects.ts';
import { topologyOf } from './topology/topology.ts';
import { asksVendors, vendorsOf } from './topology/vendors.ts';
import { setupWait } from './turns/set-up.ts';
import { featuresOfSession } from './turns/session-features.ts';

export interface DetailInput {
  readonly key: string;
  readonly id: string;
  readonly status: SessionStatus;
  readonly data: SessionData;
  readonly spans: SessionSpans;
  readonly streams: readonly StreamFrames[];
  /** Of every hop. */
  readonly figures: ReadonlyMap<HopFrames, HopFigures>;
  readonly kept: KeptTopology;
  readonly nowUnixNs: bigint;
  /** Those known before; the ones found now are added. */
  readonly handovers: Map<string, Handover>;
  readonly turns: readonly Turn[];
  /** Those of them that changed since they were told. */
  readonly newTurns: readonly Turn[];
  /** Round trip to a service that is traced itself. */
  readonly wayTo: (service: string) => number | undefined;
  readonly values: readonly ValueRow[];
  readonly budgets: Readonly<Record<string, number>>;
  readonly revision: number;
  /** Clock faults of turns; those of frames are in their hops. */
  readonly faultCount: number;
  /** Session time of the first and last data. */
  readonly startNs: number;
  readonly endNs: number;
}

const STRIP_MAX = 100;

export function sessionDetail(input: DetailInput): SessionDetail {
  const { data, turns, spans, startNs, endNs } = input;
  const processes = processesOf(input);
  const attributes = attributesOf(data, spans, featuresOfSession(turns));
  const synthetic = attributes[ATTR.synthetic];
  const topology = topologyNow(input, processes.indexOf);
  remember(input.handovers, topology.handovers);
  const handovers = [...input.handovers.values()].toSorted((a, b) => a.atNs - b.atNs);
  return {
    key: input.key,
    id: input.id,
    status: input.status,
    startUnixNs: String(data.zeroUnixNs + BigInt(startNs)),
    endUnixNs: String(data.zeroUnixNs + BigInt(endNs)),
    attributes,
    services: [...new Set(processes.details.map(one => one.service))],
    synthetic: typeof synthetic === 'string' ? synthetic : null,
    spanCount: spans.count,
    turnCount: turns.length,
    ...waitFigures(input),
    bargeInCount: turns.filter(turn => turn.bargeIn?.outcome === 'interrupted').length,
    frames: totalFrames(input),
    strip: stripOf(turns),
    zeroUnixNs: String(data.zeroUnixNs),
    durationNs: endNs - startNs,
    streams: input.streams.map(stream => streamDetail(stream, input, processes.indexOf)),
    processes: processes.details,
    budgets: Object.entries(input.budgets).map(([measure, limitNs]) => ({ measure, limitNs })),
    traceIds: spans.traceIds(),
    dropped: droppedOf(data),
    ...(spans.sources.isEmpty ? {} : { sources: spans.sources.details() }),
    ...setupOf(input),
    topology: { ...topology, handovers },
    handovers,
  };
}

function topologyNow(input: DetailInput, processOf: (producer: string) => number): SessionTopology {
  const { data, streams, turns } = input;
  const authority = data.authority();
  const asker = authority === undefined ? 0 : processOf(authority.producer);
  const vendors = (): VendorLeg[] => vendorsOf(turns, asker, input.wayTo);
  const moment = {
    data,
    isLive: input.status === 'live',
    nowUnixNs: input.nowUnixNs,
    hasAsked: input.newTurns.some(asksVendors),
  };
  const topology = (): SessionTopology => topologyOf(streams, data, { processOf, vendors });
  return input.kept.next(moment, { topology, vendors });
}

/** The set-up as the greeting's ledger has it; of a call that nobody greets its own. */
function setupOf({ data, turns, revision }: DetailInput): Pick<SessionDetail, 'setup'> {
  if (data.setup.isEmpty) return {};
  const greeted = turns.flatMap(turn => turn.waits).find(wait => wait.kind === 'greeting');
  const setup = greeted ?? setupWait(data, revision);
  return setup?.definition === 'setup' ? { setup } : {};
}

/** What the authority says of the session wins over others, that over frameworks, and that over resources. */
function attributesOf(data: SessionData, spans: SessionSpans, features: Attributes): Attributes {
  const fromResources: Record<string, string> = {};
  const resources = [
    ...[...data.processes.values()].map(one => one.resource),
    ...spans.resources(),
  ];
  for (const resource of resources)
    for (const name of RESOURCE_ATTRIBUTES) {
      const value = textOf(resource, name);
      if (value !== null) fromResources[name] ??= value;
    }
  const said = [...data.processes.values()].flatMap(one => (one.session ? [one.session] : []));
  const inOrder = said.toSorted((a, b) => Number(a.authority) - Number(b.authority));
  return Object.assign(
    {},
    fromResources,
    features,
    spans.sources.attributes(),
    ...inOrder.map(one => one.attributes),
  ) as Attributes;
}

/** Attributes of a resource that tell calls apart. */
const RESOURCE_ATTRIBUTES: readonly string[] = [
  ATTR.cloudRegion,
  'service.version',
  'deployment.environment.name',
];

interface Processes {
  readonly details: readonly ProcessDetail[];
  readonly indexOf: (producer: string) => number;
}

function processesOf({ data, spans, streams, faultCount, figures }: DetailInput): Processes {
  const all = [...data.processes.values()];
  const faults = (producer: string): number =>
    streams
      .flatMap(stream => stream.hops)
      .reduce(
        (sum, hop) => sum + (hop.producer === producer ? figures.get(hop)!.faultCount : 0),
        0,
      );
  const authority = data.authority();
  const ours = all.map(one =>
    processDetail(
      one.resource,
      clockDetail(one, data, faults(one.producer) + (one === authority ? faultCount : 0)),
    ),
  );
  const names = new Set(ours.map(one => `${one.service} ${one.instance}`));
  const others = spans
    .resources()
    .map(resource => processDetail(resource, UNKNOWN_CLOCK))
    .filter(one => !names.has(`${one.service} ${one.instance}`));
  return {
    details: [...ours, ...others],
    indexOf: producer =>
      Math.max(
        0,
        all.findIndex(one => one.producer === producer),
      ),
  };
}

const processDetail = (resource: Attributes, clock: ClockDetail): ProcessDetail => ({
  service: serviceOf(resource),
  instance: textOf(resource, ATTR.serviceInstanceId),
  host: textOf(resource, ATTR.hostName),
  zone: textOf(resource, ATTR.cloudZone),
  region: textOf(resource, ATTR.cloudRegion),
  clock,
});

const UNKNOWN_CLOCK: ClockDetail = {
  domain: '',
  epoch: 0,
  offsetNs: null,
  driftPpm: null,
  errorNs: null,
  sampleCount: 0,
  source: 'wall clock',
  faultCount: 0,
};

function clockDetail(process: Process, data: SessionData, faultCount: number): ClockDetail {
  const map = data.clocks.map(process.clock);
  const { correction, name } = map;
  const atNs = correction.sampleCount > 0 ? correction.lastNs : process.lastRawNs;
  return {
    domain: name.domain,
    epoch: name.epoch,
    offsetNs: map.isPlaced ? wallOffsetNs(map, atNs, data.zeroUnixNs) : null,
    driftPpm: driftPpm(map),
    errorNs: absoluteErrorNs(map, atNs),
    sampleCount: correction.sampleCount,
    source: map.source,
    faultCount: faultCount + correction.faultCount,
  };
}

/** How wrong a corrected time of this clock is on the collector's wall clock. */
export const absoluteErrorNs = (map: ClockMap, rawNs: number): number =>
  Math.ceil(map.boundNs(rawNs)) + (map.isPlaced ? 0 : WALL_CLOCK_ERROR_NS);

function streamDetail(
  { name, direction, sampleRate, hops, declared }: StreamFrames,
  input: DetailInput,
  indexOf: (producer: string) => number,
): StreamDetail {
  const details = hops.map(hop => hopDetail(hop, input, indexOf));
  const media = input.data.media.of(name, input.data.clocks);
  const known = { name, direction, sampleRate, hops: details };
  const lineage = input.data.lineage.of(name, declared, input.data.clocks);
  return {
    ...known,
    ...(media.length === 0 ? {} : { media }),
    ...(lineage === undefined ? {} : { lineage }),
  };
}

function hopDetail(
  hop: HopFrames,
  { figures }: DetailInput,
  indexOf: (producer: string) => number,
): HopDetail {
  const own = figures.get(hop)!;
  return {
    key: hop.key,
    stream: hop.key.slice(0, hop.key.lastIndexOf('.', hop.key.indexOf('/'))),
    role: hop.role,
    name: hop.name,
    process: indexOf(hop.producer),
    watermarkTick: hop.watermarkTick,
    frameTicks: own.frameTicks,
    markCount: own.markCount,
    frames: own.frames,
    latency: own.quantiles,
    errorNs: absoluteErrorNs(hop.clock, own.lastRawNs),
    budgetNs: hop.budgetNs,
  };
}

/** Each frame once: expected where its stream begins, lost, late or concealed wherever that was. */
function totalFrames({ streams, figures }: DetailInput): FrameCounts {
  const total = { expected: 0, lost: 0, late: 0, concealed: 0 };
  for (const { hops } of streams) {
    for (const hop of hops) {
      const { markCount, frames } = figures.get(hop)!;
      if (hop.bareKey === hops[0]!.bareKey) total.expected += markCount;
      total.lost += frames.lost;
      total.late += frames.late;
      total.concealed += frames.concealed;
    }
  }
  return total;
}

const FAMILY = 'voice_to_voice.';

function waitFigures({
  values,
  turns,
}: DetailInput): Pick<SessionDetail, 'voiceToVoice' | 'worstTurn' | 'overBudgetCount'> {
  const byDefinition = new Map<WaitDefinition, ValueRow[]>();
  for (const value of values) {
    if (!value.measure.startsWith(FAMILY)) continue;
    const definition = value.measure.slice(FAMILY.length) as WaitDefinition;
    const same = byDefinition.get(definition);
    if (same === undefined) byDefinition.set(definition, [value]);
    else same.push(value);
  }
  // Best covered first; at equal cover the widest, which is named first.
  const [best] = [...byDefinition].toSorted((a, b) => b[1].length - a[1].length);
  const responses = turns.flatMap(turn =>
    turn.waits
      .filter(wait => wait.kind === 'response' && wait.outcome !== 'open')
      .map(wait => ({ tick: turn.tick, waitNs: wait.waitNs })),
  );
  const worst = responses.reduce<(typeof responses)[number] | null>(
    (most, one) => (most === null || one.waitNs > most.waitNs ? one : most),
    null,
  );
  return {
    voiceToVoice: best === undefined ? null : { ...quantilesOf(best[1]), definition: best[0] },
    worstTurn: worst,
    overBudgetCount: best === undefined ? 0 : best[1].filter(one => one.isOverBudget).length,
  };
}

function stripOf(turns: readonly Turn[]): SessionDetail['strip'] {
  return turns.slice(-STRIP_MAX).map(turn => {
    const wait = turn.waits.find(one => one.kind === 'response') ?? turn.waits[0];
    return {
      tick: turn.tick,
      startNs: turn.startNs,
      waitNs: wait === undefined ? null : wait.waitNs,
      outcome: wait?.outcome ?? 'none',
    };
  });
}

function droppedOf(data: SessionData): Record<string, number> {
  const dropped: Record<string, number> = {};
  const add = (reason: string, n: number): void => {
    if (n > 0) dropped[reason] = (dropped[reason] ?? 0) + n;
  };
  for (const process of data.processes.values())
    for (const [reason, n] of Object.entries(process.dropped)) add(reason, n);
  for (const [reason, n] of data.refused) add(reason, n);
  for (const stream of data.streams.values()) add('too many hops or ranges', stream.refusedCount);
  return dropped;
}
