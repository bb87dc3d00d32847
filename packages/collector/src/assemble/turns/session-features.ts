// What a call was made with, of what its turns were: models, voices, languages. As attributes
// of the session they are what lists and charts are filtered and grouped by.

import type { Attributes, Turn } from '@framescope/protocol';
import type { TurnFacts } from '../session-data.ts';
import { featuresOfStages, featuresOfTools } from '../../recognise/features.ts';
import { textsOf } from '../../rollup/turn-features.ts';

/** Different values of one feature that are named; a call that used more used several. */
const VALUES_MAX = 8;

/** Texts only: a number of a turn (tokens, characters) says nothing of the call. */
export function featuresOfSession(turns: readonly Turn[]): Attributes {
  const values = new Map<string, Set<string>>();
  for (const { features = {} } of turns)
    for (const [name, value] of Object.entries(features)) {
      if (typeof value !== 'string') continue;
      const known = values.get(name) ?? new Set();
      values.set(name, known);
      for (const one of textsOf(value)) known.add(one);
    }
  return Object.fromEntries(
    [...values].map(([name, all]) => [
      name,
      all.size > VALUES_MAX ? 'several' : [...all].toSorted().join(', '),
    ]),
  );
}

/** Of a turn, as all who tell it say; its own telling counts last. */
export function featuresOf(facts: TurnFacts, bargeIn: Turn['bargeIn']): Attributes | undefined {
  const told = [...(facts.joined ?? []), facts];
  const all = told.map(({ state }) => state.features ?? featuresOfStages(state.stages));
  const tools = told.map(({ state }) => featuresOfTools(state.stages));
  const own = bargeIn && { bargein: bargeIn.outcome };
  const features = Object.assign({}, ...tools, ...all, own) as Attributes;
  return Object.keys(features).length === 0 ? undefined : features;
}
