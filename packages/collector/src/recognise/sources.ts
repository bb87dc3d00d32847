// Whose telemetry is it? The recognisers in the order in which they are asked; what none
// of them owns is a plain span, and shown as one.

import type { StoredSpan } from '../store/store.ts';
import { callReports } from './call-reports.ts';
import type { PipelineFacts, Profile } from './edges.ts';
import { framescopeProfile } from './framescope-edges.ts';
import { genAi } from './gen-ai.ts';
import { liveKit } from './livekit.ts';
import { logfire } from './logfire.ts';
import { openinference } from './openinference.ts';
import { pipecat } from './pipecat.ts';
import { withSetup } from './setup-edges.ts';
import type { Recogniser, SourceName } from './source.types.ts';

const RECOGNISERS: readonly Recogniser[] = [
  pipecat,
  liveKit,
  openinference,
  ...callReports,
  logfire,
  genAi,
];

const BY_NAME: ReadonlyMap<SourceName, Recogniser> = new Map(
  RECOGNISERS.map(one => [one.name, one]),
);

/** The recogniser of a span; undefined: a plain span, or one of our own instrument. */
export const recogniserOf = (
  span: Pick<StoredSpan, 'scope' | 'name' | 'attributes'>,
): Recogniser | undefined => RECOGNISERS.find(one => one.owns(span));

/** Which moment waits for which, by the word of the source that tells the turn. */
export const profileOf = (source: SourceName, facts: PipelineFacts): Profile =>
  withSetup(BY_NAME.get(source)?.profile(facts) ?? framescopeProfile(facts), facts);
