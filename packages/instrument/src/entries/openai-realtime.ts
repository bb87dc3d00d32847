// `@framescope/instrument/openai-realtime`: one line for clients of OpenAI's
// Realtime and Live APIs.

export {
  traceOpenAIRealtime,
  type AdapterTrace,
  type HasRealtimeTransport,
  type OpenAIRealtimeOptions,
  type RealtimeClient,
  type RealtimeTransport,
} from '../adapters/openai-realtime/trace.ts';
