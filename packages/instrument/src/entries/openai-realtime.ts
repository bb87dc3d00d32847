// `@framescope/instrument/openai-realtime`: one line for clients of OpenAI's
// Realtime and Live APIs.

export {
  traceOpenAIRealtime,
  type HasRealtimeTransport,
  type OpenAIRealtimeOptions,
  type OpenAIRealtimeStreams,
  type RealtimeClient,
  type RealtimeTransport,
} from '../adapters/openai-realtime/trace.ts';
export type { AdapterTrace, OfScope, OfSession } from '../adapters/common/session-of.ts';
