// `@framescope/instrument/twilio`: one line for the WebSocket of a Twilio media stream.

export {
  traceTwilioMediaStream,
  type MediaStreamSocket,
  type TwilioOptions,
} from '../adapters/twilio/trace.ts';
export type { AdapterTrace } from '../adapters/common/adapter-trace.ts';
