// One body of logs or metrics, in either encoding, as the object that OTLP/JSON has.

import type { Encoding } from './decode.ts';
import type { JsonObject } from './any-value.ts';
import { LOGS_REQUEST, METRICS_REQUEST, readObject } from './otlp-object.ts';
import { BodyProblem } from './problem.ts';

/** @throws {BodyProblem | WireProblem} */
export function readRequest(
  bytes: Uint8Array,
  encoding: Encoding,
  signal: 'logs' | 'metrics',
): JsonObject {
  if (encoding === 'protobuf')
    return readObject(bytes, signal === 'logs' ? LOGS_REQUEST : METRICS_REQUEST);
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch (cause) {
    throw new BodyProblem('', `not JSON: ${cause instanceof Error ? cause.message : 'unreadable'}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new BodyProblem('', 'expected an object');
  return json as JsonObject;
}
