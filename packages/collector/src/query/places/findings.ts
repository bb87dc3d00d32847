// GET /api/v1/findings: what stands out about where calls ran and how they were
// cut, as sentences, by what it costs a turn. Each rests on figures that a page
// shows; none says more than they do.

import type { Finding, Findings, InstanceLoad, LoadCurve } from '@framescope/protocol';
import type { UnixRange } from '../../store/store.ts';
import { chooseRange } from '../measure-range.ts';
import type { MeasureRange, QueryContext } from '../queries.types.ts';
import { pairKey, pairLegs, type PairLegs } from './fleet-legs.ts';
import { instanceLoads, STALL_NS } from './load.ts';
import { loadCurves } from './load-curve.ts';
import { fleetVendors } from './fleet-links.ts';
import { handoversOf, isOfProcess, restartsOf } from './places.ts';
import { msText, nameOfPlace, placedSessions, type PlacedSession } from './placed-sessions.ts';

const SESSIONS_MAX = 1_000;
const LOAD_COLUMNS = 1_440;
const KEYS_MAX = 8;
/** Less than this on each turn is not worth a sentence. */
const WORTH_NS = 20e6;
/** A way between regions this long beside one within a region is far. */
const FAR_NS = 15e6;
/** Calls to a model's side in one answer: recogniser, model, voice. */
const MODEL_TRIPS = 3;
const QUEUE_DEEP = 3;
const UNEVEN = 2;
const UNEVEN_CALLS_MIN = 6;

export async function findings(context: QueryContext, asked: MeasureRange): Promise<Findings> {
  const range = await chooseRange(context, asked);
  const { items } = await placedSessions(context.reader, range, undefined, SESSIONS_MAX);
  const {
    columnNs,
    instances,
    range: busyRange,
  } = await instanceLoads(context.reader, range, LOAD_COLUMNS);
  const curves = instances.length === 0 ? [] : await loadCurves(context, busyRange);
  const all = [
    ...handovers(items),
    ...reconnects(items),
    ...vendors(items),
    ...farWays(items),
    ...busy(instances, { range: busyRange, columnNs, curves }),
    ...uneven(instances),
    ...cuts(items),
    ...buffers(items),
    ...starvation(items),
  ];
  return {
    fromUnixNs: String(range.fromUnixNs),
    toUnixNs: String(range.toUnixNs),
    sessions: items.length,
    items: all.toSorted((a, b) => b.costNs - a.costNs),
  };
}

const keysOf = (sessions: readonly PlacedSession[]): string[] =>
  [...new Set(sessions.map(one => one.detail.key))].slice(0, KEYS_MAX);

const calls = (n: number): string => `${n} ${n === 1 ? 'call' : 'calls'}`;
const clock = (unixNs: string): string =>
  `${new Date(Number(BigInt(unixNs) / 1_000_000n)).toISOString().slice(11, 19)} UTC`;

const ROLE_WORD: Readonly<Record<string, string>> = {
  edge: 'relay',
  agent: 'agent',
  client: 'client',
};

function handovers(sessions: readonly PlacedSession[]): Finding[] {
  const all = handoversOf(sessions);
  return restartsOf(all).map(restart => {
    const own = all.filter(
      one =>
        nameOfPlace(one.from) === nameOfPlace(restart.place) &&
        BigInt(one.atUnixNs) >= BigInt(restart.atUnixNs) - 1_000_000_000n &&
        BigInt(one.atUnixNs) <= BigInt(restart.atUnixNs) + 31_000_000_000n,
    );
    const to = [...new Set(own.map(one => nameOfPlace(one.to)))].join(', ');
    const silent = own.some(one => !one.wasTold);
    const authority = Math.max(0, ...own.map(one => one.authorityNs ?? 0));
    const what = ROLE_WORD[restart.role] ?? restart.role;
    return {
      kind: 'handover',
      title: `The ${what} ${nameOfPlace(restart.place)} ${silent ? 'went away without a word' : 'ended its part'} at ${clock(restart.atUnixNs)}: ${calls(restart.calls)} went on over ${to}`,
      detail: `${msText(restart.gapMedianNs)} of sound lost in the middle, ${msText(restart.gapMaxNs)} at most; the turn authority was without the user for up to ${msText(authority)}. The calls stayed one session each.`,
      costNs: 1e9 + restart.gapMaxNs,
      atUnixNs: restart.atUnixNs,
      sessionKeys: [...new Set(own.map(one => one.sessionKey))].slice(0, KEYS_MAX),
    };
  });
}

/** Connections that were lost and came back, told by the processes that had them. */
function reconnects(sessions: readonly PlacedSession[]): Finding[] {
  const all = handoversOf(sessions).filter(one => !isOfProcess(one));
  const [newest] = all;
  if (newest === undefined) return [];
  const keys = [...new Set(all.map(one => one.sessionKey))];
  const silentNs = Math.max(...all.flatMap(one => one.directions.map(way => way.silenceNs)), 0);
  const frames = all.reduce((sum, one) => sum + one.gapFrames, 0);
  const times = all.length === keys.length ? '' : `, ${all.length} times in all`;
  return [
    {
      kind: 'handover',
      title: `${calls(keys.length)} lost the connection and got it back${times}: silent for up to ${msText(silentNs)}, last at ${clock(newest.atUnixNs)}`,
      detail: `${frames} frames never came. The process stayed, its way changed or was gone for a while: a network that was switched, an ICE restart, a far end that hung.`,
      costNs: silentNs,
      atUnixNs: newest.atUnixNs,
      sessionKeys: keys.slice(0, KEYS_MAX),
    },
  ];
}

/** Services whose own word cannot be so: no split of theirs is to be trusted. */
function vendors(sessions: readonly PlacedSession[]): Finding[] {
  return fleetVendors(sessions)
    .filter(one => one.unlikely > 0)
    .map(one => ({
      kind: 'unknown',
      title: `${one.vendor ?? 'A service'} says of ${one.unlikely} of ${one.requests} requests that they took longer than they did`,
      detail: `Asked for ${one.stage} by ${one.service}. What it says of those is not believed: their time is shown as unknown, and none of it as its queue or its work.`,
      costNs: 0,
      atUnixNs: null,
      sessionKeys: [],
    }));
}

/** Ways between regions, beside the same services' ways within one. */
function farWays(sessions: readonly PlacedSession[]): Finding[] {
  const byEnds = new Map<string, PairLegs[]>();
  for (const pair of pairLegs(sessions, () => 0).values()) {
    const ends = [`${pair.fromService} ${pair.fromRegion}`, `${pair.toService} ${pair.toRegion}`];
    const key = ends.toSorted().join(' ');
    byEnds.set(key, [...(byEnds.get(key) ?? []), pair]);
  }
  const found: Finding[] = [];
  for (const pairs of byEnds.values()) {
    const [one] = pairs;
    if (one!.fromRegion === null || one!.toRegion === null || one!.fromRegion === one!.toRegion)
      continue;
    const wayNs = pairs.reduce((sum, pair) => sum + (pair.sketch.quantile(0.5, 'middle') ?? 0), 0);
    const isBoth = new Set(pairs.map(pair => pairKey(pair))).size > 1;
    const rttNs =
      pairs.find(pair => pair.rttsNs.length > 0)?.rttsNs[0] ?? (isBoth ? wayNs : 2 * wayNs);
    if (rttNs < FAR_NS) continue;
    const client = [one!.fromService, one!.toService].some(name => name.includes('client'));
    const isModels =
      !client && !pairs.some(pair => `${pair.fromService}${pair.toService}`.includes('edge'));
    const trips = isModels ? MODEL_TRIPS : 1;
    const [near, far] =
      isModels && one!.stream === 'agent'
        ? [one!.toService, one!.fromService]
        : [one!.fromService, one!.toService];
    const [nearRegion, farRegion] =
      near === one!.fromService
        ? [one!.fromRegion, one!.toRegion]
        : [one!.toRegion, one!.fromRegion];
    found.push({
      kind: 'far',
      title: `${near} in ${nearRegion} reaches ${far} in ${farRegion}: ${msText(rttNs)} there and back`,
      detail: `Seen in ${calls(one!.sessions)}. ${trips > 1 ? `Recogniser, model and voice are asked one after the other, so it costs an answer up to ${msText(trips * rttNs)}. ` : ''}What if asks what ${far} in ${nearRegion} would change, where such a way was seen.`,
      costNs: trips * rttNs,
      atUnixNs: null,
      sessionKeys: keysOf(
        sessions.filter(
          ({ detail }) =>
            detail.processes.some(p => p.service === near && p.region === nearRegion) &&
            detail.processes.some(p => p.service === far && p.region === farRegion),
        ),
      ),
    });
  }
  return found;
}

interface LoadFacts {
  readonly range: UnixRange;
  readonly columnNs: bigint;
  readonly curves: readonly LoadCurve[];
}

/** Event loops that were late, and queues that were deep. */
function busy(instances: readonly InstanceLoad[], facts: LoadFacts): Finding[] {
  const late = instances.flatMap(one => overload(one, facts));
  const [worst, ...others] = late.toSorted((a, b) => b.costNs - a.costNs);
  // One machine that is too busy makes all its processes late: that is one thing, not five.
  const named = others.map(one => one.title.split(' was overloaded')[0]).join(', ');
  const more = others.length === 0 ? '' : ` Also late: ${named}.`;
  const told = worst === undefined ? [] : [{ ...worst, detail: worst.detail + more }];
  return [...told, ...instances.flatMap(one => queue(one, facts))];
}

const timeOf = ({ range, columnNs }: LoadFacts, column: number): string =>
  String(range.fromUnixNs + BigInt(column) * columnNs);

function overload(one: InstanceLoad, facts: LoadFacts): Finding[] {
  if (one.stalledColumns < 3) return [];
  const late = one.column.filter((_, i) => (one.lagNs[i] ?? 0) >= STALL_NS);
  const at = late.map(column => one.calls[one.column.indexOf(column)] ?? 0);
  const knee = facts.curves.find(curve => curve.service === one.place.service)?.kneeCalls ?? null;
  const from = timeOf(facts, late[0]!);
  return [
    {
      kind: 'overload',
      title: `${nameOfPlace(one.place)} was overloaded from ${clock(from)}: its event loop was up to ${msText(one.lagMaxNs ?? 0)} late with ${calls(Math.max(...at))} at once`,
      detail: `Late by 100 ms or more in ${late.length} of ${one.column.length} stretches of ${msText(Number(facts.columnNs))}${one.cpuMost === null ? '' : `, CPU up to ${Math.round(one.cpuMost * 100)} % of a core`}. ${knee === null ? 'Answers did not become slower beyond doubt with the number of calls.' : `Answers become slower from ${calls(knee)} on.`}`,
      costNs: one.lagMaxNs ?? 0,
      atUnixNs: from,
      sessionKeys: [],
    },
  ];
}

function queue(one: InstanceLoad, facts: LoadFacts): Finding[] {
  const depth = Math.max(0, ...one.waiting.map(value => value ?? 0));
  if (depth < QUEUE_DEEP || one.queue === null) return [];
  const deepest = one.column[one.waiting.indexOf(depth)]!;
  const first = one.column[one.waiting.findIndex(value => (value ?? 0) > 0)]!;
  const at = one.calls[one.waiting.indexOf(depth)] ?? 0;
  return [
    {
      kind: 'queue',
      title: `${one.queue} of ${nameOfPlace(one.place)} was ${depth} deep at ${clock(timeOf(facts, deepest))}, with ${calls(at)} at once`,
      detail: `It began to fill at ${clock(timeOf(facts, first))}. What waits there is part of the wait for the service behind it: more of that service, or fewer calls an instance.`,
      costNs: depth * 50e6,
      atUnixNs: timeOf(facts, first),
      sessionKeys: [],
    },
  ];
}

/** One instance bears far more calls than the others of its service and region. */
function uneven(instances: readonly InstanceLoad[]): Finding[] {
  const groups = new Map<string, InstanceLoad[]>();
  for (const one of instances) {
    const key = JSON.stringify([one.place.service, one.place.region]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group): Finding[] => {
    const means = group.map(meanCalls).filter(mean => mean > 0);
    if (means.length < 2) return [];
    const most = Math.max(...means);
    const others = (means.reduce((sum, mean) => sum + mean, 0) - most) / (means.length - 1);
    if (most < UNEVEN_CALLS_MIN || most < UNEVEN * others) return [];
    const busiest = group.find(one => meanCalls(one) === most)!;
    return [
      {
        kind: 'uneven',
        title: `Calls are spread unevenly: ${nameOfPlace(busiest.place)} bore ${most.toFixed(1)} at once on average, the ${means.length - 1} others of ${busiest.place.service} ${others.toFixed(1)}`,
        detail: 'Over the time in which each was up.',
        costNs: WORTH_NS,
        atUnixNs: null,
        sessionKeys: [],
      },
    ];
  });
}

function meanCalls(one: InstanceLoad): number {
  const known = one.calls.filter((value): value is number => value !== null);
  return known.length === 0 ? 0 : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Pieces that frames wait for, by hop. */
function cuts(sessions: readonly PlacedSession[]): Finding[] {
  const byHop = new Map<
    string,
    { sessions: PlacedSession[]; waitNs: number[]; pieceNs: number[] }
  >();
  for (const session of sessions)
    for (const cut of session.topology.cuts) {
      const hop = cut.hop.replace(/@.*/, '');
      const group = byHop.get(hop) ?? { sessions: [], waitNs: [], pieceNs: [] };
      byHop.set(hop, group);
      group.sessions.push(session);
      group.waitNs.push(cut.waitMeanNs);
      group.pieceNs.push(cut.pieceNs);
    }
  return [...byHop].flatMap(([hop, group]): Finding[] => {
    const waitNs = middle(group.waitNs);
    const pieceNs = middle(group.pieceNs);
    // What a recogniser is handed is for it to say; what is on the way to the agent holds up all of it.
    if (waitNs < WORTH_NS * 2 || /\/(stt|receive)$/.test(hop)) return [];
    return [
      {
        kind: 'cut',
        title: `${hop} passes the microphone on in pieces of ${msText(pieceNs)}: a frame waits ${msText(waitNs)} on average for its piece`,
        detail: `In ${calls(new Set(group.sessions).size)}. It is part of each wait for an answer; pieces of one frame would not wait (advisor: frames).`,
        costNs: waitNs,
        atUnixNs: null,
        sessionKeys: keysOf(group.sessions),
      },
    ];
  });
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** Depth that the line did not ask for. */
function buffers(sessions: readonly PlacedSession[]): Finding[] {
  const own = sessions.flatMap(session =>
    session.topology.buffers.flatMap(({ depthNs, neededNs, concealed }) =>
      depthNs === null || neededNs === null ? [] : [{ session, depthNs, neededNs, concealed }],
    ),
  );
  if (own.length === 0) return [];
  const depthNs = middle(own.map(one => one.depthNs));
  const neededNs = middle(own.map(one => one.neededNs));
  const late = own.reduce((sum, one) => sum + one.concealed, 0);
  if (depthNs - neededNs < 2 * WORTH_NS) return [];
  return [
    {
      kind: 'jitter_buffer',
      title: `The jitter buffer is deeper than the line asks for: ${msText(depthNs)} at the start of each spurt, where ${msText(neededNs)} would do for 95 of 100 frames`,
      detail: `In ${calls(own.length)}; ${late} frames came too late for it. The advisor replays the arrivals at other depths: what each would have cost and spared.`,
      costNs: depthNs - neededNs,
      atUnixNs: null,
      sessionKeys: keysOf(own.map(one => one.session)),
    },
  ];
}

function starvation(sessions: readonly PlacedSession[]): Finding[] {
  const dry = sessions.flatMap(session =>
    session.topology.flows
      .filter(flow => flow.starvedCount > 0 && flow.realTimeFactor > 0.8)
      .map(flow => ({ session, flow })),
  );
  if (dry.length === 0) return [];
  const worst = dry.toSorted((a, b) => b.flow.starvedNs - a.flow.starvedNs)[0]!;
  return [
    {
      kind: 'starvation',
      title: `The voice ran dry in ${calls(dry.length)}: ${worst.flow.hop} took ${worst.flow.realTimeFactor.toFixed(2)} s for a second of sound`,
      detail: `Worst: ${worst.flow.starvedCount} gaps of ${msText(worst.flow.starvedNs)} in all.`,
      costNs: worst.flow.starvedNs,
      atUnixNs: null,
      sessionKeys: keysOf(dry.map(one => one.session)),
    },
  ];
}
