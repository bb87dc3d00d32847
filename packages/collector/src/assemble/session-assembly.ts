// One session, from raw data to what is shown: recomputed from its marks when it
// changed, told apart from what was told before.
//
// Every pass reads the marks anew through the clocks as they are known now, so a
// late mark, a late frame or a better offset needs no case of its own. What is
// settled (a turn that ended, a minute with no new frame) is not told again
// unless an offset moved by more than its bound: that is a new clock revision.

import type { SessionStatus } from '@framescope/protocol';
import { budgetOf } from '../query/measure-info.ts';
import { flowRows, rollupOf, type HopRollup } from '../rollup/minutes.ts';
import type { DerivedRows, RawSession, RollupRow, StoredFlush } from '../store/store.ts';
import type { AssemblerOptions, Change } from './assembler.ts';
import { flowOf } from './frames/flow.ts';
import { framesOf, type StreamFrames } from './frames/stream-frames.ts';
import { sessionDetail } from './session-detail.ts';
import { SessionData, type TurnFacts } from './session-data.ts';
import { SessionSpans } from './session-spans.ts';
import { RevisionWatch } from './clock/revision-watch.ts';
import { joinTurns } from './turns/join-turns.ts';
import { buildTurn, type BuiltTurn, type TurnContext } from './turns/turns.ts';

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

interface HeldTurn {
  readonly built: BuiltTurn;
  /** Of its own state and of those joined to it. */
  readonly rev: string;
  readonly revision: number;
  readonly isSettled: boolean;
  told: string;
}

/** What came of one session. */
export type SessionNews = Pick<RawSession, 'flushes' | 'spans' | 'tallies'>;

export class SessionAssembly {
  readonly key: string;
  readonly id: string;
  readonly data: SessionData;
  readonly #options: AssemblerOptions;
  readonly #spans = new SessionSpans();
  readonly #revisions: RevisionWatch;
  readonly #turns = new Map<string, HeldTurn>();
  /** What was told of each rollup row. */
  readonly #rollups = new Map<string, RollupRow>();
  #commit = 0;
  #isDirty = false;
  #toldRevision = -1;
  #toldZeroUnixNs: bigint | undefined;
  #lastPassUnixNs = 0n;
  #status: SessionStatus = 'live';
  /** Session times of marks that came since the last pass. */
  #newFromNs = Infinity;
  #newToNs = -Infinity;
  #newFlushes: StoredFlush[] = [];

  /** `revision`: the first one's number; higher than that of rows which were told before. */
  constructor(key: string, id: string, options: AssemblerOptions & { readonly revision?: number }) {
    this.key = key;
    this.id = id;
    this.#options = options;
    this.#revisions = new RevisionWatch(options.revision);
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

  add({ flushes, spans, tallies }: SessionNews, commit: number): void {
    for (const flush of flushes) {
      this.data.addFlush(flush);
      if (flush.record !== undefined) this.#newFlushes.push(flush);
    }
    for (const tally of tallies) this.#spans.add(tally);
    for (const span of spans) this.#spans.addWhole(span, this.data);
    this.#commit = Math.max(this.#commit, commit);
    if (flushes.length + tallies.length > 0) this.#isDirty = true;
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
  isDue(nowUnixNs: bigint): boolean {
    const status = this.statusAt(nowUnixNs);
    if (status !== this.#status) return true;
    const marksNs = BigInt(this.data.markCount) * PASS_EVERY_NS_A_MARK;
    // Plain spans come to hundreds of sessions in each tick; a list of them is no oscilloscope.
    const waitNs = this.data.hasFlushes ? marksNs : BigInt(SECOND_NS);
    return this.#isDirty && nowUnixNs - this.#lastPassUnixNs >= waitNs;
  }

  pass(nowUnixNs: bigint): { readonly derived: DerivedRows; readonly changes: readonly Change[] } {
    const status = this.statusAt(nowUnixNs);
    // The last word, with all that is known; what comes after it makes it be said again.
    const isOver = status === 'ended' || status === 'broken_off';
    const isClosing = isOver && (status !== this.#status || this.#isDirty);
    this.#status = status;
    this.#isDirty = false;
    this.#lastPassUnixNs = nowUnixNs;
    if (this.#spans.count > 0) this.data.assumeZero(this.#spans.startUnixNs);
    this.#spans.sources.recognise(this.data, status !== 'live');
    const revision = this.#revisions.next(this.data.clocks.maps(), isClosing);
    this.#noteNewMarks();
    const streams = this.#frames();
    const { byHop: rollups, rows } = this.#rollUp(streams);
    const turns = this.#buildTurns(streams, revision);
    const hasMoved = this.#hasMoved(turns);
    const isAll = hasMoved || revision !== this.#toldRevision;
    this.#toldRevision = revision;
    if (isAll) this.#rollups.clear();
    const newRollups = this.#untoldRollups(rows);
    const newTurns = turns.filter(held => isAll || isUntold(held));
    for (const held of newTurns) held.told = JSON.stringify(held.built.turn);
    const derived = this.#derived({
      streams,
      rollups,
      turns,
      newTurns,
      newRollups,
      revision,
      isAll,
    });
    return { derived, changes: this.#changes(newTurns, newRollups) };
  }

  #frames(): StreamFrames[] {
    const clocks = this.data.clockMaps();
    const budgetNs = budgetOf(this.#options.budgets, 'frame');
    return [...this.data.streams.values()].map(marks => framesOf(marks, { clocks, budgetNs }));
  }

  /** Each instance has figures of its own; the measure is that of all who stood at its hop. */
  #rollUp(streams: readonly StreamFrames[]): RolledUp {
    const context = { sessionKey: this.key, zeroUnixNs: this.data.zeroUnixNs };
    const hops = streams.flatMap(stream => stream.hops);
    const byHop = new Map(hops.map(hop => [hop.key, rollupOf([hop], context)] as const));
    const rows = [...new Set(hops.map(hop => hop.bareKey))].flatMap(bareKey => {
      const same = hops.filter(hop => hop.bareKey === bareKey);
      const [only] = same;
      return (same.length === 1 ? byHop.get(only!.key)! : rollupOf(same, context)).rows;
    });
    const flows = streams.flatMap(stream => flowOf(stream, this.#answersOn(stream.name)));
    return { byHop, rows: [...rows, ...flows.flatMap(flow => flowRows(flow, context))] };
  }

  /** First voiced ticks of the answers that were told, ascending. */
  #answersOn(stream: string): number[] {
    const closes = [...this.data.turns.values()].flatMap(({ state }) =>
      state.waits.flatMap(({ closes }) =>
        closes !== undefined && 'stream' in closes && closes.stream === stream ? [closes.tick] : [],
      ),
    );
    return closes.toSorted((a, b) => a - b);
  }

  #untoldRollups(rows: readonly RollupRow[]): RollupRow[] {
    const untold: RollupRow[] = [];
    for (const row of rows) {
      const id = `${row.measure} ${row.minute}`;
      const told = this.#rollups.get(id);
      if (told !== undefined && isAsTold(row, told)) continue;
      this.#rollups.set(id, row);
      untold.push(row);
    }
    return untold;
  }

  #buildTurns(streams: readonly StreamFrames[], revision: number): HeldTurn[] {
    const told = joinTurns([[...this.data.turns.values()], ...this.#spans.sources.turns()], facts =>
      this.data.clocks.map(facts.clock),
    );
    const all = told.map(facts => ({
      id: `${facts.state.stream} ${facts.state.tick}`,
      facts,
      startNs: this.data.clocks.map(facts.clock).toSession(facts.state.startedAt),
    }));
    all.sort((a, b) => a.startNs - b.startNs || a.facts.state.tick - b.facts.state.tick);
    const context = this.#turnContext(streams, revision);
    return all.map(({ id, facts }, i) => {
      const held = this.#turns.get(id);
      const rev = revOf(facts);
      const isSame = held?.rev === rev && held.revision === revision;
      if (held !== undefined && isSame && held.isSettled && !this.#isTouched(held)) return held;
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

  #turnContext(streams: readonly StreamFrames[], revision: number): TurnContext {
    const { data } = this;
    const processOf = (turn: TurnFacts): string | undefined =>
      turn.producer ?? data.processOnClock(turn.clock)?.producer ?? data.authority()?.producer;
    const isOver = this.#status === 'ended' || this.#status === 'broken_off';
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
    };
  }

  #derived(pass: Pass): DerivedRows {
    const { streams, rollups, turns, newTurns, newRollups, revision, isAll } = pass;
    const values = turns.flatMap(held => held.built.values);
    const { startNs, endNs } = this.#extent(streams);
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
        streams,
        rollups,
        turns: turns.map(held => held.built.turn),
        values,
        budgets: this.#options.budgets,
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

  /** Session time of the first and the last thing known. */
  #extent(streams: readonly StreamFrames[]): { startNs: number; endNs: number } {
    const { data } = this;
    const times: number[] = [];
    for (const process of data.processes.values()) {
      const map = data.clocks.map(process.clock);
      const { session } = process;
      if (session !== undefined) times.push(map.toSession(session.startedAt));
      if (session?.endedAt !== undefined) times.push(map.toSession(session.endedAt));
      if (session?.endedAt === undefined && Number.isFinite(process.lastRawNs))
        times.push(map.toSession(process.lastRawNs));
    }
    for (const { hops } of streams)
      for (const { atNs } of hops) times.push(atNs[0]!, atNs[atNs.length - 1]!);
    if (this.#spans.count > 0 && times.length === 0) {
      const zero = data.zeroUnixNs;
      times.push(Number(this.#spans.startUnixNs - zero), Number(this.#spans.endUnixNs - zero));
    }
    return times.length === 0
      ? { startNs: 0, endNs: 0 }
      : { startNs: Math.min(...times), endNs: Math.max(...times) };
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

interface RolledUp {
  /** By key. */
  readonly byHop: ReadonlyMap<string, HopRollup>;
  readonly rows: readonly RollupRow[];
}

interface Pass {
  readonly streams: readonly StreamFrames[];
  readonly rollups: ReadonlyMap<string, HopRollup>;
  readonly turns: readonly HeldTurn[];
  readonly newTurns: readonly HeldTurn[];
  readonly newRollups: readonly RollupRow[];
  readonly revision: number;
  readonly isAll: boolean;
}

/** Latencies count from other hops of the stream: a minute may change when those become known. */
const MEAN_MOVE_NS = 1_000_000;

const isAsTold = (row: RollupRow, told: RollupRow): boolean =>
  row.count === told.count &&
  row.lostCount === told.lostCount &&
  row.lateCount === told.lateCount &&
  row.concealedCount === told.concealedCount &&
  Math.abs(row.sumNs - told.sumNs) <= MEAN_MOVE_NS * row.count;

const revOf = ({ state, joined = [] }: TurnFacts): string =>
  [state.rev, ...joined.map(one => one.state.rev)].join();

const isUntold = (held: HeldTurn): boolean => held.told !== JSON.stringify(held.built.turn);

const unixOfMinute = (minute: number): string => String(BigInt(minute) * 60_000_000_000n);
