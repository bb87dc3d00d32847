// `@framescope/instrument/pipecat-client`: one line for Pipecat's client.

export {
  tracePipecatClient,
  type PipecatClientLike,
  type PipecatOptions,
  type PipecatStreams,
} from '../adapters/pipecat-client/trace.ts';
export type { AdapterTrace, OfScope, OfSession } from '../adapters/common/session-of.ts';
