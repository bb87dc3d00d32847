// The front door of decoding: bytes of one OTLP trace request → spans and
// flushes, or the path of the problem. Never throws for input.

import { decoded, rejected, type Decoded } from '@framescope/protocol';
import { readJson } from './otlp-json.ts';
import { readProtobuf } from './otlp-protobuf.ts';
import { BodyProblem, SpanProblem } from './problem.ts';
import { WireProblem } from './proto-reader.ts';
import { RequestBuilder } from './request.ts';
import type { DecodedRequest } from './types.ts';

export type Encoding = 'json' | 'protobuf';

export function decodeTraces(bytes: Uint8Array, encoding: Encoding): Decoded<DecodedRequest> {
  const request = new RequestBuilder();
  try {
    if (encoding === 'json') readJson(bytes, request);
    else readProtobuf(bytes, request);
  } catch (problem) {
    if (problem instanceof BodyProblem) return rejected(problem.path, problem.message);
    if (problem instanceof WireProblem) return rejected(request.path(), problem.message);
    if (problem instanceof SpanProblem)
      return rejected(join(request.path(), problem.path), problem.message);
    throw problem;
  }
  const result = request.finish();
  const [first] = result.refused;
  // OTLP: data that is invalid as a whole is 400; with something good in it, a partial success.
  if (first && result.spans.length + result.flushes.length === 0)
    return rejected(first.path, first.problem);
  return decoded(result);
}

const join = (at: string, path: string): string => (at ? `${at}.${path}` : path);
