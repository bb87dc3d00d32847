import { context, trace, type Context, type Span } from '@opentelemetry/api';

/** OpenTelemetry's context, under a name of ours: other folders do not import it. */
export type OtelContext = Context;

/** What is active now, with `span` in it. */
export const contextOf = (span: Span): OtelContext => trace.setSpan(context.active(), span);
