// The Live API is full duplex: it says neither when the user speaks nor when a
// turn is over. Both are inferred from the energy of the two streams (rule 9 of
// the ledger), and every moment says so: its source is `inferred:energy`.
//
//   user   ▁▃█▆▅▁▁▁▁▁▁▁▁▁▁▁▃▁▁▁▁▁▁      an utterance: 250 ms voiced, over after
//   agent  ▁▁▁▁▁▁▁▁▃█▇▆▅█▇▆▇▅▆▃▁▁      200 ms of silence
//              └ floor ┘       └ a backchannel: under 1 s, and the agent goes on

import { domainNs, NS_PER_MS, ticksToNs, type DomainNs } from '@framescope/protocol';
import type { Hop } from '../../hop/hop.ts';
import type { Stream } from '../../hop/stream.ts';
import type { SessionPort } from '../../ports.ts';
import type { Turn } from '../../turn/turn.ts';
import { decodeAudio, PCM_24K, samplesIn, type AudioFormat } from '../common/audio.ts';
import { at, textAt } from '../common/foreign.ts';
import { EchoWatch } from '../common/echo.ts';
import { bends, tellWords, type TickRange } from '../common/lineage.ts';
import { MediaPosition } from '../common/position.ts';
import { UtteranceDetector } from '../common/voice.ts';
import { formatOf } from './config.ts';
import type { ConversationOptions } from './conversation.ts';

const SOURCE = 'inferred:energy';
/** Two windows of the detector, and the chunk it came in. */
const ERROR_MS = 60;
const BACKCHANNEL_NS = 1_000_000_000;
const TEXT_LENGTH_MAX = 4_000;

/** One direction: counted, marked and listened to. */
class Side {
  readonly stream: Stream;
  readonly #hop: Hop;
  readonly #position: MediaPosition;
  readonly #detector: UtteranceDetector;
  readonly #format: AudioFormat;
  readonly #zeroTick: number;
  /** When the last piece came, and the tick after it: places any tick of late in time. */
  #lastNs: DomainNs = domainNs(0);

  /** What it said since it was asked last, as far as it is known. */
  said: TickRange | undefined;

  constructor(
    { port, stream }: { readonly port: SessionPort; readonly stream: Stream },
    hopName: string,
    format: AudioFormat,
    utterance: Utterance,
  ) {
    this.stream = stream;
    this.#hop = stream.hop(hopName);
    this.#format = format;
    this.#zeroTick = this.#hop.nextTick;
    const rates = { stream: stream.sampleRate, own: format.sampleRate };
    this.#position = new MediaPosition(rates, this.#zeroTick, bends(port, stream, this.#hop));
    this.#detector = new UtteranceDetector(format.sampleRate, {
      began: onset => utterance.began(this.#tickOf(onset)),
      ended: (onset, end) => {
        const [from, to] = [this.#tickOf(onset), this.#tickOf(end)];
        this.said = { from: this.said?.from ?? from, to };
        utterance.ended(from, to);
      },
    });
  }

  /** `listen` gets what it decodes. */
  push(
    base64: string,
    now: DomainNs,
    listen: (samples: Float32Array) => void,
    known?: number,
  ): number {
    const { tick, length } = this.#position.advance(samplesIn(base64, this.#format), known);
    if (length > 0) this.#hop.markAt(tick, length);
    this.#lastNs = now;
    const samples = decodeAudio(base64, this.#format);
    listen(samples);
    this.#detector.push(samples);
    return tick;
  }

  get tick(): number {
    return this.#position.tick;
  }

  /** When a tick of the last seconds passed: audio comes in real time. */
  timeOf(tick: number): DomainNs {
    const beforeNs = ticksToNs(Math.max(0, this.tick - tick), this.stream.sampleRate);
    return domainNs(this.#lastNs - beforeNs);
  }

  #tickOf(own: number): number {
    return this.#zeroTick + Math.floor((own * this.stream.sampleRate) / this.#format.sampleRate);
  }
}

interface Utterance {
  began(onset: number): void;
  ended(onset: number, end: number): void;
}

interface Speech {
  readonly onset: number;
  /** The agent had the floor when it began. */
  readonly isOver: boolean;
}

export class Live {
  readonly #options: ConversationOptions;
  #format: AudioFormat = PCM_24K;
  #user: Side | undefined;
  #agent: Side | undefined;
  #startedAt: DomainNs | undefined;
  #turn: Turn | undefined;
  #isWaiting = false;
  #speech: Speech | undefined;
  /** When the agent fell silent; undefined while it speaks, 0 before it ever did. */
  #agentEndNs: DomainNs | undefined = domainNs(0);
  #hasAnswered = false;
  #userEndedAt: DomainNs = domainNs(0);
  #agentBeganAt: DomainNs = domainNs(0);
  #userText = '';
  #agentText = '';
  #echoWatch: EchoWatch | undefined;

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  handle(type: string, event: unknown, isSent: boolean): void {
    if (isSent && type === 'session.start') this.#format = this.#formatIn(event);
    // Seen by the sideband it is what the user sent; sent by us it is the same, before the network.
    else if (type === 'session.input_audio.append') this.#heard(textAt(event, 'audio') ?? '');
    else if (isSent) return;
    else if (type === 'session.started') this.#started(event);
    else if (type === 'session.output_audio.delta') this.#spoken(textAt(event, 'delta') ?? '');
    else if (type === 'session.input_transcript.delta')
      this.#userText = added(this.#userText, textAt(event, 'delta'));
    else if (type === 'session.output_transcript.delta')
      this.#agentText = added(this.#agentText, textAt(event, 'delta'));
    else if (type === 'session.closed') this.settle();
  }

  settle(): void {
    const isOpen = this.#isWaiting;
    this.#end(isOpen ? 'abandoned' : 'completed', this.#agentEndNs);
  }

  #formatIn(event: unknown): AudioFormat {
    return formatOf(at(event, 'session', 'audio', 'format'), this.#format);
  }

  #started(event: unknown): void {
    this.#startedAt = this.#now;
    const format = this.#formatIn(event);
    this.#format = format;
  }

  get #echoes(): EchoWatch {
    return (this.#echoWatch ??= new EchoWatch(this.#format.sampleRate, this.#format.sampleRate));
  }

  get #now(): DomainNs {
    return this.#options.port.clock.now();
  }

  #heard(base64: string): void {
    this.#user ??= this.#side(this.#options.mic, 'mic', 'send', {
      began: onset => this.#userBegan(onset),
      ended: (onset, end) => this.#userEnded(onset, end),
    });
    const known = this.#options.shared.up.find(base64);
    this.#user.push(base64, this.#now, samples => this.#echoes.heard(samples), known);
  }

  #spoken(base64: string): void {
    this.#agent ??= this.#side(this.#options.agent, 'agent', 'receive', {
      began: onset => this.#agentBegan(onset),
      ended: (_, end) => this.#agentEnded(end),
    });
    const tick = this.#agent.push(base64, this.#now, samples => this.#echoes.spoken(samples));
    this.#options.shared.down.note(base64, tick);
  }

  #side(given: Stream | undefined, name: string, hop: string, utterance: Utterance): Side {
    const format = this.#format;
    const stream = given ?? this.#options.session.stream(name, { sampleRate: format.sampleRate });
    return new Side({ port: this.#options.port, stream }, hop, format, utterance);
  }

  #userBegan(onset: number): void {
    const user = this.#user!;
    const isOver = this.#agentEndNs === undefined;
    this.#speech = { onset, isOver };
    // Over the agent: a turn only if it takes the floor.
    if (!isOver) this.#take(user, onset);
  }

  #take(user: Side, onset: number): void {
    if (this.#turn !== undefined && !this.#hasAnswered) return;
    this.#end('completed', this.#agentEndNs);
    this.#begin(user, onset);
  }

  #begin(user: Side, onset: number): void {
    this.#turn = this.#options.session.startTurn({ stream: user.stream, at: onset });
    this.#hasAnswered = false;
  }

  #userEnded(onset: number, end: number): void {
    const user = this.#user!;
    const speech = this.#speech ?? { onset, isOver: false };
    this.#speech = undefined;
    const lengthNs = ticksToNs(end - onset, user.stream.sampleRate);
    if (speech.isOver && this.#agentEndNs === undefined) {
      if (lengthNs < BACKCHANNEL_NS) return this.#turn?.backchannel();
      this.#interrupt(user, onset);
    }
    const endedAt = user.timeOf(end);
    const hasFloor = this.#agentEndNs === undefined && !speech.isOver;
    // The agent began before the user was done: it owed nothing, the transfer is negative.
    if (hasFloor) return this.#transferred(endedAt, this.#agentBeganAt);
    this.#turn?.speechEnded({ tick: end, stream: user.stream, source: SOURCE, errorMs: ERROR_MS });
    this.#userEndedAt = endedAt;
    this.#isWaiting = this.#turn !== undefined;
  }

  /** From the user's last voiced sample to the agent's first: below 0 where they overlap. */
  #transferred(from: DomainNs, to: DomainNs): void {
    const attributes = {
      'framescope.floor_transfer_ns': to - from,
      'framescope.inferred': 'energy',
    };
    this.#turn
      ?.stage('floor_transfer', { at: domainNs(Math.min(from, to)), attributes })
      .end({ at: domainNs(Math.max(from, to)) });
  }

  /** The user took the floor from the agent. */
  #interrupt(user: Side, onset: number): void {
    const generatedTick = this.#agent?.tick;
    const options = { at: user.timeOf(onset) };
    const bargeIn = this.#turn
      ?.bargeIn({ onsetTick: onset })
      .detected(options)
      .decided()
      .cancelled(generatedTick === undefined ? {} : { generatedTick });
    const heardNs = ticksToNs(user.tick - onset, user.stream.sampleRate);
    const echo = this.#echoes.correlation(heardNs / NS_PER_MS);
    if (echo !== undefined) bargeIn?.echo(echo);
    this.#end('interrupted', this.#now);
    this.#begin(user, onset);
  }

  #agentBegan(onset: number): void {
    const agent = this.#agent!;
    this.#agentEndNs = undefined;
    const isGreeting = this.#turn === undefined;
    if (this.#turn === undefined) {
      this.#turn = this.#options.session.greeting({
        ...(this.#startedAt === undefined ? {} : { at: this.#startedAt }),
        source: SOURCE,
      });
      this.#isWaiting = true;
    }
    this.#hasAnswered = true;
    const voicedAt = agent.timeOf(onset);
    this.#agentBeganAt = voicedAt;
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    if (!isGreeting) this.#transferred(this.#userEndedAt, voicedAt);
    const moment = { source: `realtime ${SOURCE}`, errorMs: ERROR_MS, at: voicedAt };
    this.#turn.moment('first_audio', moment);
    this.#turn.moment('first_frame_sent', moment);
    this.#turn.firstVoiced({
      tick: onset,
      stream: agent.stream,
      source: SOURCE,
      errorMs: ERROR_MS,
    });
  }

  #agentEnded(end: number): void {
    this.#agentEndNs = this.#agent!.timeOf(end);
    const speech = this.#speech;
    // It fell silent while the user spoke over it: the floor went to the user.
    if (speech?.isOver === true && this.#user !== undefined)
      this.#interrupt(this.#user, speech.onset);
  }

  #end(outcome: 'completed' | 'interrupted' | 'abandoned', endNs: DomainNs | undefined): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    this.#isWaiting = false;
    this.#derive(this.#user, this.#userText);
    this.#derive(this.#agent, this.#agentText);
    if (this.#userText !== '') turn.heard(this.#userText);
    if (this.#agentText !== '') turn.said(this.#agentText, { cut: outcome === 'interrupted' });
    this.#userText = '';
    this.#agentText = '';
    const hasEnd = endNs !== undefined && endNs > 0 && outcome !== 'abandoned';
    turn.end({ outcome, ...(hasEnd ? { at: endNs } : {}) });
  }

  /** Words and voice of one turn: which belong together is a guess. */
  #derive(side: Side | undefined, text: string): void {
    if (side === undefined) return;
    tellWords(this.#options.port, side.stream, side.said, { text, quality: 'inferred' });
    side.said = undefined;
  }
}

const added = (text: string, delta: string | undefined): string =>
  delta === undefined || text.length >= TEXT_LENGTH_MAX
    ? text
    : (text + delta).slice(0, TEXT_LENGTH_MAX);
