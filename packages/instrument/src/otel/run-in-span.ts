// `turn.run(work)`: OpenTelemetry's context carries the span into what `work`
// calls, through the context manager that the user's SDK registered. We do not
// register one: there can be only one in a process, and ours would make theirs
// be refused. Without one `work` runs all the same, and that is told once.

import { context, ROOT_CONTEXT, type Span } from '@opentelemetry/api';
import type { Problems } from '../problems.ts';
import { contextOf } from './context.ts';

export function runInSpan<T>(span: Span, problems: Problems, work: () => T): T {
  if (typeof work !== 'function') {
    problems.report('bad_argument', 'run: takes a function');
    return work;
  }
  return context.with(contextOf(span), () => {
    if (context.active() === ROOT_CONTEXT)
      problems.report(
        'no_context_manager',
        'run: no OpenTelemetry context manager is registered, so spans of your clients do not land in the turn; NodeTracerProvider.register() brings one',
      );
    return work();
  });
}
