// The user speaks over the agent: onset → detected → decided → cancelled. When
// the last agent sample was heard, the collector reads off the client's marks.

import type { BargeInState, DomainNs } from '@framescope/protocol';
import { momentOf, optionsOf, tickOf } from '../coerce.ts';
import type { Problems } from '../problems.ts';

/** What a barge-in needs of its turn. */
export interface BargeInHost {
  readonly problems: Problems;
  now(): DomainNs;
  changed(): void;
  /** The user does not hear the end of what was said last. */
  cut(): void;
}

interface At {
  /** Default now. */
  readonly at?: DomainNs;
}

/** The user speaks over the agent. Got from `turn.bargeIn`. Each step stamps the time of its first call. */
export class BargeIn {
  readonly #host: BargeInHost;
  #state: BargeInState;

  /** Made by `Turn.bargeIn`. */
  constructor(host: BargeInHost, state: BargeInState) {
    this.#host = host;
    this.#state = state;
  }

  /** Speech over the agent was noticed. Of each step the first call counts. */
  detected(options?: At): this {
    return this.#step('detectedAt', options);
  }

  /** It was decided to stop: no backchannel, no echo. */
  decided(options?: At): this {
    return this.#step('decidedAt', options);
  }

  /**
   * Generation and playback were told to stop: the words said last count as cut. `generatedTick`: last
   * agent sample generated.
   */
  cancelled(options?: At & { readonly generatedTick?: number }): this {
    const generated = this.#host.problems.guard(
      'bargeIn.cancelled',
      () => optionsOf(options).generatedTick,
    );
    const { problems } = this.#host;
    const generatedTick =
      generated === undefined ? undefined : tickOf(generated, 'bargeIn.cancelled', problems);
    if (generatedTick !== undefined && this.#state.cancelledAt === undefined)
      this.#state = { ...this.#state, generatedTick };
    this.#host.cut();
    return this.#step('cancelledAt', options);
  }

  /** The agent went on with the same speech: it was no interruption after all. */
  resumed(options?: At): this {
    return this.#step('resumedAt', options);
  }

  /**
   * How much what was taken for the user resembles the agent's own sound, 0 to 1: the correlation of their
   * envelopes at the best delay. 0.9 and no words of the user count as an echo. The greatest told counts.
   */
  echo(correlation: number): this {
    const { problems } = this.#host;
    const take = (): void => {
      if (!(correlation >= 0 && correlation <= 1))
        return problems.report('bad_argument', 'bargeIn.echo takes a correlation from 0 to 1');
      if (correlation <= (this.#state.echo ?? -1)) return;
      this.#state = { ...this.#state, echo: Math.round(correlation * 1_000) / 1_000 };
      this.#host.changed();
    };
    problems.guard('bargeIn.echo', take, () => undefined);
    return this;
  }

  get state(): BargeInState {
    return this.#state;
  }

  #step(name: 'detectedAt' | 'decidedAt' | 'cancelledAt' | 'resumedAt', options?: At): this {
    const { problems } = this.#host;
    const step = (): void => {
      if (this.#state[name] !== undefined) return;
      const at = momentOf(optionsOf(options).at, this.#host.now(), 'turn.bargeIn', problems);
      this.#state = { ...this.#state, [name]: at };
      this.#host.changed();
    };
    problems.guard('turn.bargeIn', step);
    return this;
  }
}
