// `@framescope/instrument/http`: context in the headers of a request, or the metadata of a gRPC call.

export {
  contextHeaders,
  followContext,
  readContext,
  type HeadersLike,
  type IncomingContext,
  type OutgoingOptions,
} from '../adapters/http/context.ts';
