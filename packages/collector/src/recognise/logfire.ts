// Pydantic Logfire (scopes `logfire…`, `pydantic-ai`): the conventions for generative AI,
// and a copy of each span as it begins (`logfire.span_type` = `pending_span`), which would
// count everything twice.

import { framescopeProfile } from './framescope-edges.ts';
import { recogniseOperations } from './gen-ai.ts';
import type { Recogniser } from './source.types.ts';

const SCOPE = /^(logfire|pydantic-ai)(\.|$)/;

export const logfire: Recogniser = {
  name: 'logfire',
  owns: ({ scope, attributes }) => SCOPE.test(scope) || 'logfire.span_type' in attributes,
  recognise: (spans, context) => {
    const whole = spans.filter(span => span.attributes['logfire.span_type'] !== 'pending_span');
    return recogniseOperations(whole, context, 'logfire');
  },
  profile: framescopeProfile,
};
