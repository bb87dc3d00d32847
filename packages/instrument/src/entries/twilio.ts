// `@framescope/instrument/twilio`: one line for the WebSocket of a Twilio media stream.

export {
  traceTwilioMediaStream,
  type MediaStreamSocket,
  type TwilioOptions,
  type TwilioStreams,
} from '../adapters/twilio/trace.ts';
export type { AdapterTrace, OfScope, OfSession } from '../adapters/common/session-of.ts';
