// `@framescope/instrument/webrtc`: a peer connection in one line.

export {
  tracePeerConnection,
  type PeerConnectionOptions,
} from '../transport/webrtc/trace-peer-connection.ts';
export type { MediaFigures } from '@framescope/protocol';
export type { AdapterTrace, OfScope, OfSession } from '../adapters/common/session-of.ts';
