import { expect, onTestFinished, test } from 'vitest';
import { DiskError } from '../../src/store/errors.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { wholeLoop, type WholeLoop } from '../../src/writer/compose.ts';
import type { FromAssembly, FromWriter } from '../../src/writer/messages.ts';
import { attribute, bodyOf, spanJson } from '../support/otlp-bodies.ts';
import { NOON_NS, seconds, temporaryFolder } from '../support/spans.ts';

const CLOCK = { domain: 'c0ffee00c0ffee00', epoch: 0, zeroUnixNs: NOON_NS };

/** A real store whose disk can be made full. */
class FillableWriter extends SqliteWriter {
  isFull = false;

  override commit(...args: Parameters<SqliteWriter['commit']>): ReturnType<SqliteWriter['commit']> {
    this.#check();
    return super.commit(...args);
  }

  override commitDerived(...args: Parameters<SqliteWriter['commitDerived']>): void {
    this.#check();
    super.commitDerived(...args);
  }

  #check(): void {
    if (this.isFull) throw new DiskError('data', new Error('database or disk is full'));
  }
}

class Bench {
  readonly store: FillableWriter;
  readonly loop: WholeLoop;
  readonly posted: (FromWriter | FromAssembly)[] = [];
  nowUnixNs = NOON_NS;
  #soon: (() => void)[] = [];
  #nextId = 0;

  constructor(folder: string) {
    this.store = new FillableWriter({ folder, maxBytes: 1e9 });
    this.loop = wholeLoop(
      this.store,
      { folder, maxBytes: 1e9, clock: CLOCK, budgets: { limits: {}, inFile: [] } },
      {
        nowUnixNs: () => this.nowUnixNs,
        nowNs: () => 0,
        soon: work => this.#soon.push(work),
        post: message => this.posted.push(message),
      },
    );
  }

  send(...bodies: Uint8Array[]): void {
    for (const bytes of bodies) this.loop.accept(this.#nextId++, { bytes, encoding: 'json' });
  }

  run(): void {
    while (this.#soon.length > 0) this.#soon.shift()!();
  }

  /** `0 stored, 1 malformed` */
  answers(): string {
    return this.posted
      .flatMap(message => (message.type === 'answers' ? message.answers : []))
      .map(([id, answer]) => `${id} ${answer.kind}`)
      .join(', ');
  }

  commits(): number {
    return this.posted.filter(message => message.type === 'answers').length;
  }

  changes(): string[] {
    return this.posted
      .flatMap(message => (message.type === 'changes' ? message.changes : []))
      .map(one => one.type);
  }
}

function bench(folder: string = temporaryFolder()): Bench {
  const one = new Bench(folder);
  onTestFinished(() => one.store.close());
  return one;
}

const span = (spanId: string): Uint8Array =>
  bodyOf(
    spanJson({
      spanId: spanId.padStart(16, '0'),
      attributes: [attribute('session.id', { stringValue: 's' })],
    }),
  );

test('bodies that wait together are one commit, and a malformed one spoils none', () => {
  const one = bench();
  one.send(span('1'), Buffer.from('{'), span('2'));
  one.run();
  expect([one.commits(), one.answers()]).toEqual([1, '1 malformed, 0 stored, 2 stored']);
});

test('a full disk is answered for later, and writing goes on by itself when there is room', () => {
  const one = bench();
  one.store.isFull = true;
  one.send(span('1'));
  one.run();
  one.store.isFull = false;
  one.send(span('1'));
  one.run();
  expect(one.answers()).toBe('0 unavailable, 1 stored');
});

test('derived rows that found no room are written when there is some', () => {
  const one = bench();
  one.send(span('1'));
  one.run();
  one.store.isFull = true;
  one.loop.tick();
  one.store.isFull = false;
  one.loop.tick();
  expect(one.store.unfinishedSessions().map(left => left.lastCommit - left.coveredCommit)).toEqual([
    0,
  ]);
});

test('what was stored and not yet assembled is assembled after a crash', () => {
  const folder = temporaryFolder();
  const before = new Bench(folder);
  before.send(span('1'), span('2'));
  before.run();
  // No tick: nothing derived is written. As after a kill, only the raw data is there.
  before.store.close();
  const after = bench(folder);
  after.loop.tick();
  expect(after.changes()).toEqual(['session']);
  expect(after.store.unfinishedSessions()[0]).toMatchObject({
    coveredCommit: 1,
    lastCommit: 1,
    status: 'live',
  });
});

test('a session that was let go is read again, and none of its spans counts twice', async () => {
  const folder = temporaryFolder();
  const one = bench(folder);
  one.send(span('1'), span('2'));
  one.run();
  one.nowUnixNs += seconds(3_601);
  one.loop.tick();
  // The wall clock steps back by a second: the next span is of the same session still.
  one.nowUnixNs -= seconds(1);
  one.send(span('2'), span('3'));
  one.run();
  one.loop.tick();
  const reader = new SqliteReader(folder);
  const { items } = await reader.sessions({ limit: 10 });
  reader.close();
  expect(items.map(session => [session.id, session.spanCount, session.status])).toEqual([
    ['s', 3, 'live'],
  ]);
});
