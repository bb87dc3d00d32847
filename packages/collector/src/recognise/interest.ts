// Which spans assembly has to see whole. All others are counted (how many, from when
// to when, of which trace and resource) and stay columns: an object a span would cost
// more than storing it.
//
// Asked once of each distinct text, not of each span; a span is wanted when any of its
// texts is. Recognisers add here what they live on.

import { SCOPE_NAME, SPAN } from '@framescope/protocol';

/** Scopes whose every span is wanted. */
const SCOPES: readonly string[] = [SCOPE_NAME];
const SCOPE_STARTS: readonly string[] = [
  'pipecat',
  'livekit',
  'openinference',
  'logfire',
  'framescope.report.',
];

const NAMES: readonly string[] = [SPAN.turn, SPAN.sessionStart];

const KEY_STARTS: readonly string[] = [
  'framescope.',
  'gen_ai.',
  'openinference.',
  'lk.',
  'logfire.',
];

export const wantsScope = (scope: string): boolean =>
  SCOPES.includes(scope) || SCOPE_STARTS.some(start => scope.startsWith(start));

export const wantsName = (name: string): boolean => NAMES.includes(name);

export const wantsKey = (key: string): boolean => KEY_STARTS.some(start => key.startsWith(start));
