// One exchange: the user spoke (or nobody did), the model answers, perhaps in
// several responses with tools between them. It is one turn.

import type { DomainNs, TurnOutcome } from '@framescope/protocol';
import type { BargeIn } from '../../turn/barge-in.ts';
import type { Stage } from '../../turn/stage.ts';
import type { Turn } from '../../turn/turn.ts';
import { BoundedMap } from '../common/foreign.ts';
import type { OnsetSearch } from '../common/voice.ts';

const ANSWERS_MAX = 32;
const TOOLS_MAX = 32;
/** Of what an answer says; a turn keeps no more of it. */
const TEXT_LENGTH_MAX = 4_000;

/** One response of the model. */
export class Answer {
  readonly id: string;
  readonly exchange: Exchange;
  readonly stage: Stage;
  /** Looks for the first voiced sample; gone when it is found, or given up. */
  onset: OnsetSearch | undefined;
  /** Tick of its first audio. */
  startTick: number | undefined;
  /** One beyond the last tick of its audio. */
  endTick: number | undefined;
  hasCalledTool = false;
  isDone = false;
  isCut = false;
  #text = '';

  constructor(id: string, exchange: Exchange, stage: Stage) {
    this.id = id;
    this.exchange = exchange;
    this.stage = stage;
  }

  get hasSpoken(): boolean {
    return this.startTick !== undefined;
  }

  adds(text: string): void {
    if (this.#text.length < TEXT_LENGTH_MAX)
      this.#text = (this.#text + text).slice(0, TEXT_LENGTH_MAX);
  }

  takeText(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}

interface Ending {
  readonly at: DomainNs;
  readonly outcome: TurnOutcome;
}

export class Exchange {
  readonly turn: Turn;
  /** False for a turn in which the agent owed nothing: it spoke on its own. */
  readonly isOwed: boolean;
  readonly answers: BoundedMap<Answer> = new BoundedMap(ANSWERS_MAX);
  readonly tools: BoundedMap<Stage> = new BoundedMap(TOOLS_MAX);
  readonly startTick: number;
  bargeIn: BargeIn | undefined;
  speechEndedAt: DomainNs | undefined;
  /** A wait is open: the agent owes sound. */
  isWaiting = false;
  hasSpoken = false;
  hasFailed = false;
  /** User items whose transcript has not come. */
  pendingTranscripts = 0;
  ending: Ending | undefined;

  constructor(turn: Turn, startTick: number, isOwed: boolean) {
    this.turn = turn;
    this.startTick = startTick;
    this.isOwed = isOwed;
  }

  /** Something is still under way that may bring sound. */
  get isBusy(): boolean {
    return this.tools.size > 0 || this.answers.values().some(answer => !answer.isDone);
  }

  /** Ends it now, or as soon as its transcripts are there. */
  finish(at: DomainNs, outcome: TurnOutcome): void {
    this.ending ??= { at, outcome };
    if (this.pendingTranscripts <= 0) this.close();
  }

  /** Ends it, whatever is still missing. */
  close(): void {
    const { ending } = this;
    if (ending === undefined || this.turn.isEnded) return;
    for (const stage of this.tools.values()) stage.end({ at: ending.at });
    this.turn.end(ending);
  }
}
