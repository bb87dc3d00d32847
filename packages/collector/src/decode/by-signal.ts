// One body of any signal → what it holds, or the path of the problem. Never throws for input.
// Spans of traces go into the columns of `sink`, when there is one.

import { decoded, rejected, type Decoded } from '@framescope/protocol';
import type { ColumnSink } from './column-sink.ts';
import { decodeTraces, type Encoding } from './decode.ts';
import { readLogs } from './logs.ts';
import { readMetrics } from './metrics.ts';
import { BodyProblem, SpanProblem } from './problem.ts';
import { WireProblem } from './proto-reader.ts';
import type { DecodedRequest } from './types.ts';

export type Signal = 'traces' | 'logs' | 'metrics';

export function decodeSignal(
  bytes: Uint8Array,
  encoding: Encoding,
  signal: Signal,
  sink?: ColumnSink,
): Decoded<DecodedRequest> {
  if (signal === 'traces') return decodeTraces(bytes, encoding, sink);
  try {
    const request = (signal === 'logs' ? readLogs : readMetrics)(bytes, encoding);
    const [first] = request.refused;
    const takenCount = request.spans.length + (request.points?.length ?? 0);
    const isAllBad = takenCount === 0 && request.ignored === undefined;
    return first && isAllBad ? rejected(first.path, first.problem) : decoded(request);
  } catch (problem) {
    if (problem instanceof BodyProblem || problem instanceof SpanProblem)
      return rejected(problem.path, problem.message);
    if (problem instanceof WireProblem) return rejected('', problem.message);
    throw problem;
  }
}
