// Turns of a framework that tells who speaks, and none of its audio: events on a
// client. What it says is all there is, so each utterance leaves one frame of
// 20 ms where it is known to have begun or ended, at a hop of the role
// `framework`; between them nothing is claimed.
//
//   user   ──began────────ended──────────────────────────▶   mic.framework/vad
//   agent  ───────────────────────began────────ended─────▶   agent.framework/send
//                              wait    └ 2.5 s of silence, or the user: the turn is over
//
// Where another adapter marks the audio itself, its media clock is used instead.

import {
  domainNs,
  NS_PER_MS,
  NS_PER_S,
  type DomainNs,
  type TurnOutcome,
} from '@framescope/protocol';
import type { Hop } from '../../hop/hop.ts';
import type { Stream } from '../../hop/stream.ts';
import type { SessionPort, Timer } from '../../ports.ts';
import type { Session } from '../../session.ts';
import { tellWords, type TickRange } from './lineage.ts';
import type { BargeIn } from '../../turn/barge-in.ts';
import type { Turn } from '../../turn/turn.ts';

const RATE_HZ = 16_000;
const FRAME_TICKS = 320;
/** A user who goes on so soon was cut off: it is one turn still. */
const GOES_ON_NS: number = 1_500 * NS_PER_MS;
/** So long silent, the agent is done. Pipecat reckons the same. */
const DONE_MS = 2_500;

export interface SpokenTurnsOptions {
  readonly session: Session;
  readonly port: SessionPort;
  /** Of every moment that is told: `rtvi`, `livekit`. */
  readonly source: string;
  readonly mic: Stream | undefined;
  readonly agent: Stream | undefined;
}

/** One direction as far as it is told. */
class Told {
  readonly stream: Stream;
  readonly #hop: Hop;
  readonly #zeroNs: DomainNs;
  #ownTick = 0;
  /** The last utterance: from where it began, and until where it ended. */
  #fromTick: number | undefined;
  #toTick: number | undefined;

  constructor(stream: Stream, hopName: string, zeroNs: DomainNs) {
    this.stream = stream;
    this.#hop = stream.hop(hopName, { role: 'framework' });
    this.#zeroNs = zeroNs;
  }

  /** The tick at `at`; a frame that ends there (`isEnd`) or begins there is marked, if nobody else does. */
  place(at: DomainNs, isEnd: boolean): number {
    const tick = this.#place(at, isEnd);
    if (!isEnd) this.#fromTick = tick;
    this.#toTick = isEnd ? tick : undefined;
    return tick;
  }

  /** Where the last utterance stands; until now, if it is not over. */
  said(at: DomainNs): TickRange | undefined {
    const from = this.#fromTick;
    return from === undefined ? undefined : { from, to: this.#toTick ?? this.#tickOf(at) };
  }

  #tickOf(at: DomainNs): number {
    const { position, sampleRate } = this.stream;
    if (position > this.#ownTick) return position;
    return Math.max(0, Math.round(((at - this.#zeroNs) * sampleRate) / NS_PER_S));
  }

  #place(at: DomainNs, isEnd: boolean): number {
    const { position } = this.stream;
    if (position > this.#ownTick) return position;
    const tick = this.#tickOf(at);
    const start = Math.max(this.#ownTick, isEnd ? tick - FRAME_TICKS : tick);
    const end = Math.max(start + 1, isEnd ? tick : start + FRAME_TICKS);
    this.#ownTick = end;
    this.#hop.markAt(start, end - start, at);
    return isEnd ? end : start;
  }
}

export class SpokenTurns {
  readonly #options: SpokenTurnsOptions;
  readonly #startedAt: DomainNs;
  readonly #user: Told;
  readonly #agent: Told;
  #turn: Turn | undefined;
  #bargeIn: BargeIn | undefined;
  #isUserSpeaking = false;
  #isAgentSpeaking = false;
  #isWaiting = false;
  #hasSpoken = false;
  #userEndedAt: DomainNs | undefined;
  #agentEndedAt: DomainNs | undefined;
  #timer: Timer | undefined;

  constructor(options: SpokenTurnsOptions) {
    this.#options = options;
    const { session, mic, agent } = options;
    this.#startedAt = this.now;
    this.#user = new Told(
      mic ?? session.stream('mic', { sampleRate: RATE_HZ }),
      'vad',
      this.#startedAt,
    );
    this.#agent = new Told(
      agent ?? session.stream('agent', { sampleRate: RATE_HZ }),
      'send',
      this.#startedAt,
    );
  }

  get now(): DomainNs {
    return this.#options.port.clock.now();
  }

  /** The turn under way, if any. */
  get turn(): Turn | undefined {
    return this.#turn;
  }

  /** The turn that work belongs to: one that nobody asked for begins where there is none. */
  get current(): Turn {
    this.#turn ??= this.#greeting();
    return this.#turn;
  }

  /** The user's words, as the framework recognised them. */
  heard(text: string): void {
    const { port, source } = this.#options;
    this.current.moment('transcript_final', { source });
    this.current.heard(text);
    const range = this.#user.said(this.now);
    tellWords(port, this.#user.stream, range, { text, quality: 'inferred' });
  }

  /** The agent's words. */
  said(text: string): void {
    this.current.said(text);
    const range = this.#agent.said(this.now);
    tellWords(this.#options.port, this.#agent.stream, range, { text, quality: 'inferred' });
  }

  userBegan(): void {
    if (this.#isUserSpeaking) return;
    this.#isUserSpeaking = true;
    this.#timer?.cancel();
    const { now } = this;
    const tick = this.#user.place(now, false);
    if (this.#goesOn(now)) return;
    if (this.#isAgentSpeaking && this.#turn !== undefined)
      this.#bargeIn = this.#turn.bargeIn({ onsetTick: tick }).detected();
    else this.#end(this.#isWaiting ? 'interrupted' : 'completed', this.#agentEndedAt);
    this.#interrupted ??= this.#isAgentSpeaking ? this.#turn : undefined;
    this.#turn = this.#options.session.startTurn({ stream: this.#user.stream, at: tick });
    this.#hasSpoken = false;
    this.#isWaiting = false;
  }

  /** The turn that the user spoke over, until it is known how that ended. */
  #interrupted: Turn | undefined;

  /** `endedMs`: how long ago the user fell silent, as far as that is known; `errorMs`: how far that is off. */
  userEnded(endedMs: number, errorMs: number): void {
    if (!this.#isUserSpeaking) return;
    this.#isUserSpeaking = false;
    const { now } = this;
    const tick = this.#user.place(domainNs(now - Math.round(endedMs * NS_PER_MS)), true);
    const { source } = this.#options;
    this.current.speechEnded({ tick, stream: this.#user.stream, source, errorMs });
    this.current.moment('turn_decided', { source });
    this.#userEndedAt = now;
    this.#isWaiting = true;
  }

  agentBegan(): void {
    if (this.#isAgentSpeaking) return;
    this.#isAgentSpeaking = true;
    this.#agentEndedAt = undefined;
    this.#timer?.cancel();
    const { source } = this.#options;
    const turn = this.current;
    const tick = this.#agent.place(this.now, false);
    if (this.#isWaiting) {
      turn.moment('first_frame_sent', { source });
      turn.firstVoiced({ tick, stream: this.#agent.stream, source, errorMs: 50 });
    }
    this.#isWaiting = false;
    this.#hasSpoken = true;
  }

  agentEnded(): void {
    if (!this.#isAgentSpeaking) return;
    this.#isAgentSpeaking = false;
    this.#agentEndedAt = this.now;
    this.#agent.place(this.now, true);
    if (this.#interrupted !== undefined) this.#cutOff(this.#interrupted);
    else this.#watch();
  }

  /** The connection or the session is over. */
  settle(): void {
    this.#timer?.cancel();
    if (this.#interrupted !== undefined) this.#cutOff(this.#interrupted);
    this.#end(this.#isWaiting ? 'abandoned' : 'completed', this.#agentEndedAt);
  }

  #goesOn(now: DomainNs): boolean {
    if (this.#turn === undefined || this.#hasSpoken) return false;
    return this.#userEndedAt !== undefined && now - this.#userEndedAt < GOES_ON_NS;
  }

  #cutOff(turn: Turn): void {
    this.#interrupted = undefined;
    this.#bargeIn?.decided().cancelled();
    this.#bargeIn = undefined;
    turn.cut();
    turn.end({ outcome: 'interrupted' });
  }

  #greeting(): Turn {
    const { session, source } = this.#options;
    const isFirst = this.#userEndedAt === undefined && this.#agentEndedAt === undefined;
    if (!isFirst) return session.startTurn({ stream: this.#user.stream });
    this.#isWaiting = true;
    return session.greeting({ at: this.#startedAt, source });
  }

  #watch(): void {
    const { port } = this.#options;
    this.#timer?.cancel();
    this.#timer = port.timers.after(DONE_MS, () => {
      port.problems.guard(this.#options.source, () => this.#end('completed', this.#agentEndedAt));
    });
  }

  #end(outcome: TurnOutcome, at: DomainNs | undefined): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.end({ outcome, ...(at === undefined || outcome !== 'completed' ? {} : { at }) });
  }
}
