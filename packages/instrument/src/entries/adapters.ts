// `@framescope/instrument/adapters`: every adapter, for a process that follows
// several clients. Bundlers take only what is used.

export { traceLiveKitRoom } from '../adapters/livekit-room/trace.ts';
export { traceOpenAIRealtime } from '../adapters/openai-realtime/trace.ts';
export { tracePipecatClient } from '../adapters/pipecat-client/trace.ts';
export { traceTwilioMediaStream } from '../adapters/twilio/trace.ts';
export { traceWebSocket } from '../adapters/websocket/trace.ts';
