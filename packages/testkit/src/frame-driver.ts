// Audio through the real probes: at each true time of the truth, the call that a
// user's pipeline would make there. Anchors travel with the frame they precede,
// and are lost with it.

import { Link, type Hop, type Session, type Stream } from '@framescope/instrument';
import { bentHop } from '@framescope/instrument/lineage';
import { NS_PER_MS } from '@framescope/protocol';
import { SAMPLE_RATE } from './mic-truth.ts';
import { type PartyName } from './scenario.ts';
import { type CallTruth, hopOf, type HopTruth } from './truth.ts';
import { type VirtualTime } from './virtual-time.ts';

/** The hops between which a network leg lies. */
const WIRES: readonly { readonly from: string; readonly to: string }[] = [
  { from: 'mic.client/send', to: 'mic.edge/receive' },
  { from: 'mic.edge/send', to: 'mic.agent/receive' },
  { from: 'mic.agent/stt', to: 'mic.models/receive' },
  { from: 'agent.models/tts', to: 'agent.agent/tts' },
  { from: 'agent.agent/send', to: 'agent.edge/receive' },
  { from: 'agent.edge/send', to: 'agent.client/receive' },
];

/** Code that fills holes must know where they are, and says which ticks it passes on. */
const KNOWS_ITS_TICKS = new Set(['mic.agent/regroup', 'mic.agent/stt']);

/** One process's part of the call. */
export interface Party {
  readonly call: Session;
  readonly mic: Stream;
  readonly agent: Stream;
  /** One a WebSocket, by the host at its other end. */
  readonly links: Map<string, Link>;
}

export type Parties = ReadonlyMap<PartyName, Party>;

/** A hop whose marks come so much later than the truth says: a mistake made on purpose, to see the suite notice. */
export interface Shift {
  readonly key: string;
  readonly byMs: number;
}

export const joinStreams = (call: Session): Party => ({
  call,
  mic: call.stream('mic', { sampleRate: SAMPLE_RATE, direction: 'up' }),
  agent: call.stream('agent', { sampleRate: SAMPLE_RATE, direction: 'down' }),
  links: new Map(),
});

/** Puts every mark, anchor and declared range of the truth on the queue. */
export function driveFrames(
  time: VirtualTime,
  truth: CallTruth,
  parties: Parties,
  { shift, sttRate }: { readonly shift?: Shift | undefined; readonly sttRate?: number | undefined },
): void {
  const inFlight = new Map<string, Map<number, string>>(WIRES.map(wire => [wire.to, new Map()]));
  for (const hop of truth.hops) {
    const party = parties.get(hop.host);
    if (party === undefined) continue;
    const lateNs = shift?.key === hop.key ? shift.byMs * NS_PER_MS : 0;
    const ownRate = hop.key === 'mic.agent/stt' ? sttRate : undefined;
    driveHop(time, hop, { party, lateNs, wires: wiresOf(hop, party, inFlight), ownRate });
  }
  for (const range of truth.ranges) {
    const hop = hopOf(truth, range.key);
    const stream = parties.get(hop.host)?.[hop.stream];
    const samples = range.endTick - range.startTick;
    if (stream !== undefined)
      time.at(range.atNs, () => stream[range.kind](hop.name, range.startTick, samples));
  }
}

interface Wires {
  /** Called as the frame arrives, and as it leaves. */
  readonly receive: (startTick: number) => void;
  readonly send: (startTick: number) => void;
}

interface Driven {
  readonly party: Party;
  readonly lateNs: number;
  readonly wires: Wires;
  /** It counts samples of this rate. */
  readonly ownRate: number | undefined;
}

function driveHop(
  time: VirtualTime,
  hop: HopTruth,
  { party, lateNs, wires, ownRate }: Driven,
): void {
  const stream = party[hop.stream];
  const after = hop.after === undefined ? {} : { after: hop.after };
  const bent =
    ownRate === undefined
      ? undefined
      : bentHop(party.call, stream, hop.name, { ...after, sampleRate: ownRate });
  const probe = bent?.hop ?? stream.hop(hop.name, after);
  let nextTick = 0;
  // In the order in which they come by: overtaken frames need their place said.
  const passing = [...hop.atNs.entries()].filter(([, atNs]) => !Number.isNaN(atNs));
  for (const [row, atNs] of passing.toSorted((a, b) => a[1] - b[1])) {
    const startTick = hop.startTick[row]!;
    const samples = hop.endTick[row]! - startTick;
    const isNext = startTick === nextTick && !KNOWS_ITS_TICKS.has(hop.key);
    const mark =
      bent === undefined
        ? markOf(probe, { startTick, samples, isNext })
        : () => bent.mark((samples * ownRate!) / SAMPLE_RATE);
    nextTick = startTick + samples;
    time.at(atNs, () => {
      wires.receive(startTick);
      wires.send(startTick);
      if (lateNs === 0) mark();
    });
    if (lateNs !== 0) time.at(atNs + lateNs, mark);
  }
}

/** In sequence a pipeline marks so many samples; after a hole it says which. */
function markOf(
  probe: Hop,
  frame: { readonly startTick: number; readonly samples: number; readonly isNext: boolean },
): () => void {
  const { startTick, samples, isNext } = frame;
  return isNext ? () => probe.mark(samples) : () => probe.markAt(startTick, samples);
}

function wiresOf(
  hop: HopTruth,
  party: Party,
  inFlight: ReadonlyMap<string, Map<number, string>>,
): Wires {
  const arrives = WIRES.find(wire => wire.to === hop.key);
  const leaves = WIRES.find(wire => wire.from === hop.key);
  const inbox = inFlight.get(hop.key);
  const outbox = leaves === undefined ? undefined : inFlight.get(leaves.to);
  const inLink = arrives && linkTo(party, hostOf(arrives.from));
  const outLink = leaves && linkTo(party, hostOf(leaves.to));
  return {
    receive: startTick => {
      const text = inbox?.get(startTick);
      if (text !== undefined) inLink?.untag(text);
    },
    send: startTick => {
      const text = outLink?.anchor(party[hop.stream], { tick: startTick });
      if (text !== undefined) outbox?.set(startTick, text);
    },
  };
}

const hostOf = (key: string): string => key.slice(key.indexOf('.') + 1, key.indexOf('/'));

function linkTo(party: Party, host: string): Link {
  const known = party.links.get(host);
  if (known !== undefined) return known;
  const link = new Link(party.call);
  party.links.set(host, link);
  return link;
}
