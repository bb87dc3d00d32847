// What decoding into columns has to know of a text: does it name a session, is it the name
// of our own flushes, … Asked of each text once, not of each span.

import { LOAD_SPAN, SPAN } from '@framescope/protocol';
import { RANK_NONE, SESSION_KEYS } from './session-keys.ts';
import { BLOCKED_SPAN } from './load.ts';
import { flagsText, type SpanColumns } from './span-columns.ts';

export class ColumnWords {
  readonly #columns: SpanColumns;
  #clearedCount = -1;
  /** Text numbers. No key beyond this one names a session: one comparison an attribute. */
  lastSessionKey = 0;
  #framesName = 0;
  #loadName = 0;
  #blockedName = 0;
  readonly #ranks = new Map<number, number>();
  #flags = 0;
  #flagsText = 0;

  constructor(columns: SpanColumns) {
    this.#columns = columns;
  }

  /** Call before each body: the columns may have forgotten their texts. */
  refresh(): void {
    const { texts } = this.#columns;
    if (texts.clearedCount === this.#clearedCount) return;
    this.#clearedCount = texts.clearedCount;
    this.#ranks.clear();
    this.#flags = this.#flagsText = 0;
    for (const [rank, key] of SESSION_KEYS.entries()) this.#ranks.set(texts.internText(key), rank);
    this.lastSessionKey = Math.max(...this.#ranks.keys());
    this.#framesName = texts.internText(SPAN.frames);
    this.#loadName = texts.internText(LOAD_SPAN);
    this.#blockedName = texts.internText(BLOCKED_SPAN);
  }

  /** Spans of this name are more than spans: the reader that knows everything takes them. */
  isSpecial(name: number): boolean {
    return name === this.#framesName || name === this.#loadName || name === this.#blockedName;
  }

  /** The text of a span's extras that has these flags alone: of one program all say the same. */
  flagsText(flags: number): number {
    if (flags === this.#flags) return this.#flagsText;
    this.#flags = flags;
    return (this.#flagsText = this.#columns.texts.internText(flagsText(flags)));
  }

  /** Rank of a key as the name of a session (session-keys.ts). */
  rankOf(key: number): number {
    return this.#ranks.get(key) ?? RANK_NONE;
  }
}
