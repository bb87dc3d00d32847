// Collects what one body holds. Knows where it is (resource, scope, span), so
// that a path is only spelled when there is a problem to name.

import { SPAN, ATTR } from '@framescope/protocol';
import { checkSpan, type RawSpan } from './check-span.ts';
import { checkFlush } from './flush.ts';
import { SPANS_PER_REQUEST_MAX } from './limits.ts';
import { BodyProblem, SpanProblem } from './problem.ts';
import type {
  DecodedFlush,
  DecodedRequest,
  DecodedResource,
  DecodedSpan,
  Refusal,
} from './types.ts';

export class RequestBuilder {
  readonly #spans: DecodedSpan[] = [];
  readonly #flushes: DecodedFlush[] = [];
  readonly #refused: Refusal[] = [];
  #spanCount = 0;
  resourceIndex = -1;
  scopeIndex = -1;
  spanIndex = -1;
  resource: DecodedResource = { attributes: {} };
  scope = '';

  /** Path of the place that is read now. */
  path(): string {
    if (this.resourceIndex < 0) return '';
    let path = `resourceSpans[${this.resourceIndex}]`;
    if (this.scopeIndex >= 0) path += `.scopeSpans[${this.scopeIndex}]`;
    if (this.spanIndex >= 0) path += `.spans[${this.spanIndex}]`;
    return path;
  }

  /** Takes the span that `read` reads; a SpanProblem in it refuses this span alone. */
  add(read: () => RawSpan): void {
    this.#spanCount++;
    if (this.#spanCount > SPANS_PER_REQUEST_MAX)
      throw new BodyProblem(
        this.path(),
        `more than ${SPANS_PER_REQUEST_MAX} spans in one request; send smaller batches`,
      );
    try {
      this.#take(checkSpan(read(), this.scope, this.resource));
    } catch (problem) {
      if (!(problem instanceof SpanProblem)) throw problem;
      this.#refused.push({
        path: `${this.path()}.${problem.path}`,
        problem: problem.message,
        reason: problem.reason,
      });
    }
  }

  #take(span: DecodedSpan): void {
    if (span.name === SPAN.frames && ATTR.producer in span.attributes)
      this.#flushes.push(checkFlush(span));
    else this.#spans.push(span);
  }

  finish(): DecodedRequest {
    return { spans: this.#spans, flushes: this.#flushes, refused: this.#refused };
  }
}
