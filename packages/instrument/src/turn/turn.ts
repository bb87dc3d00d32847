// A turn: the user speaks, the agent answers. Held by the turn authority of a
// session, told to the collector as live state, each flush the turns that
// changed, whole; and at its end once more on its `turn` span.

import {
  tick,
  type BargeInState,
  type DomainNs,
  type MomentName,
  type MomentState,
  type StageState,
  type Tick,
  type TurnOutcome,
  type TurnState,
  type WaitState,
  type WordsState,
} from '@framescope/protocol';
import {
  attributesOf,
  errorNsOf,
  lean,
  momentOf,
  nameIfAny,
  nameOf,
  optionsOf,
  textUpTo,
  tickOf,
} from '../coerce.ts';
import type { LiveSpan } from '../export/span-sink.ts';
import type { OtelContext } from '../otel/context.ts';
import type { Stream } from '../hop/stream.ts';
import type { Problems } from '../problems.ts';
import { BargeIn } from './barge-in.ts';
import { bindTo } from './bind.ts';
import { momentOfStage } from './stage-moments.ts';
import { Stage, type StageOptions } from './stage.ts';
import { Waits } from './waits.ts';

const STAGES_MAX = 128;
const WORDS_MAX = 128;
const WORDS_LENGTH_MAX = 4_000;
/** One frame: what an energy or VAD detector cannot do better than. */
const DEFAULT_ERROR_MS = 20;

/** Where the user stopped. Ticks are samples of the stream; errors are milliseconds. */
export interface SpeechEnded {
  /** Last voiced sample of the user. */
  readonly tick: number;
  /** Default: the turn's stream. */
  readonly stream?: Stream;
  /** How it was found: `vad`, `recording`, `stt`, … Default `vad`. */
  readonly source?: string;
  /** How far it may be off; default 20. */
  readonly errorMs?: number;
}

/** The agent's first voiced sample. Ticks are samples of `stream`; errors are milliseconds. */
export interface FirstVoiced {
  /** First voiced sample of the agent. */
  readonly tick: number;
  readonly stream: Stream;
  /** Default `energy`. */
  readonly source?: string;
  readonly errorMs?: number;
  /** "Let me check": ends `voice_to_voice`, not `time_to_answer`. */
  readonly filler?: boolean;
}

/** More about a moment. `errorMs` in milliseconds, `at` in ns of `scope.now()`. */
export interface MomentOptions {
  /** Moments of the same wait that this one waited for. */
  readonly after?: readonly MomentName[];
  /** How it was taken: `vad`, `timer`, `service`. */
  readonly source?: string;
  readonly errorMs?: number;
  readonly generation?: string;
  /** Default now. */
  readonly at?: DomainNs;
}

/** How a wait was opened. `errorMs` in milliseconds, `at` in ns of `scope.now()`. */
export interface WaitOptions {
  /** What opened it. */
  readonly source?: string;
  readonly errorMs?: number;
  readonly at?: DomainNs;
}

/** What a turn needs of its session. */
export interface TurnHost {
  readonly problems: Problems;
  now(): DomainNs;
  /** The user began to speak over the agent. */
  bargedIn(onsetTick: Tick): void;
  /** A child span of `parent`, with an ID of its own. */
  startStage(name: string, parent: LiveSpan, startedAt: DomainNs): LiveSpan;
}

/** Who a turn is. */
export interface TurnIdentity {
  readonly tick: Tick;
  readonly stream: string;
  readonly startedAt: DomainNs;
  readonly span: LiveSpan;
  /** Where the user's stream stands now. */
  readonly positionOf: () => number;
}

/**
 * The user speaks, the agent answers. Got from `session.startTurn`, in the one process that is the turn
 * authority. Off the audio path; some microseconds a call. After `end` nothing is taken any more, and
 * that is counted. Never throws, but for what `run` runs.
 */
export class Turn {
  readonly #host: TurnHost;
  readonly #identity: TurnIdentity;
  readonly #waits = new Waits();
  readonly #stages: Stage[] = [];
  readonly #words: WordsState[] = [];
  #bargeIn: BargeIn | undefined;
  #backchannels = 0;
  #rev = 1;
  #endedAt: DomainNs | undefined;
  #endTick = Number.POSITIVE_INFINITY;
  #outcome: TurnOutcome | undefined;

  /** Made by `Session.startTurn` and `Session.greeting`. */
  constructor(host: TurnHost, identity: TurnIdentity) {
    this.#host = host;
    this.#identity = identity;
  }

  /** 32 hex digits: the trace of this turn, and the span that is its root. */
  get traceId(): string {
    return this.#identity.span.traceId;
  }
  get spanId(): string {
    return this.#identity.span.spanId;
  }
  /** Start tick of the user's speech. */
  get tick(): Tick {
    return this.#identity.tick;
  }
  /** The turn's span, as its sink made it: parent of frames worth a span. */
  get span(): LiveSpan {
    return this.#identity.span;
  }
  get isEnded(): boolean {
    return this.#endedAt !== undefined;
  }

  /**
   * The user stopped speaking: opens the `response` wait at that very sample. Called again before
   * the agent spoke, the user went on, and this end counts.
   */
  speechEnded(end: SpeechEnded): void {
    this.#change('turn.speechEnded', () => {
      const { tick: at, stream, source, errorMs } = optionsOf(end);
      const place = tickOf(at, 'turn.speechEnded', this.#host.problems);
      if (place === undefined) return false;
      return this.#opened(
        this.#waits.open('response', {
          stream: streamName(stream, this.#identity.stream),
          tick: place,
          source: this.#source(source, 'vad'),
          errorNs: errorNsOf(errorMs, DEFAULT_ERROR_MS),
        }),
      );
    });
  }

  /** Opens another wait: the agent owes sound again, after a filler or during a tool. */
  wait(kind: 'resume' | 'greeting', options?: WaitOptions): void {
    this.#change('turn.wait', now => {
      const { source, errorMs, at } = optionsOf(options);
      const opens = {
        at: momentOf(at, now, 'turn.wait', this.#host.problems),
        source: this.#source(source, 'authority'),
        errorNs: errorNsOf(errorMs, 0),
      };
      return this.#opened(this.#waits.open(kind === 'greeting' ? 'greeting' : 'resume', opens));
    });
  }

  /** The agent's first voiced sample: closes the open wait. Without one it counts as a problem. */
  firstVoiced(voiced: FirstVoiced): void {
    this.#change('turn.firstVoiced', () => {
      const { tick: at, stream, source, errorMs, filler } = optionsOf(voiced);
      const place = tickOf(at, 'turn.firstVoiced', this.#host.problems);
      if (place === undefined) return false;
      const isClosed = this.#waits.close(
        lean<NonNullable<WaitState['closes']>>({
          stream: streamName(stream, 'agent'),
          tick: place,
          source: this.#source(source, 'energy'),
          errorNs: errorNsOf(errorMs, DEFAULT_ERROR_MS),
          filler: filler === true || undefined,
        }),
      );
      if (!isClosed)
        this.#host.problems.report(
          'no_open_wait',
          'turn.firstVoiced: no wait is open (proactive speech has none)',
        );
      return isClosed;
    });
  }

  /** What was answered last was a filler: for those who learn it only when a tool is called. */
  filler(): void {
    this.#change('turn.filler', () => this.#waits.markFiller());
  }

  /** Something happened in this wait; see `RECORDED_MOMENTS` for the names with a meaning. */
  moment(name: MomentName, options?: MomentOptions): void {
    this.#change('turn.moment', now => {
      const { problems } = this.#host;
      const { after, source, errorMs, generation, at } = optionsOf(options);
      const moment = lean<MomentState>({
        name: nameOf(name, 'unnamed', 'turn.moment', problems),
        at: momentOf(at, now, 'turn.moment', problems),
        source: nameIfAny(source, 'moment source', problems),
        errorNs: errorMs === undefined ? undefined : errorNsOf(errorMs, 0),
        after: Array.isArray(after) ? namesOf(after) : undefined,
        generation: nameIfAny(generation, 'moment generation', problems),
      });
      return this.#fits(this.#waits.moment(moment, false), 'moments');
    });
  }

  /**
   * Begins a stage. Standard names double as moments: `llm` start = `model_requested`, first =
   * `first_speakable`; `tts` start = `speech_text_sent`, first = `first_audio`; `stt` end =
   * `transcript_final`; `endpointing` end = `turn_decided`; `tool` = `tool_started`, `tool_ended`.
   */
  stage(name: string, options?: StageOptions): Stage {
    const begin = (): Stage => this.#stage(name, options);
    return this.#host.problems.guard('turn.stage', begin, () => this.#stage('unnamed'));
  }

  /** What the user said, as recognised. At most 4,000 characters are kept. */
  heard(text: string): void {
    this.#say('user', text);
  }

  /** What the agent said; `cut`: the user never heard its end. */
  said(text: string, options?: { readonly cut?: boolean }): void {
    this.#say('agent', text, options);
  }

  /** The user did not hear the end of what the agent said last: for those who learn it later. */
  cut(): void {
    this.#change('turn.cut', () => {
      const at = this.#words.findLastIndex(words => words.who === 'agent');
      const words = this.#words[at];
      if (words === undefined || words.cut === true) return false;
      this.#words[at] = { ...words, cut: true };
      return true;
    });
  }

  /** A tool call with its arguments, or its answer, as text. */
  tool(text: string): void {
    this.#say('tool', text);
  }

  /** The user speaks over the agent, from `onsetTick` on the turn's stream. One a turn: the first. */
  bargeIn(onset: { readonly onsetTick: number }): BargeIn {
    const begin = (): BargeIn => {
      const at = tickOf(optionsOf(onset).onsetTick, 'turn.bargeIn', this.#host.problems);
      return this.#newBargeIn(at ?? tick(0));
    };
    return (
      this.#bargeIn ??
      this.#host.problems.guard('turn.bargeIn', begin, () => this.#newBargeIn(tick(0)))
    );
  }

  /** The user said something over the agent ("mhm") that did not change who has the floor. Counted. */
  backchannel(): void {
    this.#change('turn.backchannel', () => {
      this.#backchannels++;
      return true;
    });
  }

  /**
   * Runs `work` inside the turn: spans that OpenTelemetry instrumentation opens there are its
   * children. Throws only what `work` throws. Needs a context manager, as `NodeTracerProvider`
   * registers one; without, `work` runs all the same.
   */
  run<T>(work: () => T): T {
    return this.#identity.span.run(work);
  }

  /**
   * `listener`, run inside the turn whenever it is called: for emitters and timers. Costs and throws like
   * `run`.
   */
  bind<F extends (this: never, ...args: never[]) => unknown>(listener: F): F {
    return bindTo(this.#identity.span, listener);
  }

  /**
   * OpenTelemetry's context with this turn's span: for code without async context (browsers), which
   * hands it on itself: `tracer.startSpan(name, {}, turn.context)`, `propagation.inject(turn.context, headers)`.
   */
  get context(): OtelContext {
    return this.#identity.span.context();
  }

  /** Ends the turn; default outcome `interrupted` after a decided barge-in, else `completed`. */
  end(options?: { readonly outcome?: TurnOutcome; readonly at?: DomainNs }): void {
    this.#change('turn.end', now => {
      const { outcome, at } = optionsOf(options);
      this.#waits.finish();
      this.#outcome = this.#outcomeOf(outcome);
      const ending = waitOutcomeOf(this.#outcome, this.#waits.isOpen);
      if (ending !== undefined) this.#waits.settle(ending);
      this.#endedAt = momentOf(at, now, 'turn.end', this.#host.problems);
      this.#endTick = this.#identity.positionOf();
      for (const stage of this.#stages) stage.end({ at: this.#endedAt });
      // Counted here, not by #change: the span carries the turn as it ends.
      this.#rev += 1;
      this.#identity.span.end({ kind: 'turn', state: () => this.snapshot() });
      return false;
    });
  }

  /** The turn as it is now, whole. */
  snapshot(): TurnState {
    const { tick: at, stream, startedAt, span } = this.#identity;
    return lean<TurnState>({
      tick: at,
      stream,
      traceId: span.traceId,
      spanId: span.spanId,
      rev: this.#rev,
      startedAt,
      endedAt: this.#endedAt,
      outcome: this.#outcome,
      waits: this.#waits.snapshot(),
      stages: this.#stages.map(stage => stage.state),
      words: [...this.#words],
      bargeIn: this.#bargeIn?.state,
      backchannels: this.#backchannels || undefined,
    });
  }

  /** True for ticks of the user's stream from the turn's start until its end. */
  covers(stream: string, at: number): boolean {
    const { tick: from, stream: own } = this.#identity;
    return stream === own && typeof at === 'number' && at >= from && at < this.#endTick;
  }

  /** Rises with each change. */
  get rev(): number {
    return this.#rev;
  }

  #stage(name: string, options?: StageOptions): Stage {
    const { problems } = this.#host;
    const { generation, attributes, at } = optionsOf(options);
    const safeName = nameOf(name, 'unnamed', 'turn.stage', problems);
    const startedAt = momentOf(at, this.#host.now(), 'turn.stage', problems);
    const span = this.#host.startStage(safeName, this.#identity.span, startedAt);
    const state = lean<StageState>({
      name: safeName,
      spanId: span.spanId,
      startedAt,
      attributes: attributesOf(attributes, 'turn.stage', problems),
      generation: nameIfAny(generation, 'stage generation', problems),
    });
    const stage = new Stage(this.#stageHost(), span, state);
    if (this.isEnded)
      problems.report('turn_ended', 'turn.stage: the turn has ended; the stage is not shown in it');
    else if (this.#fits(this.#stages.length < STAGES_MAX, 'stages')) this.#stages.push(stage);
    this.#changedByStage(stage, 'started', startedAt);
    return stage;
  }

  #stageHost(): ConstructorParameters<typeof Stage>[0] {
    return {
      problems: this.#host.problems,
      now: () => this.#host.now(),
      stageChanged: (stage, what, at) => this.#changedByStage(stage, what, at),
    };
  }

  #changedByStage(stage: Stage, what: 'started' | 'first' | 'ended', at: DomainNs): void {
    if (this.isEnded) return;
    const { error, discarded, generation } = stage.state;
    const name =
      error === undefined && discarded !== true ? momentOfStage(stage.name, what) : undefined;
    if (name !== undefined)
      this.#waits.moment(lean<MomentState>({ name, at, source: 'stage', generation }), true);
    this.#rev += 1;
  }

  #say(who: WordsState['who'], text: string, options?: { readonly cut?: boolean }): void {
    this.#change(`turn.${who}`, now => {
      const isCut = optionsOf(options).cut === true;
      const words = textUpTo(text, WORDS_LENGTH_MAX);
      if (words === undefined) {
        this.#host.problems.report('bad_argument', 'turn.heard, said, tool: text is a string');
        return false;
      }
      if (!this.#fits(this.#words.length < WORDS_MAX, 'words')) return false;
      this.#words.push(lean<WordsState>({ who, text: words, at: now, cut: isCut || undefined }));
      return true;
    });
  }

  #newBargeIn(onsetTick: Tick): BargeIn {
    const { problems } = this.#host;
    const state: BargeInState = { onsetTick };
    const changed = (): void => void this.#change('turn.bargeIn', () => true);
    const host = { problems, now: () => this.#host.now(), changed, cut: () => this.cut() };
    const bargeIn = new BargeIn(host, state);
    if (!this.isEnded) this.#bargeIn = bargeIn;
    changed();
    this.#host.bargedIn(onsetTick);
    return bargeIn;
  }

  #outcomeOf(outcome: unknown): TurnOutcome {
    if (outcome === 'completed' || outcome === 'interrupted') return outcome;
    if (outcome === 'abandoned' || outcome === 'failed') return outcome;
    const { decidedAt, resumedAt } = this.#bargeIn?.state ?? {};
    return decidedAt === undefined || resumedAt !== undefined ? 'completed' : 'interrupted';
  }

  #opened(isOpened: boolean): boolean {
    return this.#fits(isOpened, 'waits');
  }

  #fits(hasRoom: boolean, what: string): boolean {
    if (!hasRoom)
      this.#host.problems.report('turn_full', `a turn with too many ${what}: the rest is not kept`);
    return hasRoom;
  }

  #source(value: unknown, otherwise: string): string {
    return nameIfAny(value, 'source', this.#host.problems) ?? otherwise;
  }

  /** Does `work` on a turn that is not over; when it says true, the turn has changed. */
  #change(where: string, work: (now: DomainNs) => boolean): void {
    const { problems } = this.#host;
    const change = (): void => {
      if (this.isEnded)
        return problems.report('turn_ended', `${where}: the turn has ended; nothing is changed`);
      if (!work(this.#host.now())) return;
      this.#rev += 1;
    };
    problems.guard(where, change);
  }
}

/** What the end of a turn says of its last wait, when nobody said more. */
function waitOutcomeOf(outcome: TurnOutcome, isOpen: boolean): WaitState['outcome'] {
  if (outcome === 'interrupted') return isOpen ? 'interrupted_before' : 'interrupted_after';
  if (!isOpen) return undefined;
  return outcome === 'completed' ? 'none' : outcome;
}

/** Of a stream, or of anything that was given for one. */
const streamName = (stream: { readonly name?: unknown } | undefined, otherwise: string): string =>
  typeof stream?.name === 'string' ? stream.name.slice(0, 60) : otherwise;

const namesOf = (names: readonly unknown[]): MomentName[] =>
  names.filter(name => typeof name === 'string').slice(0, 8);
