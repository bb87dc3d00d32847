// Frames worth a span of their own in another backend: those over budget, the
// worst at each hop, those around a barge-in, and one in a thousand by a hash
// of its tick, so that "usual" can be seen beside "bad".
//
// A frame's span lies in its turn's trace, from when its audio was due to when
// it passed the hop. Its ID is a hash of what it is: promoting it again makes
// no second span. Records themselves are never handed on.

import {
  ATTR,
  BASELINE_WEIGHT,
  FRAME_FLAG,
  frameSpanId,
  isBaselineTick,
  SCOPE_NAME,
  sessionTraceId,
  type Attributes,
  type SessionDetail,
  type SpanId,
  type Turn,
} from '@framescope/protocol';
import type { HopFrames } from '../assemble/frames/stream-frames.ts';
import type { SessionFrames } from '../query/session-frames.ts';
import type { OutSpan } from './encode.ts';

/** Of one hop and turn: a stall of 10 s puts 500 frames over budget, and ten tell as much. */
const OVER_BUDGET_MAX = 10;

/** Before and after a barge-in's onset. */
const BARGE_IN_NS = 100_000_000;
const BARGE_IN_MAX = 10;

const KIND_INTERNAL = 1;

export interface TurnFrames {
  readonly session: SessionDetail;
  readonly frames: SessionFrames;
  /** The turn's root. */
  readonly root: OutSpan;
}

export function promotedOf(turn: Turn, of: TurnFrames): OutSpan[] {
  const traceId = sessionTraceId(of.session.id);
  // Two instances of a hop may tell of one frame: it is one span.
  const spans = new Map<SpanId, OutSpan>();
  for (const stream of of.frames.streams)
    for (const hop of stream.hops)
      for (const [row, reasons] of chosen(hop, turn)) {
        const tick = hop.rows.startTick[row]!;
        const spanId = frameSpanId(traceId, stream.name, hop.bareKey, tick);
        if (!spans.has(spanId)) spans.set(spanId, spanOf({ hop, row, reasons, spanId }, of));
      }
  return [...spans.values()];
}

/** Rows of the hop within the turn, each with why. */
function chosen(hop: HopFrames, turn: Turn): Map<number, string[]> {
  const rows = new Map<number, string[]>();
  const add = (row: number, why: string): void => {
    const reasons = rows.get(row);
    if (reasons) reasons.push(why);
    else rows.set(row, [why]);
  };
  const inTurn = rowsBetween(hop, turn.startNs, turn.endNs ?? Infinity);
  const worstFirst = inTurn
    .filter(row => hop.latencyNs[row]! > 0)
    .toSorted((a, b) => hop.latencyNs[b]! - hop.latencyNs[a]!);
  if (worstFirst[0] !== undefined) add(worstFirst[0], 'worst');
  const over = worstFirst.filter(row => (hop.flags[row]! & FRAME_FLAG.overBudget) !== 0);
  for (const row of over.slice(0, OVER_BUDGET_MAX)) add(row, 'over_budget');
  if (turn.bargeIn) {
    const { onsetNs } = turn.bargeIn;
    const around = rowsBetween(hop, onsetNs - BARGE_IN_NS, onsetNs + BARGE_IN_NS);
    for (const row of around.slice(0, BARGE_IN_MAX)) add(row, 'barge_in');
  }
  for (const row of inTurn) if (isBaselineTick(hop.rows.startTick[row]!)) add(row, 'baseline');
  return rows;
}

function rowsBetween(hop: HopFrames, fromNs: number, toNs: number): number[] {
  const rows: number[] = [];
  for (let row = 0; row < hop.rows.length; row++)
    if (hop.atNs[row]! >= fromNs && hop.atNs[row]! < toNs) rows.push(row);
  return rows;
}

interface Chosen {
  readonly hop: HopFrames;
  readonly row: number;
  readonly reasons: readonly string[];
  readonly spanId: SpanId;
}

function spanOf({ hop, row, reasons, spanId }: Chosen, of: TurnFrames): OutSpan {
  const latencyNs = hop.latencyNs[row]!;
  const endUnixNs = of.frames.zeroUnixNs + BigInt(Math.round(hop.atNs[row]!));
  const lengthNs = latencyNs > 0 ? BigInt(Math.round(latencyNs)) : 0n;
  const isBaselineOnly = reasons.length === 1 && reasons[0] === 'baseline';
  const attributes: Attributes = {
    [ATTR.sessionId]: of.session.id,
    [ATTR.frameHop]: hop.key,
    [ATTR.frameTick]: hop.rows.startTick[row]!,
    [ATTR.framePromoted]: reasons,
    [ATTR.clockErrorNs]: hop.latencyErrorNs,
    ...(isBaselineOnly && { [ATTR.sampleWeight]: BASELINE_WEIGHT }),
  };
  return {
    traceId: of.root.traceId,
    spanId,
    parentSpanId: of.root.spanId,
    name: `frame ${hop.key}`,
    kind: KIND_INTERNAL,
    startUnixNs: endUnixNs - lengthNs,
    endUnixNs,
    statusCode: 0,
    statusMessage: '',
    attributes,
    events: [],
    links: [],
    scope: SCOPE_NAME,
    resource: of.root.resource,
  };
}
