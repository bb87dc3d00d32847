// Does what was taken for the user sound like the agent? An echo is the agent's own sound, later and quieter:
// its envelope is that of the agent's, moved. Both are kept as loudness by 20 ms, the last half minute of the
// agent and the last seconds of the user, and held against each other at every delay.
//
//   agent  ▁▃▇█▅▂▁▁▃▆█▇▃▁▂▅▇▆▃▁ …      Pearson's correlation of as many windows as the user has,
//   user               ▁▂▄▄▃▁▁▂▃▄▄▂▁   at the delay where it is greatest
//
// The envelopes of two people rise and fall alike by chance for half a second, and no longer: with less
// than that nothing is said.

const WINDOW_MS = 20;
/** Half a second: below it two voices are alike at some delay or other. */
const LEAST_WINDOWS = 25;
const USER_WINDOWS = 150;
const AGENT_WINDOWS = 1_500;
/** Of the energy, what has to be ups and downs. */
const EVEN = 0.01;

/** Loudness of one stream by 20 ms; the last of them. */
class Envelope {
  readonly #size: number;
  readonly #keep: number;
  #sum = 0;
  #count = 0;
  #levels: number[] = [];

  constructor(sampleRate: number, keep: number) {
    this.#size = Math.max(1, Math.round((sampleRate * WINDOW_MS) / 1_000));
    this.#keep = keep;
  }

  push(samples: Float32Array): void {
    for (const sample of samples) {
      this.#sum += sample * sample;
      if (++this.#count < this.#size) continue;
      this.#levels.push(Math.sqrt(this.#sum / this.#size));
      this.#sum = 0;
      this.#count = 0;
    }
    // Cut seldom: twice as many as are looked at.
    if (this.#levels.length > 2 * this.#keep) this.#levels = this.#levels.slice(-this.#keep);
  }

  last(count: number): readonly number[] {
    return this.#levels.slice(-Math.min(count, this.#keep));
  }
}

export class EchoWatch {
  readonly #user: Envelope;
  readonly #agent: Envelope;

  constructor(userRate: number, agentRate: number) {
    this.#user = new Envelope(userRate, USER_WINDOWS);
    this.#agent = new Envelope(agentRate, AGENT_WINDOWS);
  }

  heard(samples: Float32Array): void {
    this.#user.push(samples);
  }

  spoken(samples: Float32Array): void {
    this.#agent.push(samples);
  }

  /** 0 to 1, of the user's last `ms`; undefined: too short to say. Costs a millisecond at most. */
  correlation(ms: number): number | undefined {
    const user = this.#user.last(Math.floor(ms / WINDOW_MS));
    const agent = this.#agent.last(AGENT_WINDOWS);
    if (user.length < LEAST_WINDOWS || agent.length < user.length) return undefined;
    let most = 0;
    for (let delay = 0; delay + user.length <= agent.length; delay++)
      most = Math.max(most, pearson(user, agent, delay));
    return most;
  }
}

function pearson(a: readonly number[], b: readonly number[], from: number): number {
  const n = a.length;
  let [sumA, sumB, aa, bb, ab] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const x = a[i]!;
    const y = b[from + i]!;
    sumA += x;
    sumB += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const spreadA = aa - (sumA * sumA) / n;
  const spreadB = bb - (sumB * sumB) / n;
  // An even tone is like any other.
  if (spreadA <= EVEN * aa || spreadB <= EVEN * bb) return 0;
  const spread = Math.sqrt(spreadA * spreadB);
  return spread > 0 ? Math.min(1, Math.max(0, (ab - (sumA * sumB) / n) / spread)) : 0;
}
