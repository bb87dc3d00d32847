// The human at the client: listens to what is played, thinks for a moment when
// the agent has finished, then says the next thing. With `--barge-in`, every
// second answer is interrupted after a second of it was heard, with `--brief` each.

import { FRAME_MS, levelDb } from '../common/audio.ts';
import type { Random } from '../common/random.ts';

const AUDIBLE_DB = -50;
const THINK_MIN_MS = 500;
const THINK_SPREAD_MS = 900;
/** Nobody answers: say the next thing, as people do. */
const PATIENCE_MS = 12_000;
const BARGE_IN_AFTER_MS = 1_000;

export interface UserOptions {
  readonly random: Random;
  readonly turns: number;
  /** `often`: every second answer. */
  readonly bargesIn: 'never' | 'often' | 'always';
}

export class User {
  readonly #options: UserOptions;
  #turn = 0;
  #quietMs = 0;
  #heardMs = 0;
  #agentIsDone = false;
  #thinkMs: number;

  constructor(options: UserOptions) {
    this.#options = options;
    this.#thinkMs = this.#nextThinkMs();
  }

  /** The agent said that its answer is all sent. */
  agentDone(): void {
    this.#agentIsDone = true;
  }

  /** Hears 20 ms; says what the user does then. `isSpeaking`: still busy with the last thing. */
  hear(played: Int16Array, isSpeaking: boolean): 'listen' | 'speak' | 'hang up' {
    const isAudible = levelDb(played) > AUDIBLE_DB;
    this.#quietMs = isAudible || isSpeaking ? 0 : this.#quietMs + FRAME_MS;
    if (isAudible) this.#heardMs += FRAME_MS;
    if (isSpeaking || !this.#wantsToSpeak()) return 'listen';
    if (this.#turn >= this.#options.turns) return 'hang up';
    this.#turn += 1;
    this.#agentIsDone = false;
    this.#heardMs = 0;
    this.#quietMs = 0;
    this.#thinkMs = this.#nextThinkMs();
    return 'speak';
  }

  #wantsToSpeak(): boolean {
    if (this.#quietMs >= PATIENCE_MS) return true;
    if (this.#agentIsDone && this.#heardMs > 0 && this.#quietMs >= this.#thinkMs) return true;
    const { bargesIn } = this.#options;
    const interrupts = bargesIn === 'always' || (bargesIn === 'often' && this.#turn % 2 === 1);
    return (
      interrupts &&
      this.#turn > 0 &&
      this.#turn < this.#options.turns &&
      this.#heardMs >= BARGE_IN_AFTER_MS
    );
  }

  #nextThinkMs(): number {
    return THINK_MIN_MS + THINK_SPREAD_MS * this.#options.random();
  }
}
