// `@framescope/instrument/adapters`: every adapter, for a process that follows
// several clients. Bundlers take only what is used.

export { traceOpenAIRealtime } from '../adapters/openai-realtime/trace.ts';
export { traceTwilioMediaStream } from '../adapters/twilio/trace.ts';
