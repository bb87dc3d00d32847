// Randomness without order: a draw is a pure function of what it is for.
//
// A generator that is pulled in sequence gives every later frame another delay
// as soon as one part of a scenario changes, and then "shorten one part and run
// again" compares two different networks. Here the delay of frame 17 on leg
// `edge>agent` depends on the seed, that name and 17 alone.

const GOLDEN = 0x9e3779b9;
const TWO_32 = 0x1_0000_0000;

/** Mixes 32 bits so that neighbouring inputs give unrelated outputs (murmur3's finaliser). */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

/** A family of draws: the same seed and purpose give the same value for the same index. */
export class Draws {
  readonly #base: number;

  constructor(seed: number, purpose: string) {
    this.#base = mix(mix(seed) ^ hashOf(purpose));
  }

  /** Uniform in [0, 1). */
  uniform(index: number): number {
    return mix(mix(this.#base + Math.imul(index + 1, GOLDEN)) ^ this.#base) / TWO_32;
  }

  /** Exponential with this mean. */
  exponential(index: number, mean: number): number {
    return -mean * Math.log(1 - this.uniform(index));
  }

  /** Log-normal: `median` times e to the power of a normal draw of this sigma. */
  logNormal(index: number, median: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform(2 * index)));
    const normal = radius * Math.cos(2 * Math.PI * this.uniform(2 * index + 1));
    return median * Math.exp(sigma * normal);
  }

  /** One of `choices`, by their weights. */
  pick<T>(index: number, choices: readonly (readonly [T, number])[]): T {
    const total = choices.reduce((sum, [, weight]) => sum + weight, 0);
    let rest = this.uniform(index) * total;
    for (const [choice, weight] of choices) {
      rest -= weight;
      if (rest < 0) return choice;
    }
    return choices.at(-1)![0];
  }
}

/** A repeatable source for code that wants `Math.random`'s shape: sequential, seeded. */
export function sequence(seed: number, purpose: string): () => number {
  const draws = new Draws(seed, purpose);
  let index = 0;
  return () => {
    index += 1;
    return draws.uniform(index);
  };
}
