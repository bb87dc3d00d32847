// Whose turn it is: exchanges begin, are interrupted, and end when the user has
// heard them out. What nobody says at the time is settled by timers: playback
// that is over, transcripts that come late or never.
//
//   speech_started ─▶ open ──▶ answering ──done, played out──▶ ended
//        │              ▲          │
//        │              └──────────┤ user goes on within 1.5 s, nothing heard yet
//        └─ over the agent: barge-in ─▶ cancelled, truncated or cleared ─▶ interrupted

import { domainNs, NS_PER_MS, type DomainNs } from '@framescope/protocol';
import type { SessionPort, Timer } from '../../ports.ts';
import type { Session } from '../../session.ts';
import { BoundedMap } from '../common/foreign.ts';
import { Exchange } from './exchange.ts';
import type { Downlink, Uplink } from './media.ts';

/** A user who goes on so soon was cut off: it is one turn still. */
const GOES_ON_NS: number = 1_500 * NS_PER_MS;
/** Silence inside an answer that counts as owing again. */
const RESUME_AFTER_MS = 300;
/** Where playback is reckoned from arrivals, it is off by the network and a buffer. */
const PLAYOUT_ERROR_MS = 100;
const TRANSCRIPT_GRACE_MS = 5_000;
/** Exchanges that wait for something; more means that something never comes. */
const OPEN_MAX = 16;
const ITEMS_MAX = 128;

export interface ExchangesHost {
  readonly session: Session;
  readonly port: SessionPort;
  readonly up: Uplink;
  readonly down: Downlink;
}

export class Exchanges {
  readonly #host: ExchangesHost;
  readonly #open = new Set<Exchange>();
  readonly #timers = new Map<Exchange, Timer>();
  readonly #byItem = new BoundedMap<Exchange>(ITEMS_MAX);
  /** The one the user and the model are in now. */
  current: Exchange | undefined;

  constructor(host: ExchangesHost) {
    this.#host = host;
  }

  get now(): DomainNs {
    return this.#host.port.clock.now();
  }

  /** A response that begins now has a turn to belong to. */
  get isOpen(): boolean {
    return this.current !== undefined && this.current.ending === undefined;
  }

  /** The user began to speak at `tick`. */
  speechBegan(tick: number, itemId: string | undefined): void {
    const before = this.current;
    const exchange =
      before !== undefined && this.#goesOn(before) ? before : this.#next(before, tick);
    if (itemId !== undefined) this.#byItem.set(itemId, exchange);
  }

  /** The user's speech ended at `tick`, and the turn is decided now. */
  speechEnded(exchange: Exchange, tick: number, how: { source: string; errorMs: number }): void {
    const { turn } = exchange;
    turn.speechEnded({ tick, stream: this.#host.up.stream, ...how });
    turn.moment('turn_decided', { source: how.source });
    exchange.speechEndedAt = this.now;
    exchange.isWaiting = true;
  }

  /** An exchange of speech that begins at `tick`, or the one that goes on. */
  begin(tick: number): Exchange {
    this.speechBegan(tick, undefined);
    return this.current!;
  }

  /** Of a user's item, else the one under way. */
  ofItem(itemId: string | undefined): Exchange | undefined {
    return this.#byItem.get(itemId) ?? this.current;
  }

  knows(itemId: string | undefined): boolean {
    return this.#byItem.get(itemId) !== undefined;
  }

  belongs(itemId: string, exchange: Exchange): void {
    this.#byItem.set(itemId, exchange);
  }

  /** Where a response belongs: the open exchange, a greeting, or speech that nobody asked for. */
  forResponse(requestedAt: DomainNs | undefined): Exchange {
    const { current } = this;
    if (current !== undefined && current.ending === undefined) return current;
    const { session, down, up } = this.#host;
    const at = requestedAt ?? this.now;
    const { stream } = down;
    const isFirst = current === undefined && down.tick === 0;
    const turn = isFirst
      ? session.greeting({ at, source: 'realtime' })
      : session.startTurn({ stream: up.stream, at: up.tick });
    const exchange = new Exchange(turn, isFirst ? stream.position : up.tick, isFirst);
    exchange.isWaiting = isFirst;
    return this.#opened(exchange);
  }

  /** The agent was cut off: generation and playback were told to stop. */
  interrupted(exchange: Exchange): void {
    if (exchange.ending !== undefined) return;
    const { down } = this.#host;
    const generatedTick = down.tick;
    exchange.bargeIn?.decided().cancelled({ generatedTick });
    exchange.turn.cut();
    down.cleared();
    exchange.finish(this.now, 'interrupted');
    this.#watch(exchange, TRANSCRIPT_GRACE_MS);
  }

  /** Something of it is over: looks whether all is, now or when it has played out. */
  look(exchange: Exchange): void {
    if (exchange.turn.isEnded) return this.#forget(exchange);
    if (exchange.ending !== undefined) return this.#lookAtTranscripts(exchange);
    const { down } = this.#host;
    const { now } = this;
    if (down.isPlaying(now) && exchange.hasSpoken) return this.#watch(exchange, this.#leftMs(now));
    if (exchange.isBusy) return this.#lookForSilence(exchange, now);
    if (exchange.isOwed && !exchange.hasSpoken && !exchange.hasFailed) return;
    const end = exchange.hasSpoken ? Math.min(down.playoutEnd, now) : now;
    exchange.finish(domainNs(end), exchange.hasFailed ? 'failed' : 'completed');
    this.look(exchange);
  }

  /** The session is about to end: so does every exchange. */
  settle(): void {
    for (const exchange of this.#open) {
      const isFailed = exchange.hasFailed && exchange.isWaiting;
      const outcome = isFailed ? 'failed' : exchange.isWaiting ? 'abandoned' : 'completed';
      exchange.finish(this.now, outcome);
      exchange.close();
      this.#forget(exchange);
    }
  }

  /** Exchanges whose answer may still be interrupted. */
  speaking(): Exchange | undefined {
    return [...this.#open].findLast(one => one.hasSpoken && one.ending === undefined);
  }

  #goesOn(exchange: Exchange): boolean {
    if (exchange.ending !== undefined || exchange.hasSpoken || !exchange.isOwed) return false;
    const endedAt = exchange.speechEndedAt;
    return endedAt === undefined || this.now - endedAt < GOES_ON_NS;
  }

  #next(before: Exchange | undefined, tick: number): Exchange {
    const { session, down, up } = this.#host;
    if (before !== undefined && before.ending === undefined) {
      const isOver = before.hasSpoken && (down.isPlaying(this.now) || before.isBusy);
      if (isOver) before.bargeIn ??= before.turn.bargeIn({ onsetTick: tick }).detected();
      else this.#leave(before);
    }
    const turn = session.startTurn({ stream: up.stream, at: tick });
    return this.#opened(new Exchange(turn, tick, true));
  }

  /** The user spoke again and the agent does not: heard out, or never answered. */
  #leave(exchange: Exchange): void {
    if (exchange.isWaiting) exchange.finish(this.now, 'interrupted');
    else exchange.finish(domainNs(Math.min(this.now, this.#host.down.playoutEnd)), 'completed');
    this.look(exchange);
  }

  #opened(exchange: Exchange): Exchange {
    this.current = exchange;
    this.#open.add(exchange);
    const [oldest] = this.#open;
    if (this.#open.size > OPEN_MAX && oldest !== undefined) {
      oldest.finish(this.now, 'completed');
      oldest.close();
      this.#forget(oldest);
    }
    return exchange;
  }

  /** A tool or a later response is under way: after a while of silence the agent owes again. */
  #lookForSilence(exchange: Exchange, now: DomainNs): void {
    if (!exchange.hasSpoken || exchange.isWaiting) return;
    const { playoutEnd } = this.#host.down;
    const silentMs = (now - playoutEnd) / NS_PER_MS;
    if (silentMs < RESUME_AFTER_MS) return this.#watch(exchange, RESUME_AFTER_MS - silentMs);
    this.owesAgain(exchange, playoutEnd);
  }

  owesAgain(exchange: Exchange, since: DomainNs): void {
    exchange.turn.wait('resume', {
      at: since,
      source: 'playout estimate',
      errorMs: PLAYOUT_ERROR_MS,
    });
    exchange.isWaiting = true;
  }

  /** Silence before an answer that goes on: so long that it counts? */
  wasSilent(since: DomainNs): boolean {
    return this.now - since >= RESUME_AFTER_MS * NS_PER_MS;
  }

  #lookAtTranscripts(exchange: Exchange): void {
    if (exchange.pendingTranscripts > 0) return this.#watch(exchange, TRANSCRIPT_GRACE_MS);
    exchange.close();
    this.#forget(exchange);
  }

  #leftMs(now: DomainNs): number {
    const { playoutEnd } = this.#host.down;
    const leftMs = (playoutEnd - now) / NS_PER_MS;
    return leftMs > 0 && leftMs < 600_000 ? leftMs + 1 : 1_000;
  }

  /** Looks again later; of two times the last one counts. */
  #watch(exchange: Exchange, delayMs: number): void {
    const { port } = this.#host;
    this.#timers.get(exchange)?.cancel();
    const timer = port.timers.after(delayMs, () => {
      port.problems.guard('openai-realtime', () => this.#onTime(exchange));
    });
    this.#timers.set(exchange, timer);
  }

  #onTime(exchange: Exchange): void {
    if (exchange.ending === undefined) return this.look(exchange);
    // The grace is over: what has not come by now is told without.
    exchange.close();
    this.#forget(exchange);
  }

  #forget(exchange: Exchange): void {
    this.#timers.get(exchange)?.cancel();
    this.#timers.delete(exchange);
    this.#open.delete(exchange);
  }
}
