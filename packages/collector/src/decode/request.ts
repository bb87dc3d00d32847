// Collects what one body holds. Knows where it is (resource, scope, span), so
// that a path is only spelled when there is a problem to name.

import { SPAN, ATTR } from '@framescope/protocol';
import { checkSpan, type RawSpan } from './check-span.ts';
import { checkFlush } from './flush.ts';
import { blockedLoad, checkLoad, isLoad } from './load.ts';
import { SPANS_PER_REQUEST_MAX } from './limits.ts';
import { BodyProblem, SpanProblem } from './problem.ts';
import type { ColumnSink } from './column-sink.ts';
import type {
  DecodedFlush,
  DecodedLoad,
  DecodedRequest,
  DecodedResource,
  DecodedSpan,
  Refusal,
} from './types.ts';

export class RequestBuilder {
  readonly #spans: DecodedSpan[] = [];
  readonly #flushes: DecodedFlush[] = [];
  readonly #loads: DecodedLoad[] = [];
  readonly #refused: Refusal[] = [];
  /** Where quick readers put rows; absent: spans become objects. */
  readonly #sink: ColumnSink | undefined;
  #spanCount = 0;
  #rowCount = 0;
  resourceIndex = -1;
  scopeIndex = -1;
  spanIndex = -1;
  resource: DecodedResource = { attributes: {} };
  /** As scope.ts writes it. */
  scope = '';

  /** With a `sink`, spans become rows of its columns; else objects. */
  constructor(sink?: ColumnSink) {
    this.#sink = sink;
  }

  /** Path of the place that is read now. */
  path(): string {
    if (this.resourceIndex < 0) return '';
    let path = `resourceSpans[${this.resourceIndex}]`;
    if (this.scopeIndex >= 0) path += `.scopeSpans[${this.scopeIndex}]`;
    if (this.spanIndex >= 0) path += `.spans[${this.spanIndex}]`;
    return path;
  }

  /** Takes the span in protobuf at `[from, to)`, if it is one of the usual ones. */
  addQuick(from: number, to: number): boolean {
    const isFull = this.#spanCount >= SPANS_PER_REQUEST_MAX;
    if (isFull || this.#sink?.readProtobuf(from, to, this) !== true) return false;
    this.#spanCount++;
    this.#rowCount++;
    return true;
  }

  /** The same for a span in JSON that starts at `from`: where it ends, or -1. */
  addQuickJson(from: number): number {
    if (this.#spanCount >= SPANS_PER_REQUEST_MAX) return -1;
    const end = this.#sink?.readJson(from, this) ?? -1;
    if (end < 0) return -1;
    this.#spanCount++;
    this.#rowCount++;
    return end;
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
    if (isLoad(span)) return void this.#loads.push(...checkLoad(span));
    const blocked = blockedLoad(span);
    if (blocked !== undefined) this.#loads.push(blocked);
    if (span.name === SPAN.frames && isFlush(span)) this.#flushes.push(checkFlush(span));
    else if (this.#sink) {
      this.#sink.columns.add(span);
      this.#rowCount++;
    } else this.#spans.push(span);
  }

  finish(): DecodedRequest {
    return {
      spans: this.#spans,
      ...(this.#sink && { rowCount: this.#rowCount }),
      flushes: this.#flushes,
      ...(this.#loads.length > 0 && { loads: this.#loads }),
      refused: this.#refused,
    };
  }
}

/** A record says who wrote it; without one, the producer is told beside it. */
const isFlush = ({ attributes }: DecodedSpan): boolean =>
  ATTR.producer in attributes || ATTR.record in attributes;
