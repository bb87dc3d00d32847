// What the caller has heard. Twilio plays what it is sent in real time and sends
// a `mark` back when all that was queued before it has played:
//
//   sent    ─[ chunk ][ chunk ]─mark a─[ chunk ]─mark b─▶
//   echoed                     a at T1         b at T2
//   played    ends at T1, so it began that much before; the next ends at T2
//
// After a `clear` the marks come back at once: nothing was played then.

import { domainNs, ticksToNs, type DomainNs } from '@framescope/protocol';
import type { Hop } from '../../hop/hop.ts';
import type { Stream } from '../../hop/stream.ts';

/** Marks under way. Twilio's queue holds minutes; more than this and the oldest are forgotten. */
const MARKS_MAX = 512;
const PIECES_MAX = 4_096;

/** Audio in one go, as it was sent. */
interface Piece {
  readonly tick: number;
  readonly end: number;
  readonly sentAt: DomainNs;
}

interface Mark {
  readonly name: string;
  readonly pieces: Piece[];
  isCleared: boolean;
}

/** A player of PCM in the page whose playout is traced; see `PlayoutOptions`. Off the audio thread. */
export class Playout {
  readonly #stream: Stream;
  readonly #hop: Hop;
  readonly #marks: Mark[] = [];
  #pieces: Piece[] = [];

  constructor(stream: Stream) {
    this.#stream = stream;
    const { role } = stream.hop('send').name;
    this.#hop = stream.hop('playout', { role: 'carrier', after: `${role}/send` });
  }

  /** Ticks that were sent after the last mark. */
  get unmarkedTicks(): number {
    return this.#pieces.reduce((sum, { tick, end }) => sum + end - tick, 0);
  }

  /** Nothing is known to be queued. */
  get isIdle(): boolean {
    return this.#marks.every(mark => mark.isCleared) && this.#pieces.length === 0;
  }

  sent(tick: number, length: number, sentAt: DomainNs): void {
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.end === tick)
      this.#pieces[this.#pieces.length - 1] = { ...last, end: tick + length };
    else if (this.#pieces.length < PIECES_MAX)
      this.#pieces.push({ tick, end: tick + length, sentAt });
  }

  marked(name: string): void {
    this.#marks.push({ name, pieces: this.#pieces, isCleared: false });
    this.#pieces = [];
    if (this.#marks.length > MARKS_MAX) this.#marks.shift();
  }

  /** All that is queued is thrown away: what was not echoed by now is not known to be heard. */
  cleared(): void {
    const queued = this.#marks.filter(mark => !mark.isCleared).flatMap(mark => mark.pieces);
    for (const { tick, end } of [...queued, ...this.#pieces])
      this.#stream.drop(this.#hop, tick, end - tick);
    this.#pieces = [];
    for (const mark of this.#marks) mark.isCleared = true;
  }

  echoed(name: string, now: DomainNs): void {
    const at = this.#marks.findIndex(mark => mark.name === name);
    if (at < 0) return;
    // Marks come back in order: one that was passed over will not come any more.
    const pieces = this.#marks
      .splice(0, at + 1)
      .flatMap(mark => (mark.isCleared ? [] : mark.pieces));
    let endNs: number = now;
    const played: { readonly piece: Piece; readonly startNs: number }[] = [];
    for (const piece of pieces.toReversed()) {
      const lengthNs = ticksToNs(piece.end - piece.tick, this.#stream.sampleRate);
      const startNs = Math.max(endNs - lengthNs, piece.sentAt);
      played.unshift({ piece, startNs });
      endNs = startNs;
    }
    for (const { piece, startNs } of played)
      this.#hop.markAt(piece.tick, piece.end - piece.tick, domainNs(startNs));
  }
}
