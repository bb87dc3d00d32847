// What decoding into columns has to know of a text: is it `session.id`, the name
// of our own flushes, … Asked of each text once, not of each span.

import { ATTR, SPAN } from '@framescope/protocol';
import type { SpanColumns } from './span-columns.ts';

export class ColumnWords {
  readonly #columns: SpanColumns;
  #clearedCount = -1;
  /** Text numbers. */
  sessionId = 0;
  framesName = 0;

  constructor(columns: SpanColumns) {
    this.#columns = columns;
  }

  /** Call before each body: the columns may have forgotten their texts. */
  refresh(): void {
    const { texts } = this.#columns;
    if (texts.clearedCount === this.#clearedCount) return;
    this.#clearedCount = texts.clearedCount;
    this.sessionId = texts.internText(ATTR.sessionId);
    this.framesName = texts.internText(SPAN.frames);
  }
}
