// framescope import --from sqlite:DIR --to clickhouse://…: everything of a data folder into ClickHouse.
//
// In steps, each in pieces; how far it came is noted in the target, so it can be stopped at any time (or
// killed) and be called again. What collectors go by (which sessions were heard of) comes last: until then
// none of those that run on the target takes up half a call.

import { realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { UsageError } from '../config.ts';
import { commitAt } from '../store/clickhouse/commit-number.ts';
import { MoveTarget, type MovedSession } from '../store/clickhouse/move-target.ts';
import { parseClickHouseUrl, type ClickHouseSettings } from '../store/clickhouse/settings.ts';
import { FolderSource, type SourceFile } from '../store/sqlite/folder-source.ts';
import type { Done } from './commands.ts';

const PIECE = { spans: 20_000, flushes: 5_000, points: 5_000, loads: 5_000, heard: 5_000 } as const;
/** Sessions at a time; a long call has some hundred kilobytes of turns and minutes. */
const SESSIONS_PIECE = 20;
const TELL_MS = 2_000;

export interface MoveOptions {
  /** `sqlite:DIR` */
  readonly from: string;
  /** `clickhouse:URL` as `--store` takes it. */
  readonly to: string;
  readonly tell: (line: string) => void;
}

/** @throws {UsageError | StoreError} */
export async function move({ from, to, tell }: MoveOptions): Promise<Done> {
  const folder = folderOf(from);
  const settings = settingsOf(to);
  const source = new FolderSource(folder);
  try {
    const nowUs = (): number => Date.now() * 1_000;
    const name = `${hostname()}:${realpathSync(folder)}`;
    const target = await MoveTarget.open({ settings, source: name, nowUs });
    try {
      return await new Move(source, target, new Progress(tell)).run(`${settings.database}`);
    } finally {
      await target.close();
    }
  } finally {
    source.close();
  }
}

function folderOf(from: string): string {
  const folder = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(from)?.[1];
  if (folder === undefined)
    throw new UsageError(
      `--from must be sqlite: and the folder of a collector, e.g. sqlite:./framescope-data, got "${from}"`,
    );
  return folder;
}

function settingsOf(to: string): ClickHouseSettings {
  // `clickhouse:clickhouse://…` is how somebody may read "clickhouse:URL".
  const settings = parseClickHouseUrl(to.replace(/^clickhouse:(?=clickhouses?:)/, ''));
  if (!settings.ok) throw new UsageError(`--to: ${settings.problem.replace(/^--store:? ?/, '')}`);
  return settings.value;
}

/** Numbers of commits in the target, by those in the source. */
class Numbers {
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  constructor(commits: readonly { readonly commit: number; readonly arrivalUnixNs: bigint }[]) {
    let last = 0;
    for (const { commit, arrivalUnixNs } of commits) {
      last = Math.max(last + 1, commitAt(arrivalUnixNs));
      this.#from.push(commit);
      this.#to.push(last);
    }
  }

  /** Of the last commit that is no later than `commit`; 0: there is none. */
  of(commit: number): number {
    let [low, high] = [0, this.#from.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#from[middle]! <= commit) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.#to[low - 1]!;
  }
}

/** Says now and then how far it is. */
class Progress {
  readonly #tell: (line: string) => void;
  #toldMs = performance.now();

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  say(line: string): void {
    this.#toldMs = performance.now();
    this.#tell(line);
  }

  at(line: string): void {
    if (performance.now() - this.#toldMs >= TELL_MS) this.say(line);
  }
}

class Move {
  readonly #source: FolderSource;
  readonly #target: MoveTarget;
  readonly #progress: Progress;
  readonly #numbers: Numbers;
  #places: ReadonlyMap<string, Readonly<Record<string, number>>> = new Map();
  readonly #ids: ReadonlyMap<string, string>;
  readonly #counts = { sessions: 0, spans: 0, repeated: 0, flushes: 0, points: 0, loads: 0 };

  constructor(source: FolderSource, target: MoveTarget, progress: Progress) {
    this.#source = source;
    this.#target = target;
    this.#progress = progress;
    this.#numbers = new Numbers(source.commits());
    this.#ids = new Map(source.heard().map(one => [one.key, one.id]));
  }

  async run(database: string): Promise<Done> {
    this.#places = await this.#target.places();
    if (this.#places.has('done'))
      return {
        lines: [`all of it is in ${database} already: it was moved before`],
        errors: [],
        code: 0,
      };
    if (this.#places.size > 0) this.#progress.say('going on where it was broken off');
    await this.#target.pins(this.#source.pins());
    const clocks = this.#source.collectorClocks();
    await this.#target.clocks(
      clocks.map(one => ({ ...one, sinceCommit: this.#numbers.of(one.sinceCommit) })),
    );
    await this.#sessions();
    for (const file of this.#source.files) {
      await this.#spans(file);
      await this.#flushes(file);
      await this.#points(file);
      await this.#loads(file);
    }
    await this.#heard();
    await this.#set();
    await this.#target.note('done', {});
    const { sessions, spans, repeated, flushes, points, loads } = this.#counts;
    const known = repeated > 0 ? ` (${repeated} of them were there)` : '';
    return {
      lines: [
        `moved into ${database}: ${sessions} sessions, ${spans} spans${known}, ${flushes} records and states, ` +
          `${points} histogram points, ${loads} load reports; the folder is as it was`,
      ],
      errors: [],
      code: 0,
    };
  }

  #place(step: string, name: string): number {
    return this.#places.get(step)?.[name] ?? 0;
  }

  async #sessions(): Promise<void> {
    const total = this.#source.sessionCount();
    let row = this.#place('sessions', 'row');
    this.#counts.sessions = this.#place('sessions', 'count');
    for (;;) {
      const found = this.#source.sessionsAfter(row, SESSIONS_PIECE);
      const last = found.at(-1);
      if (last === undefined) return;
      await this.#target.derived(
        found.map(({ derived }) => ({
          ...derived,
          coveredCommit: this.#numbers.of(derived.coveredCommit),
        })),
      );
      row = last.row;
      this.#counts.sessions += found.length;
      await this.#target.note('sessions', { row, count: this.#counts.sessions });
      this.#progress.at(`sessions: ${this.#counts.sessions} of ${total}`);
    }
  }

  async #spans(file: SourceFile): Promise<void> {
    const step = `spans of ${file.name}`;
    let commit = this.#place(step, 'commit');
    let count = this.#place(step, 'count');
    for (;;) {
      const found = this.#source.spansAfter(file, commit, PIECE.spans);
      if (found === undefined) break;
      const spans = found.spans.map(span => ({ ...span, commit: this.#numbers.of(span.commit) }));
      const fresh = await this.#target.spans(spans, key => this.#ids.get(key) ?? '');
      this.#counts.repeated += spans.length - fresh;
      commit = found.lastCommit;
      count += spans.length;
      await this.#target.note(step, { commit, count });
      this.#progress.at(`${file.name}: ${count} spans, up to commit ${commit}`);
    }
    this.#counts.spans += count;
  }

  async #flushes(file: SourceFile): Promise<void> {
    const step = `records of ${file.name}`;
    let last = this.#place(step, 'last');
    let count = this.#place(step, 'count');
    for (;;) {
      const found = this.#source.flushesAfter(file, last, PIECE.flushes);
      if (found === undefined) break;
      await this.#target.flushes(
        found.flushes.map(one => ({ ...one, commit: this.#numbers.of(one.commit) })),
        last,
      );
      ({ last } = found);
      count += found.flushes.length;
      await this.#target.note(step, { last, count });
      this.#progress.at(`${file.name}: ${count} records and states`);
    }
    this.#counts.flushes += count;
  }

  async #points(file: SourceFile): Promise<void> {
    const step = `points of ${file.name}`;
    let last = this.#place(step, 'last');
    let count = this.#place(step, 'count');
    for (;;) {
      const found = this.#source.pointsAfter(file, last, PIECE.points);
      if (found === undefined) break;
      await this.#target.points(found.points);
      ({ last } = found);
      count += found.points.length;
      await this.#target.note(step, { last, count });
    }
    this.#counts.points += count;
  }

  async #loads(file: SourceFile): Promise<void> {
    const loads = this.#source.loads(file);
    for (let at = 0; at < loads.length; at += PIECE.loads)
      await this.#target.loads(loads.slice(at, at + PIECE.loads));
    this.#counts.loads += loads.length;
  }

  async #heard(): Promise<void> {
    const sessions = this.#source.heard().map((one): MovedSession => ({
      key: one.key,
      id: one.id,
      incarnation: one.incarnation,
      commit: this.#numbers.of(one.lastCommit),
      arrivalUnixNs: one.lastArrivalUnixNs,
    }));
    for (let at = 0; at < sessions.length; at += PIECE.heard)
      await this.#target.heard(sessions.slice(at, at + PIECE.heard));
  }

  /** What people set besides. */
  async #set(): Promise<void> {
    await this.#target.annotations(this.#source.annotations());
    await this.#target.budgets(this.#source.budgets(), BigInt(Date.now()) * 1_000_000n);
  }
}
