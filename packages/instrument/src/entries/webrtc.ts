// `@framescope/instrument/webrtc`: a peer connection in one line.

export {
  tracePeerConnection,
  type PeerConnectionOptions,
  type PeerConnectionTrace,
} from '../transport/webrtc/trace-peer-connection.ts';
export type { MediaFigures } from '@framescope/protocol';
