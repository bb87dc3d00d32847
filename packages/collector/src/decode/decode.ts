// The front door of decoding: bytes of one OTLP trace request → spans and
// flushes, or the path of the problem. Never throws for input.

import { decoded, rejected, type Decoded } from '@framescope/protocol';
import type { ColumnSink } from './column-sink.ts';
import { readJson } from './otlp-json.ts';
import { readProtobuf } from './otlp-protobuf.ts';
import { BodyProblem, SpanProblem } from './problem.ts';
import { WireProblem } from './proto-reader.ts';
import { readQuickJson } from './quick-json.ts';
import { RequestBuilder } from './request.ts';
import type { DecodedRequest } from './types.ts';

export type Encoding = 'json' | 'protobuf';

/** With a `sink`, spans become rows of its columns; a body that is rejected leaves none. */
export function decodeTraces(
  bytes: Uint8Array,
  encoding: Encoding,
  sink?: ColumnSink,
): Decoded<DecodedRequest> {
  const rowsBefore = sink?.columns.length ?? 0;
  sink?.begin(bytes);
  const result = read(bytes, encoding, sink);
  if (!result.ok) sink?.columns.truncate(rowsBefore);
  return result;
}

function read(
  bytes: Uint8Array,
  encoding: Encoding,
  sink: ColumnSink | undefined,
): Decoded<DecodedRequest> {
  let request = new RequestBuilder(sink);
  try {
    if (sink && encoding === 'json') {
      const rowsBefore = sink.columns.length;
      if (readQuickJson(bytes, request)) return resultOf(request);
      sink.columns.truncate(rowsBefore);
      request = new RequestBuilder(sink);
    }
    if (encoding === 'json') readJson(bytes, request);
    else readProtobuf(bytes, request);
  } catch (problem) {
    if (problem instanceof BodyProblem) return rejected(problem.path, problem.message);
    if (problem instanceof WireProblem) return rejected(request.path(), problem.message);
    if (problem instanceof SpanProblem)
      return rejected(join(request.path(), problem.path), problem.message);
    throw problem;
  }
  return resultOf(request);
}

function resultOf(request: RequestBuilder): Decoded<DecodedRequest> {
  const result = request.finish();
  const [first] = result.refused;
  const { spans, rowCount = 0, flushes, loads = [] } = result;
  const takenCount = spans.length + rowCount + flushes.length + loads.length;
  // OTLP: data that is invalid as a whole is 400; with something good in it, a partial success.
  return first && takenCount === 0 ? rejected(first.path, first.problem) : decoded(result);
}

const join = (at: string, path: string): string => (at ? `${at}.${path}` : path);
