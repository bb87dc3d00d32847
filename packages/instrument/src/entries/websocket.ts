// `@framescope/instrument/websocket`: one line for a WebSocket with binary audio, of `ws` or of
// the platform.

export {
  traceWebSocket,
  type AudioSocket,
  type WebSocketOptions,
  type WebSocketStreams,
} from '../adapters/websocket/trace.ts';
export { PCM16, type SampleFormat } from '../adapters/common/sample-format.ts';
export type { AdapterTrace, OfScope, OfSession } from '../adapters/common/session-of.ts';
