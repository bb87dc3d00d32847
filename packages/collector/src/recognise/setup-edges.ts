// Which moment waits for which before the first word: the same whoever tells the
// greeting, since browsers, relays and agents of all makes tell of a call's set-up.
//
//   call_started ─signalling─▶ signalled ─ice─▶ ice_connected ─dtls─▶ dtls_connected ──────┐
//        └──────signalling──▶ agent_requested ─dispatch─▶ agent_started ─cold_start─▶ agent_ready ┤
//                                                                    latest ─preparation─▶ wait_opened

import { SETUP_MOMENTS } from '@framescope/protocol';
import {
  always,
  ifBefore,
  rule,
  type EdgeInput,
  type EdgeRule,
  type PipelineFacts,
  type Profile,
} from './edges.ts';

/** Where a set-up begins. */
export const SETUP_START = 'call_started';

/** Moments with which a call stands, if nobody owes a greeting. */
export const SETUP_ENDS: ReadonlySet<string> = new Set([
  'signalled',
  'ice_connected',
  'dtls_connected',
  'agent_ready',
]);

const NAMES: ReadonlySet<string> = new Set([...SETUP_MOMENTS, 'wait_opened']);

/** Of the set-up, and not of the work on the greeting behind it. */
export const isOfSetup = (name: string): boolean => NAMES.has(name);

/** The rules of a source, with those of the set-up where one is known. */
export function withSetup(profile: Profile, facts: PipelineFacts): Profile {
  if (facts.kind !== 'greeting' || !facts.known.has(SETUP_START)) return profile;
  const received = profile.get('first_voiced_received');
  return new Map([
    ...settingUp(facts.known),
    ...profile,
    // Sound that was sent before there was a way for it waits for the way.
    ...(received === undefined ? [] : [['first_voiced_received', afterMedia(received)] as const]),
  ]);
}

const afterMedia = ({ part, inputs }: EdgeRule): EdgeRule =>
  rule(part, ...inputs, ifBefore('dtls_connected'));

function settingUp(known: ReadonlySet<string>): [string, EdgeRule][] {
  // Where nobody saw an agent being asked for, it was not before both ends knew each other; where nobody saw
  // that either, signalling and dispatch are one stretch.
  const isGuessed = !known.has('agent_requested') && known.has('signalled');
  const asked: EdgeInput = isGuessed ? ifBefore('signalled') : always('agent_requested');
  const ready = known.has('agent_started')
    ? rule('cold_start', always('agent_started'))
    : rule('dispatch', asked);
  return [
    ['signalled', rule('signalling', always(SETUP_START))],
    ['ice_connected', rule('ice', always('signalled'))],
    ['dtls_connected', rule('dtls', always('ice_connected'))],
    ['agent_requested', rule('signalling', always(SETUP_START))],
    ['agent_started', rule('dispatch', asked)],
    ['agent_ready', ready],
    [
      'wait_opened',
      rule(
        'preparation',
        ifBefore('agent_ready'),
        ifBefore('dtls_connected'),
        ifBefore('signalled'),
      ),
    ],
  ];
}
