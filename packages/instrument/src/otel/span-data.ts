// What a turn's or a stage's span says at its end: attributes, times, status.

import { SpanStatusCode, type SpanStatus } from '@opentelemetry/api';
import { ATTR, NS_PER_S, STAGE, type StageState, type TurnState } from '@framescope/protocol';
import type { SpanAttributes, SpanEnd, PlacedStart } from '../export/span-sink.ts';
import type { Attributes } from '../ports.ts';

export interface EndData {
  readonly endUnixNs: bigint;
  readonly attributes: SpanAttributes;
  readonly status?: SpanStatus;
}

/** Domain time as Unix ns, exactly undone by `framescope.clock.zero_unix_ns`. */
export const unixOf = (start: PlacedStart, atNs: number): bigint =>
  start.zeroUnixNs + BigInt(Math.round(atNs));

export function endDataOf(start: PlacedStart, end: SpanEnd): EndData {
  if (end.kind === 'turn') return endOfTurn(start, end.state());
  if (end.kind === 'stage') return endOfStage(start, end.state);
  if (end.kind === 'frame')
    return { endUnixNs: unixOf(start, end.endedAt), attributes: end.attributes };
  return { endUnixNs: unixOf(start, start.startedAt), attributes: {} };
}

function endOfTurn(start: PlacedStart, state: TurnState): EndData {
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

/** What OpenTelemetry's GenAI conventions call a standard stage; STT and TTS have no name yet. */
const OPERATION: Readonly<Record<string, string>> = {
  [STAGE.llm]: 'chat',
  [STAGE.tool]: 'execute_tool',
};

/** In the words of the conventions; what the user says of a stage wins. */
function genAiOf(start: PlacedStart, { firstAt, startedAt, error }: StageState): Attributes {
  const operation = Object.hasOwn(OPERATION, start.name) ? OPERATION[start.name] : undefined;
  const session = start.common[ATTR.sessionId];
  if (operation === undefined || session === undefined) return {};
  const firstS = firstAt === undefined ? undefined : (firstAt - startedAt) / NS_PER_S;
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.conversation.id': session,
    ...(firstS === undefined || start.name !== STAGE.llm
      ? {}
      : { 'gen_ai.response.time_to_first_chunk': firstS }),
    ...(error === undefined ? {} : { 'error.type': '_OTHER' }),
  };
}

function endOfStage(start: PlacedStart, state: StageState): EndData {
  const { firstAt, generation, discarded, error, startedAt } = state;
  return {
    endUnixNs: unixOf(start, state.endedAt ?? startedAt),
    attributes: {
      ...genAiOf(start, state),
      ...state.attributes,
      ...(firstAt === undefined ? {} : { [ATTR.stageFirstNs]: firstAt - startedAt }),
      ...(generation === undefined ? {} : { [ATTR.stageGeneration]: generation }),
      ...(discarded === true ? { [ATTR.stageDiscarded]: true } : {}),
    },
    ...(error === undefined ? {} : { status: { code: SpanStatusCode.ERROR, message: error } }),
  };
}
