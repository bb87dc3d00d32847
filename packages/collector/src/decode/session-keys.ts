// Which session a span belongs to, by what it says itself.
//
// `session.id` is our word and OpenTelemetry's, and always counts. Frameworks that have
// an ID of the call under another name are understood too, but their word is a hint: it
// names a trace that nobody has named, and a trace that has a session keeps it. So a
// room that is called by its name on one span and by its job on another is one call,
// and a server whose trace was begun in our session stays in it. A root that comes last, when its
// call has long had a name, does not take itself out of it.

import { ATTR, type Attributes } from '@framescope/protocol';
import { SESSION_ID_LENGTH_MAX } from './limits.ts';
import { SpanProblem } from './problem.ts';

/** In order of rank: of several on one span the first counts. Only the first is more than a hint. */
export const SESSION_KEYS: readonly string[] = [
  ATTR.sessionId,
  'gen_ai.conversation.id',
  'conversation.id',
  'langfuse.session.id',
  'lk.room_sid',
  // LiveKit's own upload path stamps it on every span; a room of a hotel is not meant.
  'room_id',
  'lk.pii.room_name',
  'lk.room_name',
  'lk.job_id',
];

/**
 * Logfire scrubs what looks like a secret on its way out, and takes `session` for one: every call would be
 * this one.
 */
export const SCRUBBED = "[Scrubbed due to 'session']";

/** Rank of an ID that is no hint, of a trace that is a call by itself, and of none at all. */
export const RANK_CERTAIN = 0;
export const RANK_OF_TRACE = 254;
export const RANK_NONE = 255;

const ROOM_SID = /^RM_/;

/** Roots of a call: where nobody names the session, their trace is it. By scope and name of the span. */
const CALL_ROOTS: readonly (readonly [scope: string, name: string])[] = [
  ['livekit-agents', 'agent_session'],
];

export const isCallRoot = (scope: string, name: string): boolean =>
  CALL_ROOTS.some(([ofScope, ofName]) => scope === ofScope && name === ofName);

/** Roots that are told when the call is over. `additional_span_attributes` of Pipecat stand on this span alone. */
const LAST_ROOTS: readonly (readonly [scope: string, name: string])[] = [
  ['pipecat.turn', 'conversation'],
];

export const isLastRoot = (scope: string, name: string): boolean =>
  LAST_ROOTS.some(([ofScope, ofName]) => scope === ofScope && name === ofName);

export const isCallRootName = (name: string): boolean =>
  CALL_ROOTS.some(([, ofName]) => name === ofName);

export interface NamedSession {
  readonly id: string;
  /** Place in `SESSION_KEYS`. */
  readonly rank: number;
}

/**
 * The session that attributes name. A hint that is no text, empty or too long is none.
 * @throws {SpanProblem} when `session.id` is too long.
 */
function named(attributes: Attributes): NamedSession | undefined {
  const certain = certainId(attributes);
  if (certain !== undefined) return { id: certain, rank: RANK_CERTAIN };
  for (let rank = 1; rank < SESSION_KEYS.length; rank++) {
    const value = attributes[SESSION_KEYS[rank]!];
    if (typeof value !== 'string' || value === '' || value === SCRUBBED) continue;
    if (SESSION_KEYS[rank] === 'room_id' && !ROOM_SID.test(value)) continue;
    if (Buffer.byteLength(value) <= SESSION_ID_LENGTH_MAX) return { id: value, rank };
  }
  return undefined;
}

function certainId(attributes: Attributes): string | undefined {
  const value = attributes[ATTR.sessionId];
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || value === '' || value === SCRUBBED) return undefined;
  if (value.length > SESSION_ID_LENGTH_MAX)
    throw new SpanProblem(
      `attributes["${ATTR.sessionId}"]`,
      'session_id',
      `${value.length} characters; at most ${SESSION_ID_LENGTH_MAX}`,
    );
  return value;
}

/** Of a span: its own word, unless its resource's has the better rank. @throws {SpanProblem} */
export function sessionOf(own: Attributes, resource: Attributes): NamedSession | undefined {
  const its = named(own);
  const around = named(resource);
  if (its === undefined || around === undefined) return its ?? around;
  return around.rank < its.rank ? around : its;
}

/** Of a resource alone. @throws {SpanProblem} */
export const sessionOfResource = (attributes: Attributes): NamedSession | undefined =>
  named(attributes);
