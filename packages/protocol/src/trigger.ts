// A trigger of the flight recorder: something went wrong in a session, and every
// process of it is asked to dump what it remembers of a range of media time.
//
//   process ── POST /v1/triggers ──▶ collector ── answer of GET /v1/clock ──▶ the others
//
// The range is in ticks, so that it means the same to processes whose clocks differ.

import { decodeSpanId, decodeTraceId } from './ids-decode.ts';
import { decoded, rejected, type Decoded } from './result.ts';
import type { Tick } from './units.ts';
import { tick } from './units.ts';

/** Reasons with a meaning of their own; any other is allowed. */
export const TRIGGER_REASON = {
  bargeIn: 'barge_in',
  underrun: 'underrun',
  overBudget: 'over_budget',
  manual: 'manual',
} as const;

/** One request for dumps. As JSON it has just these members. */
export interface Trigger {
  /** 16 hex digits, made by whoever pulled it: dumping twice for one ID is dumping once. */
  readonly id: string;
  /** The session's, 32 hex digits. */
  readonly traceId: string;
  readonly reason: string;
  readonly stream: string;
  /** Half-open range of ticks of that stream. */
  readonly fromTick: Tick;
  readonly toTick: Tick;
}

/** Hex digits of a trace ID by which a process asks for the triggers of a session. */
export const TRIGGER_PREFIX_LENGTH = 16;
const NAME_LENGTH_MAX = 60;

/** Reads one trigger of a foreign body. */
export function decodeTrigger(raw: unknown, path = 'trigger'): Decoded<Trigger> {
  if (typeof raw !== 'object' || raw === null) return rejected(path, 'expected an object');
  const { id, traceId, reason, stream, fromTick, toTick } = raw as Record<string, unknown>;
  const spanId = decodeSpanId(id, `${path}.id`);
  if (!spanId.ok) return spanId;
  const trace = decodeTraceId(traceId, `${path}.traceId`);
  if (!trace.ok) return trace;
  if (!isName(reason))
    return rejected(`${path}.reason`, `expected 1 to ${NAME_LENGTH_MAX} characters`);
  if (!isName(stream))
    return rejected(`${path}.stream`, `expected 1 to ${NAME_LENGTH_MAX} characters`);
  if (!isTick(fromTick) || !isTick(toTick) || toTick <= fromTick)
    return rejected(`${path}.toTick`, 'expected whole ticks, fromTick below toTick');
  return decoded({
    id: spanId.value,
    traceId: trace.value,
    reason,
    stream,
    fromTick: tick(fromTick),
    toTick: tick(toTick),
  });
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= NAME_LENGTH_MAX;

const isTick = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
