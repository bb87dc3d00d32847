// What a finished response says of itself, in the words of OpenTelemetry's
// GenAI conventions where they have one.

import type { Attributes } from '../../ports.ts';
import { at, numberAt, textAt } from '../common/foreign.ts';

const USAGE: readonly (readonly [name: string, ...path: string[]])[] = [
  ['gen_ai.usage.input_tokens', 'input_tokens'],
  ['gen_ai.usage.output_tokens', 'output_tokens'],
  ['gen_ai.usage.cache_read.input_tokens', 'input_token_details', 'cached_tokens'],
  ['gen_ai.usage.audio.input_tokens', 'input_token_details', 'audio_tokens'],
  ['gen_ai.usage.audio.output_tokens', 'output_token_details', 'audio_tokens'],
];

/** `response` of a `response.done`. */
export function responseAttributes(response: unknown): Attributes {
  const out: Record<string, string | number> = {};
  const usage = at(response, 'usage');
  for (const [name, ...path] of USAGE) {
    const value = numberAt(usage, ...path);
    if (value !== undefined) out[name] = value;
  }
  const status = textAt(response, 'status');
  const reason = textAt(response, 'status_details', 'reason');
  if (status !== undefined) out['openai.response.status'] = status;
  if (reason !== undefined) out['openai.response.reason'] = reason;
  return out;
}

/** Known when it began. */
export const requestAttributes = (id: string, model: string | undefined): Attributes => ({
  'gen_ai.operation.name': 'generate_content',
  'gen_ai.provider.name': 'openai',
  'gen_ai.output.type': 'speech',
  'gen_ai.response.id': id,
  ...(model === undefined ? {} : { 'gen_ai.request.model': model }),
});

export function errorOf(response: unknown): string | undefined {
  if (textAt(response, 'status') !== 'failed') return undefined;
  const error = at(response, 'status_details', 'error');
  return textAt(error, 'message') ?? textAt(error, 'code') ?? 'the response failed';
}
