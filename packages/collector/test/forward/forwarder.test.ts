import { expect, test } from 'vitest';
import { decodeTraces } from '../../src/decode/decode.ts';
import { Forwarder, type ForwardPorts } from '../../src/forward/forwarder.ts';
import type { Outcome } from '../../src/forward/outcome.ts';
import { ForwardQueue } from '../../src/forward/queue.ts';
import { readTarget } from '../../src/forward/target.ts';
import type { StoredSpan } from '../../src/store/store.ts';
import { NOON_NS, seconds, spanOf, temporaryFolder } from '../support/spans.ts';

const ACCEPTED: Outcome = { kind: 'accepted', rejectedCount: 0, message: '' };

/** A store of commits, a target that answers what the test says, a clock that the test moves. */
class World {
  readonly folder: string = temporaryFolder();
  readonly logged: string[] = [];
  readonly received: string[] = [];
  commits: { commit: number; spans: StoredSpan[]; arrivalUnixNs: bigint }[] = [];
  nowUnixNs: bigint = NOON_NS + seconds(100);
  answers: Outcome[] = [];
  limit = 1_000;

  /** `'a1 a2'`: a commit with these spans. */
  commit(commit: number, names: string, arrivalUnixNs: bigint = NOON_NS): void {
    const spans = names
      .split(' ')
      .filter(Boolean)
      .map(name => ({ ...spanOf(name), sessionKey: null, commit, arrivalUnixNs }));
    this.commits.push({ commit, spans, arrivalUnixNs });
  }

  forwarder(query = 'send=all&delay=5&from=start'): Forwarder {
    const target = readTarget(`otlp+http://a:1?${query}`);
    const ports: ForwardPorts = {
      reader: {
        spansAfter: async after => {
          const run = this.commits.filter(one => one.commit > after).slice(0, this.limit);
          return { spans: run.flatMap(one => one.spans), first: run[0], last: run.at(-1) };
        },
        lastCommit: async () => this.commits.at(-1),
      },
      queue: new ForwardQueue(`${this.folder}/${target.id}`),
      transport: {
        send: async body => {
          const outcome = this.answers.shift() ?? ACCEPTED;
          if (outcome.kind === 'accepted') this.received.push(namesIn(body));
          return outcome;
        },
        close: () => undefined,
      },
      prepare: async spans => spans,
      nowUnixNs: () => this.nowUnixNs,
      random: () => 1,
      log: message => this.logged.push(message),
    };
    return new Forwarder(target, ports);
  }
}

function namesIn(body: Buffer): string {
  const result = decodeTraces(new Uint8Array(body), 'protobuf');
  return result.ok ? result.value.spans.map(span => span.name).join(' ') : result.problem;
}

async function steps(forwarder: Forwarder, count: number): Promise<number[]> {
  const waits: number[] = [];
  for (let i = 0; i < count; i++) waits.push(await forwarder.step());
  return waits;
}

test('spans are sent in order of arrival, each once, also after a restart', async () => {
  const world = new World();
  world.limit = 1;
  world.commit(1, 'a1 a2');
  world.commit(2, '');
  world.commit(3, 'b1');
  await steps(world.forwarder(), 5);
  expect(world.received).toEqual(['a1 a2', 'b1']);
  world.commit(4, 'c1');
  await steps(world.forwarder(), 3);
  expect(world.received).toEqual(['a1 a2', 'b1', 'c1']);
});

test('a commit is left until its delay is over', async () => {
  const world = new World();
  world.commit(1, 'a1', NOON_NS);
  world.commit(2, 'b1', NOON_NS + seconds(3));
  const forwarder = world.forwarder('send=all&delay=5&from=start');
  world.nowUnixNs = NOON_NS + seconds(5) - 1n;
  await steps(forwarder, 2);
  expect(world.received).toEqual([]);
  world.nowUnixNs = NOON_NS + seconds(5);
  await steps(forwarder, 2);
  expect(world.received).toEqual(['a1']);
  expect(forwarder.status()).toMatchObject({ unreadCommits: 1, lagNs: 2e9 });
  world.nowUnixNs = NOON_NS + seconds(8);
  await steps(forwarder, 2);
  expect(world.received).toEqual(['a1', 'b1']);
});

test('a wall clock that is set back leaves nothing behind', async () => {
  const world = new World();
  world.commit(1, 'a1', NOON_NS + seconds(3_600));
  world.commit(2, 'b1', NOON_NS);
  world.commit(3, 'c1', NOON_NS + seconds(9));
  world.nowUnixNs = NOON_NS + seconds(10);
  const forwarder = world.forwarder('send=all&delay=5&from=start');
  await steps(forwarder, 2);
  expect(world.received).toEqual(['a1 b1']);
  world.nowUnixNs = NOON_NS + seconds(14);
  await steps(forwarder, 2);
  expect(world.received).toEqual(['a1 b1', 'c1']);
});

test('a new target gets what comes from now on', async () => {
  const world = new World();
  world.commit(1, 'a1');
  const forwarder = world.forwarder('send=all');
  await steps(forwarder, 2);
  world.commit(2, 'b1');
  await steps(forwarder, 2);
  expect(world.received).toEqual(['b1']);
});

test('a target that is away is asked again at doubling intervals, and gets everything in order', async () => {
  const world = new World();
  world.commit(1, 'a1');
  const away: Outcome = { kind: 'retry', why: 'connect ECONNREFUSED' };
  world.answers = [away, away, away, { ...away, afterMs: 7_000 }];
  const forwarder = world.forwarder();
  expect(await steps(forwarder, 4)).toEqual([250, 500, 1_000, 7_000]);
  expect(forwarder.status()).toMatchObject({
    state: 'retrying',
    retries: 4,
    lastError: 'connect ECONNREFUSED',
    sentSpans: 0,
  });
  // Told once, not four times.
  expect(world.logged).toHaveLength(1);
  world.commit(2, 'b1');
  await steps(forwarder, 3);
  expect(world.received).toEqual(['a1', 'b1']);
  expect(forwarder.status()).toMatchObject({
    state: 'idle',
    sentSpans: 2,
    lastError: null,
    lagNs: 0,
  });
});

test('a try waits 30 s at most, and the first one after success is quick again', async () => {
  const world = new World();
  world.commit(1, 'a1');
  world.answers = Array.from({ length: 12 }, () => ({ kind: 'retry', why: 'x' }));
  const forwarder = world.forwarder();
  expect((await steps(forwarder, 12)).at(-1)).toBe(30_000);
  await forwarder.step();
  world.commit(2, 'b1');
  world.answers = [{ kind: 'retry', why: 'x' }];
  expect(await forwarder.step()).toBe(250);
});

test('who asks for a wait of a century is waited for an hour', async () => {
  const world = new World();
  world.commit(1, 'a1');
  world.answers = [{ kind: 'retry', why: 'x', afterMs: 3.2e12 }];
  expect(await world.forwarder().step()).toBe(3_600_000);
});

test('what the other side refuses for good is counted and told, and the next is sent', async () => {
  const world = new World();
  world.limit = 1;
  world.commit(1, 'a1 a2');
  world.commit(2, 'b1');
  world.commit(3, 'c1 c2');
  world.answers = [
    { kind: 'refused', why: 'HTTP 400: no' },
    ACCEPTED,
    { kind: 'accepted', rejectedCount: 1, message: 'too old' },
  ];
  const forwarder = world.forwarder();
  await steps(forwarder, 4);
  expect(world.received).toEqual(['b1', 'c1 c2']);
  expect(forwarder.status()).toMatchObject({ rejectedSpans: 3, sentSpans: 2 });
  expect(world.logged).toEqual([
    'forward otlp+http://a:1: 2 spans were refused for good: HTTP 400: no',
    'forward otlp+http://a:1: 1 spans were rejected: too old',
  ]);
});

test('while its queue is full no more is read, and nothing is lost', async () => {
  const world = new World();
  world.limit = 1;
  for (let i = 1; i <= 4; i++) {
    world.commit(i, `a${i}`);
    const { spans } = world.commits.at(-1)!;
    spans[0] = { ...spans[0]!, attributes: { text: 'x'.repeat(600_000) } };
  }
  world.answers = Array.from({ length: 6 }, () => ({ kind: 'retry', why: 'x' }));
  const forwarder = world.forwarder('send=all&queue=1MB&from=start');
  await steps(forwarder, 6);
  expect(forwarder.status().unreadCommits).toBe(2);
  await steps(forwarder, 8);
  expect(world.received).toEqual(['a1', 'a2', 'a3', 'a4']);
});

test('what retention took before it was read is counted and told', async () => {
  const world = new World();
  world.commit(1, 'a1');
  const forwarder = world.forwarder();
  await steps(forwarder, 2);
  world.commits = [];
  world.commit(5, 'b1');
  await steps(forwarder, 2);
  expect(forwarder.status().droppedCommits).toBe(3);
  expect(world.logged.join()).toContain('3 commits were dropped');
  expect(world.received).toEqual(['a1', 'b1']);
});

test('a batch that was not acknowledged is sent again byte for byte after a crash', async () => {
  const world = new World();
  world.commit(1, 'a1');
  world.answers = [{ kind: 'retry', why: 'x' }];
  await world.forwarder().step();
  // The store would say something else by now: the frozen bytes count.
  world.commits[0] = { ...world.commits[0]!, spans: [] };
  await world.forwarder().step();
  expect(world.received).toEqual(['a1']);
});

test('a body has at most 512 spans and 3 MiB', async () => {
  const world = new World();
  const names = Array.from({ length: 513 }, (_, i) => `a${i + 1}`);
  world.commit(1, names.join(' '));
  await steps(world.forwarder(), 3);
  expect(world.received.map(text => text.split(' ').length)).toEqual([512, 1]);
});
