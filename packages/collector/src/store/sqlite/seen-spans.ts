// Which spans came lately: a set of 64-bit fingerprints of (trace, span), with no
// object and no string a span.
//
// Two generations: when the younger one is full it becomes the older, and what was
// the older is forgotten. What is forgotten stands in the volumes, and is asked for
// there when its trace is seen again (trace-index.ts). A fingerprint that two spans
// share would lose one of them: among the half million held, once in 10^13 spans.

/** A generation: 2^18 spans in 2^19 places of 8 bytes. */
const PLACES = 1 << 19;
const SPANS_MAX: number = PLACES >> 1;

export class SeenSpans {
  #young = new Generation();
  #old = new Generation();

  /** True when the row's span was not there: it is from now on. */
  add(words: Uint32Array, row: number): boolean {
    fingerprint(words, row * 8);
    if (this.#old.has(low, high)) return false;
    return this.#young.add(low, high);
  }

  /** Of a stored span whose trace is known from now on: as young as what is known of the trace. */
  keep(words: Uint32Array, row: number): void {
    fingerprint(words, row * 8);
    this.#young.add(low, high);
  }

  /** Call between commits. True when spans were forgotten: then what traces are complete is, too. */
  turnOver(): boolean {
    if (this.#young.count < SPANS_MAX) return false;
    const old = this.#old;
    this.#old = this.#young;
    old.clear();
    this.#young = old;
    return true;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}

class Generation {
  #places = new Uint32Array(PLACES * 2);
  count = 0;

  has(first: number, second: number): boolean {
    return this.#places[this.#placeOf(first, second) + 1] !== 0;
  }

  add(first: number, second: number): boolean {
    const place = this.#placeOf(first, second);
    if (this.#places[place + 1] !== 0) return false;
    if (this.count * 4 >= this.#places.length) {
      this.#grow();
      return this.add(first, second);
    }
    this.#places[place] = first;
    this.#places[place + 1] = second;
    this.count++;
    return true;
  }

  /** Where it is, or the empty place where it would be. */
  #placeOf(first: number, second: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    let at = (first * 2) & mask;
    while (places[at + 1] !== 0 && (places[at] !== first || places[at + 1] !== second))
      at = (at + 2) & mask;
    return at;
  }

  /** A single commit may bring more than a generation. */
  #grow(): void {
    const old = this.#places;
    this.#places = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + 1] === 0) continue;
      const place = this.#placeOf(old[at]!, old[at + 1]!);
      this.#places[place] = old[at]!;
      this.#places[place + 1] = old[at + 1]!;
    }
  }

  clear(): void {
    if (this.#places.length > PLACES * 2) this.#places = new Uint32Array(PLACES * 2);
    else this.#places.fill(0);
    this.count = 0;
  }
}

/** The fingerprint asked for last; `high` is never 0, which marks an empty place. */
let low = 0;
let high = 0;

function fingerprint(words: Uint32Array, at: number): void {
  let a = 0x243f6a88;
  let b = 0x13198a2e;
  for (let i = at; i < at + 6; i++) {
    a = Math.imul(a ^ words[i]!, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul((b << 13) | (b >>> 19), 5) + (words[i]! ^ a);
    b = Math.imul(b ^ (b >>> 16), 0x85ebca6b);
  }
  a = Math.imul(a ^ b, 0xc2b2ae35);
  low = (a ^ (a >>> 16)) >>> 0;
  high = (b ^ (b >>> 13)) >>> 0 || 1;
}
