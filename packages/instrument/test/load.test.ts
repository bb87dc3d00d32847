// Load of a process: counted once a second for all calls, told five seconds at a time.

import { decodeLoad, type LoadFigures } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { LoadReporter } from '../src/export/load-reporter.ts';
import type { FramesSpan } from '../src/export/frames-span.ts';
import { Problems } from '../src/problems.ts';
import { World } from './support/world.ts';

interface Bench {
  readonly world: World;
  readonly load: LoadReporter;
  readonly told: () => LoadFigures[];
  readonly spans: FramesSpan[];
  readonly problems: Problems;
}

function bench(read: () => object = () => ({ lagMaxNs: 5e6, busy: 0.5 })): Bench {
  const world = new World();
  const spans: FramesSpan[] = [];
  const problems = new Problems(undefined);
  const load = new LoadReporter(
    {
      clock: world.clock(),
      producer: 'ab'.repeat(8),
      packer: { pack: all => (spans.push(...all), new Uint8Array(1)) },
      outbox: { enqueue: () => undefined },
      problems,
      open: { size: 7 },
    },
    () => ({ read, stop: () => undefined }),
  );
  const told = (): LoadFigures[] =>
    spans.flatMap(span => {
      const pieces = decodeLoad(span.attributes['framescope.load'], 'load');
      if (!pieces.ok) throw new Error(pieces.problem);
      return pieces.value.map(one => one.figures);
    });
  return { world, load, told, spans, problems };
}

test('a second of load is one span from its start to its end', () => {
  const { world, load, told, spans } = bench();
  load.start();
  world.nowNs += 1e9;
  load.flush();
  expect(told()).toEqual([{ calls: 7, lagMaxNs: 5e6, busy: 0.5 }]);
  expect(spans[0]).toMatchObject({ name: 'process.load' });
  expect(spans[0]!.endUnixNs - spans[0]!.startUnixNs).toBe(1_000_000_000n);
});

test('flushes twenty times a second count load once a second, told five at a time', () => {
  const { world, load, told, spans } = bench();
  load.start();
  for (let i = 0; i < 220; i++) {
    world.nowNs += 50e6;
    load.flush();
  }
  // The first at once: it says how many calls there are.
  expect(told()).toHaveLength(11);
  expect(spans.map(span => span.endUnixNs - span.startUnixNs)).toEqual([
    900_000_000n,
    4_500_000_000n,
    4_500_000_000n,
  ]);
});

test('a loop that is 100 ms late is told at once, one that is less waits for its five seconds', () => {
  let lagMaxNs = 99_999_000;
  const { world, load, spans } = bench(() => ({ lagMaxNs }));
  const second = (): void => {
    world.nowNs += 1e9;
    load.flush();
  };
  load.start();
  second();
  second();
  expect(spans).toHaveLength(1);
  lagMaxNs = 100_000_000;
  second();
  expect(spans).toHaveLength(2);
});

test('what waits when the last call ends is told then', () => {
  const { world, load, told } = bench();
  load.start();
  for (let i = 0; i < 3; i++) {
    world.nowNs += 1e9;
    load.flush();
  }
  expect(told()).toHaveLength(1);
  load.stop();
  expect(told()).toHaveLength(3);
});

test('a queue is told with the most that waited in the second', () => {
  const { world, load, told } = bench();
  load.start();
  for (const depth of [1, 4, 2]) load.gauge('llm', depth);
  world.nowNs += 1e9;
  load.flush();
  world.nowNs += 1e9;
  load.flush();
  load.stop();
  expect(told().map(one => one.waiting)).toEqual([{ llm: 4 }, { llm: 2 }]);
});

test('32 queues are told and the next is counted as a problem', () => {
  const { load, problems } = bench();
  for (let i = 0; i < 32; i++) load.gauge(`queue ${i}`, 1);
  expect(problems.counts().get('too_many_gauges')).toBeUndefined();
  load.gauge('one more', 1);
  expect(problems.counts().get('too_many_gauges')).toBe(1);
});

test('a meter that throws costs a report and nothing else', () => {
  const { world, load, spans, problems } = bench(() => {
    throw new Error('no /proc');
  });
  load.start();
  world.nowNs += 1e9;
  expect(() => load.flush()).not.toThrow();
  expect(spans).toEqual([]);
  expect([...problems.counts().values()]).toEqual([1]);
});

test('nothing is told before the start and after the stop', () => {
  const { world, load, spans } = bench();
  world.nowNs += 1e9;
  load.flush();
  load.start();
  load.stop();
  world.nowNs += 1e9;
  load.flush();
  expect(spans).toEqual([]);
});
