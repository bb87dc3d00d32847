// `@framescope/instrument/livekit-room`: one line for a room of livekit-client.

export {
  traceLiveKitRoom,
  type LiveKitOptions,
  type LiveKitRoom,
  type LiveKitStreams,
} from '../adapters/livekit-room/trace.ts';
export type { AdapterTrace, OfScope, OfSession } from '../adapters/common/session-of.ts';
