// One session, from raw data to what is shown, told apart from what was told before.
//
// Every pass reads the marks of the last half minute anew (and those of turns that are
// not settled), through the clocks as they are known now; what is older was counted for
// good and its marks are gone (frames/sealed.ts). What is settled (a turn that ended, a
// minute with no new frame) is not told again.
//
// Whatever upsets that needs no case of its own: a mark that comes too late, an offset
// that moved by more than its bound, a turn told long after it was, the end of the call.
// The session is then read again from the store, whole, and told anew under a new
// revision. So a session that is over is always what one look at all its data gives.

import type { Handover, SessionStatus } from '@framescope/protocol';
import { budgetOf } from '../query/measure-info.ts';
import type { HopFigures } from '../rollup/hop-totals.ts';
import type { DerivedRows, RawSession, RollupRow, AssemblyFlush } from '../store/store.ts';
import type { AssemblerOptions, Change } from './assembler.ts';
import { extentOf } from './extent.ts';
import { FirstCommits } from './first-commits.ts';
import { flowOf } from './frames/flow.ts';
import { framesOf, type HopFrames, type StreamFrames } from './frames/stream-frames.ts';
import { sessionDetail } from './session-detail.ts';
import { SessionData, type TurnFacts } from './session-data.ts';
import { SessionSpans } from './session-spans.ts';
import { Sealing, type Rereads, type SealingFacts } from './sealing.ts';
import { RevisionWatch } from './clock/revision-watch.ts';
import { answersOn, rolledUp, ToldRollups, unixOfMinute } from './told-rollups.ts';
import { joinTurns } from './turns/join-turns.ts';
import { KeptTopology } from './topology/kept.ts';
import { isUntold, revOf, type HeldTurn } from './turns/held-turn.ts';
import { isGreeting, setupMoments } from './turns/set-up.ts';
import { vendorWays } from './turns/vendor-ways.ts';
import { buildTurn, type TurnContext } from './turns/turns.ts';

const SECOND_NS = 1_000_000_000;
const IDLE_AFTER_NS: bigint = 60n * BigInt(SECOND_NS);
/** The root of a call came: its other spans may be in the exporter's next batch. */
const SOURCE_ENDED_AFTER_NS: bigint = 6n * BigInt(SECOND_NS);
/** Without an announced flush period nobody can say that a call broke off: it is quiet, then over. */
const PLAIN_ENDED_AFTER_NS: bigint = 3_600n * BigInt(SECOND_NS);
const BROKEN_AFTER_PERIODS = 3n;
/** So long after a turn's end its last marks may still be on their way. */
const SETTLED_AFTER_NS: number = 15 * SECOND_NS;
/** A pass costs about half a microsecond a mark; it may take a twentieth of the time. */
const PASS_EVERY_NS_A_MARK = 10_000n;

const BUSY_PASS_NS = 3_000_000_000n;
/** A minute of a call with six hops. */
const MANY_MARKS = 15_000;

/** How often sessions are looked at. */
export interface Pace {
  /** More waits to be read. */
  readonly isBusy?: boolean;
  /** So long it takes, in a share of the time, to look at all sessions once. */
  readonly cycleNs?: bigint;
}

/** What came of one session. */
export type SessionNews = Pick<RawSession, 'spans' | 'tallies'> & {
  readonly flushes: readonly AssemblyFlush[];
};

export class SessionAssembly {
  readonly key: string;
  readonly id: string;
  readonly data: SessionData;
  readonly #options: AssemblerOptions;
  readonly #spans = new SessionSpans();
  readonly #revisions: RevisionWatch;
  readonly #sealing: Sealing;
  /** It cannot be read again: its raw data is gone. */
  #isLeft = false;
  readonly #turns = new Map<string, HeldTurn>();
  /** What was told of each rollup row. */
  readonly #rollups = new ToldRollups();
  readonly #handovers = new Map<string, Handover>();
  readonly #topology = new KeptTopology();
  #commit = 0;
  readonly #firsts = new FirstCommits();
  #isDirty = false;
  #toldRevision = -1;
  #toldZeroUnixNs: bigint | undefined;
  #lastPassUnixNs = 0n;
  /** Marks held after the last pass. */
  #markCount = 0;
  #status: SessionStatus = 'live';
  /** Session times of marks that came since the last pass. */
  #newFromNs = Infinity;
  #newToNs = -Infinity;
  #newFlushes: AssemblyFlush[] = [];

  /** `revision`: the first one's number; higher than that of rows which were told before. */
  constructor(
    key: string,
    id: string,
    options: AssemblerOptions & { readonly revision?: number; readonly rereads?: Rereads },
  ) {
    this.key = key;
    this.id = id;
    this.#options = options;
    this.#revisions = new RevisionWatch(options.revision);
    this.#sealing = new Sealing(options.rereads);
    this.data = new SessionData(options.clockBook);
  }

  get status(): SessionStatus {
    return this.#status;
  }

  get isDirty(): boolean {
    return this.#isDirty;
  }

  get lastArrivalUnixNs(): bigint {
    let last = this.#spans.lastArrivalUnixNs;
    for (const { lastArrivalUnixNs } of this.data.processes.values())
      if (lastArrivalUnixNs > last) last = lastArrivalUnixNs;
    return last;
  }

  get rereads(): Rereads {
    return this.#sealing.rereads;
  }

  /** Goes on with what there is: the store has no more. */
  leave(): void {
    this.#isLeft = true;
  }

  /** Nothing that was heard of it is missing there. */
  isAllIn(raw: RawSession): boolean {
    return this.#firsts.areIn(raw);
  }

  add({ flushes, spans, tallies }: SessionNews, commit: number): void {
    for (const flush of flushes) {
      this.data.addFlush(flush);
      if (flush.record !== undefined) this.#newFlushes.push(flush);
    }
    for (const tally of tallies) this.#spans.add(tally);
    this.#firsts.note({ flushes, tallies });
    for (const span of spans) this.#spans.addWhole(span, this.data);
    const isCovered = commit <= this.#commit;
    this.#commit = Math.max(this.#commit, commit);
    // Rows that were told with a lower commit are told again, or the next start reads all of it.
    if (flushes.length + tallies.length > 0 || !isCovered) this.#isDirty = true;
  }

  // ---- status -----------------------------------------------------------------------------

  statusAt(nowUnixNs: bigint): SessionStatus {
    const silenceNs = nowUnixNs - this.lastArrivalUnixNs;
    if (!this.data.hasFlushes) {
      if (this.#spans.sources.isOver && silenceNs > SOURCE_ENDED_AFTER_NS) return 'ended';
      if (silenceNs > PLAIN_ENDED_AFTER_NS) return 'ended';
      return silenceNs > IDLE_AFTER_NS ? 'idle' : 'live';
    }
    if (this.#hasEnded()) return 'ended';
    const periodNs = this.#flushNs();
    if (periodNs !== undefined) {
      const patienceNs = BROKEN_AFTER_PERIODS * BigInt(periodNs);
      const isListening = nowUnixNs - this.#options.startedUnixNs > patienceNs;
      if (isListening && silenceNs > patienceNs) return 'broken_off';
    }
    return silenceNs > IDLE_AFTER_NS ? 'idle' : 'live';
  }

  /** The authority ended it; without one, everybody did. */
  #hasEnded(): boolean {
    const authority = this.data.authority();
    if (authority !== undefined) return authority.session?.endedAt !== undefined;
    const said = [...this.data.processes.values()].flatMap(one =>
      one.session ? [one.session] : [],
    );
    return said.length > 0 && said.every(one => one.endedAt !== undefined);
  }

  /** The longest period that any process announced. */
  #flushNs(): number | undefined {
    const periods = [...this.data.processes.values()].flatMap(one =>
      one.session ? [one.session.flushNs] : [],
    );
    return periods.length === 0 ? undefined : Math.max(...periods);
  }

  // ---- a pass -----------------------------------------------------------------------------

  /** True when it changed, or time changed it, and its turn has come. */
  isDue(nowUnixNs: bigint, { isBusy = false, cycleNs = 0n }: Pace = {}): boolean {
    const status = this.statusAt(nowUnixNs);
    if (status !== this.#status) return true;
    const marksNs = BigInt(this.data.markCount) * PASS_EVERY_NS_A_MARK;
    // Plain spans come to hundreds of sessions in each tick; a list of them is no oscilloscope.
    let waitNs = this.data.hasFlushes ? marksNs : BigInt(SECOND_NS);
    if (waitNs < cycleNs) waitNs = cycleNs;
    // A pass looks at all marks that are held: while more waits to be read, it should bring many new ones.
    if (isBusy && waitNs < BUSY_PASS_NS && this.data.markCount - this.#markCount < MANY_MARKS)
      waitNs = BUSY_PASS_NS;
    return this.#isDirty && nowUnixNs - this.#lastPassUnixNs >= waitNs;
  }

  /** Undefined: it has to be read again first, whole. */
  pass(nowUnixNs: bigint): Passed | undefined {
    const status = this.statusAt(nowUnixNs);
    // The last word, with all that is known; what comes after it makes it be said again.
    const isOver = status === 'ended' || status === 'broken_off';
    const isClosing = isOver && (status !== this.#status || this.#isDirty);
    if (this.#spans.count > 0) this.data.assumeZero(this.#spans.startUnixNs);
    if (isClosing && this.#sealing.hasSealed && !this.#isLeft) return undefined;
    this.#spans.sources.recognise(this.data, status !== 'live');
    const revision = this.#revisions.next(this.data.clocks.maps(), isClosing);
    if (revision !== this.#toldRevision) this.#sealing.upset();
    this.#noteNewMarks();
    if (!this.#isLeft && this.#sealing.isDue(this.data, nowUnixNs)) return undefined;
    this.#status = status;
    this.#isDirty = false;
    this.#lastPassUnixNs = nowUnixNs;
    return this.#passWith(revision);
  }

  #passWith(revision: number): Passed {
    const streams = this.#frames();
    const flows = new Map(
      streams.map(stream => [stream.name, flowOf(stream, answersOn(stream.name, this.data))]),
    );
    const { figures, rows } = rolledUp(streams, flows, {
      sealing: this.#sealing,
      sessionKey: this.key,
    });
    const wayTo = vendorWays(streams, this.data);
    const turns = this.#buildTurns(streams, revision, wayTo);
    const hasMoved = this.#hasMoved(turns);
    // Of what is sealed only the store can tell all anew.
    const isAll = !this.#sealing.hasSealed && (hasMoved || revision !== this.#toldRevision);
    if (hasMoved) this.#sealing.upset();
    if (isAll) this.#toldRevision = revision;
    if (isAll) this.#rollups.clear();
    const newRollups = this.#rollups.untold(rows);
    const newTurns = turns.filter(held => isAll || isUntold(held));
    for (const held of newTurns) held.told = JSON.stringify(held.built.turn);
    const derived = this.#derived({
      streams,
      wayTo,
      figures,
      turns,
      newTurns,
      newRollups,
      revision: this.#toldRevision,
      isAll,
    });
    const changes = this.#changes(newTurns, newRollups);
    // Of a session that is over nothing more is expected: what comes all the same is judged with all of it.
    if (!this.#isOver()) this.#seal(streams, turns, flows);
    this.#markCount = this.data.markCount;
    return { derived, changes };
  }

  #frames(): StreamFrames[] {
    const clocks = this.data.clockMaps();
    const budgetNs = budgetOf(this.#options.budgets, 'frame');
    return [...this.data.streams.values()].map(marks => {
      const sealed = this.#sealing.streamOf(marks, this.data.zeroUnixNs);
      return framesOf(marks, { clocks, budgetNs, sealed });
    });
  }

  #isOver(): boolean {
    return this.#status === 'ended' || this.#status === 'broken_off';
  }

  /** What nobody needs any more: all turns before are settled, all hops are past it. */
  #seal(
    streams: readonly StreamFrames[],
    turns: readonly HeldTurn[],
    flows: SealingFacts['flows'],
  ): void {
    const open = turns.filter(held => !held.isSettled).map(held => held.built.turn.startNs);
    const first = this.#sealing.seal(this.data, streams, {
      openNs: Math.min(Infinity, ...open),
      isTold: !this.#spans.sources.isEmpty,
      flows,
    });
    this.#rollups.forgetBefore(first);
  }

  #buildTurns(
    streams: readonly StreamFrames[],
    revision: number,
    wayTo: TurnContext['wayTo'],
  ): HeldTurn[] {
    const told = joinTurns([[...this.data.turns.values()], ...this.#spans.sources.turns()], facts =>
      this.data.clocks.map(facts.clock),
    );
    const all = told.map(facts => ({
      id: `${facts.state.stream} ${facts.state.tick}`,
      facts,
      startNs: this.data.clocks.map(facts.clock).toSession(facts.state.startedAt),
    }));
    all.sort((a, b) => a.startNs - b.startNs || a.facts.state.tick - b.facts.state.tick);
    const greeting = all.find(one => isGreeting(one.facts))?.facts;
    const context = { ...this.#turnContext(streams, revision, greeting), wayTo };
    return all.map(({ id, facts, startNs }, i) => {
      const held = this.#turns.get(id);
      const rev = revOf(facts) + (facts === greeting ? ` ${this.data.setup.names}` : '');
      const isSame = held?.rev === rev && held.revision === revision;
      if (held !== undefined && isSame && held.isSettled && !this.#isTouched(held)) return held;
      if (startNs < this.#sealing.sealedToNs) {
        // The marks it stands on are gone.
        if (held === undefined || held.rev !== rev) this.#sealing.upset();
        if (held !== undefined) return held;
      }
      const built = buildTurn(facts, all[i + 1]?.facts, context);
      const next: HeldTurn = {
        built,
        rev,
        revision,
        isSettled: this.#isSettled(facts),
        told: held?.told ?? '',
      };
      this.#turns.set(id, next);
      return next;
    });
  }

  /** Turns that were told are none any more (a parent came), or the session's zero moved. */
  #hasMoved(turns: readonly HeldTurn[]): boolean {
    const { zeroUnixNs } = this.data;
    const isShifted = this.#toldZeroUnixNs !== undefined && this.#toldZeroUnixNs !== zeroUnixNs;
    this.#toldZeroUnixNs = zeroUnixNs;
    if (this.#turns.size === turns.length) return isShifted;
    const now = new Set(turns);
    let isLess = false;
    for (const [id, held] of this.#turns) {
      if (now.has(held)) continue;
      this.#turns.delete(id);
      isLess ||= held.told !== '';
    }
    return isShifted || isLess;
  }

  /** Its end is long enough ago, on its own clock, for every process to have told of it. */
  #isSettled({ state, clock }: TurnFacts): boolean {
    const process = this.data.processOnClock(clock);
    return (
      state.endedAt !== undefined &&
      process !== undefined &&
      process.lastRawNs - state.endedAt > SETTLED_AFTER_NS
    );
  }

  /** Marks of its time came since the last pass: another process was cut off, or is read from a file. */
  #isTouched({ built }: HeldTurn): boolean {
    return (built.turn.endNs ?? Infinity) >= this.#newFromNs;
  }

  #turnContext(
    streams: readonly StreamFrames[],
    revision: number,
    greeting: TurnFacts | undefined,
  ): Omit<TurnContext, 'wayTo'> {
    const { data } = this;
    const processOf = (turn: TurnFacts): string | undefined =>
      turn.producer ?? data.processOnClock(turn.clock)?.producer ?? data.authority()?.producer;
    const isOver = this.#isOver();
    return {
      sessionKey: this.key,
      zeroUnixNs: data.zeroUnixNs,
      streams: new Map(streams.map(stream => [stream.name, stream])),
      clocks: data.clockMaps(),
      clockOf: turn => data.clocks.map(turn.clock),
      producerOf: processOf,
      knownToRawNs: turn => {
        if (turn.knownToRawNs !== undefined) return turn.knownToRawNs;
        const process = data.processes.get(processOf(turn) ?? '');
        return process?.clock === turn.clock ? process.lastRawNs : turn.state.startedAt;
      },
      session: isOver ? (this.#status === 'ended' ? 'ended' : 'broken_off') : 'open',
      revision,
      budgetOf: measure => budgetOf(this.#options.budgets, measure),
      setupOf: turn => (turn === greeting ? setupMoments(data, processOf(turn)) : []),
    };
  }

  #derived(pass: Pass): DerivedRows {
    const { streams, wayTo, figures, turns, newTurns, newRollups, revision, isAll } = pass;
    const values = turns.flatMap(held => held.built.values);
    const { startNs, endNs } = extentOf(this.data, this.#spans, figures);
    return {
      sessionKey: this.key,
      coveredCommit: this.#commit,
      revision,
      session: sessionDetail({
        key: this.key,
        id: this.id,
        status: this.#status,
        data: this.data,
        spans: this.#spans,
        handovers: this.#knownHandovers(),
        kept: this.#topology,
        nowUnixNs: this.#lastPassUnixNs,
        streams,
        figures,
        turns: turns.map(held => held.built.turn),
        newTurns: newTurns.map(held => held.built.turn),
        wayTo,
        values,
        budgets: this.#options.budgets,
        revision,
        faultCount: turns.reduce((sum, held) => sum + held.built.faultCount, 0),
        startNs,
        endNs,
      }),
      replace: isAll ? 'all' : 'given',
      turns: newTurns.map(held => held.built.turn),
      values: newTurns.flatMap(held => held.built.values),
      rollups: newRollups,
    };
  }

  /** Those whose marks are gone must not be forgotten. */
  #knownHandovers(): Map<string, Handover> {
    if (!this.#sealing.hasSealed) this.#handovers.clear();
    return this.#handovers;
  }

  #changes(newTurns: readonly HeldTurn[], newRollups: readonly RollupRow[]): Change[] {
    const changes: Change[] = [{ type: 'session', sessionKey: this.key }];
    const ticks = newTurns.map(held => held.built.turn.tick);
    if (ticks.length > 0) changes.push({ type: 'turns', sessionKey: this.key, ticks });
    if (this.#newToNs >= this.#newFromNs)
      changes.push({
        type: 'frames',
        sessionKey: this.key,
        fromNs: this.#newFromNs,
        toNs: this.#newToNs,
      });
    this.#newFromNs = Infinity;
    this.#newToNs = -Infinity;
    const minutes = newRollups.map(row => row.minute);
    if (minutes.length > 0)
      changes.push({
        type: 'rollup',
        fromUnixNs: unixOfMinute(Math.min(...minutes)),
        toUnixNs: unixOfMinute(Math.max(...minutes) + 1),
      });
    return changes;
  }

  #noteNewMarks(): void {
    for (const { clock, startUnixNs, endUnixNs } of this.#newFlushes) {
      const map = this.data.clocks.map(this.data.clocks.note(clock));
      this.#newFromNs = Math.min(
        this.#newFromNs,
        map.toSession(Number(startUnixNs - clock.zeroUnixNs)),
      );
      this.#newToNs = Math.max(this.#newToNs, map.toSession(Number(endUnixNs - clock.zeroUnixNs)));
    }
    this.#newFlushes = [];
  }
}

interface Passed {
  readonly derived: DerivedRows;
  readonly changes: readonly Change[];
}

interface Pass {
  readonly streams: readonly StreamFrames[];
  readonly wayTo: TurnContext['wayTo'];
  readonly figures: ReadonlyMap<HopFrames, HopFigures>;
  readonly turns: readonly HeldTurn[];
  readonly newTurns: readonly HeldTurn[];
  readonly newRollups: readonly RollupRow[];
  readonly revision: number;
  readonly isAll: boolean;
}
