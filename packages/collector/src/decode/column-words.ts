// What decoding into columns has to know of a text: does it name a session, is it the name
// of our own flushes, … Asked of each text once, not of each span.

import { LOAD_SPAN, SPAN } from '@framescope/protocol';
import { SESSION_ID_LENGTH_MAX } from './limits.ts';
import { RANK_CERTAIN, RANK_NONE, SCRUBBED, SESSION_KEYS } from './session-keys.ts';
import { BLOCKED_SPAN } from './load.ts';
import { flagsText, VALUE, type SpanColumns } from './span-columns.ts';

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

  /**
   * What the attribute at `i` does to the session of its span, which is known by a key of `rank`:
   * 1 when it names it, 0 when it does not, -1 when the reader that knows everything must say.
   */
  sessionIn(i: number, key: number, rank: number): number {
    const { attrType, attrValue, texts } = this.#columns;
    const its = this.rankOf(key);
    // A better one is known; of one rank the span's own wins over its resource's.
    if (its > rank) return 0;
    const isText = attrType[i] === VALUE.text && attrValue[i] !== 0;
    const length = isText ? texts.byteLength(attrValue[i]!) : 0;
    if (length === SCRUBBED.length && texts.text(attrValue[i]!) === SCRUBBED) return 0;
    if (isText && length <= SESSION_ID_LENGTH_MAX) return 1;
    // A number, nothing at all, or too long.
    return its === RANK_CERTAIN ? -1 : 0;
  }

  /** Rank of a key as the name of a session (session-keys.ts). */
  rankOf(key: number): number {
    return this.#ranks.get(key) ?? RANK_NONE;
  }
}
