// A turn that our own instrument and a framework tell: who is the server in it, and what the
// framework's word of it is.

import type { TurnFacts } from '../session-data.ts';
import type { TurnContext } from './turns.ts';
import type { JoinedTurn } from './wait-facts.ts';

/**
 * The process whose hops are the server's. A browser that decides turns is none: where a framework
 * tells the same turn, it is the server, and the browser is what it is, mouth and ear.
 */
export function serverOf(facts: TurnFacts, context: TurnContext): string | undefined {
  const producer = context.producerOf(facts);
  if (facts.joined === undefined) return producer;
  const isClient = [...context.streams.values()].some(stream =>
    stream.hops.some(hop => hop.producer === producer && hop.role === 'client'),
  );
  return isClient ? undefined : producer;
}

/** The framework that tells the same turn, if one does. */
export function joinedOf({ joined }: TurnFacts, context: TurnContext): JoinedTurn | undefined {
  const [other] = joined ?? [];
  return other && { state: other.state, clock: context.clockOf(other), source: other.source };
}
