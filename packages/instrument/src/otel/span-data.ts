// What a turn's or a stage's span says at its end: attributes, times, status.

import { SpanStatusCode, type SpanStatus } from '@opentelemetry/api';
import { ATTR, type StageState, type TurnState } from '@framescope/protocol';
import type { SpanEnd, SpanStart } from '../export/span-sink.ts';
import type { Attributes } from '../ports.ts';

export interface EndData {
  readonly endUnixNs: bigint;
  readonly attributes: Attributes;
  readonly status?: SpanStatus;
}

/** Domain time as Unix ns, exactly undone by `framescope.clock.zero_unix_ns`. */
export const unixOf = (start: SpanStart, atNs: number): bigint =>
  start.zeroUnixNs + BigInt(Math.round(atNs));

export function endDataOf(start: SpanStart, end: SpanEnd): EndData {
  if (end.kind === 'turn') return endOfTurn(start, end.state);
  if (end.kind === 'stage') return endOfStage(start, end.state);
  return { endUnixNs: unixOf(start, start.startedAt), attributes: {} };
}

function endOfTurn(start: SpanStart, state: TurnState): EndData {
  return {
    endUnixNs: unixOf(start, state.endedAt ?? state.startedAt),
    attributes: {
      [ATTR.turnTick]: state.tick,
      [ATTR.turnStream]: state.stream,
      [ATTR.turnState]: JSON.stringify(state),
    },
    ...(state.outcome === 'failed' ? { status: { code: SpanStatusCode.ERROR } } : {}),
  };
}

function endOfStage(start: SpanStart, state: StageState): EndData {
  const { firstAt, generation, discarded, error, startedAt } = state;
  return {
    endUnixNs: unixOf(start, state.endedAt ?? startedAt),
    attributes: {
      ...state.attributes,
      ...(firstAt === undefined ? {} : { [ATTR.stageFirstNs]: firstAt - startedAt }),
      ...(generation === undefined ? {} : { [ATTR.stageGeneration]: generation }),
      ...(discarded === true ? { [ATTR.stageDiscarded]: true } : {}),
    },
    ...(error === undefined ? {} : { status: { code: SpanStatusCode.ERROR, message: error } }),
  };
}
