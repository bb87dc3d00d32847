import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ForwardQueue, type QueuedBody } from '../../src/forward/queue.ts';
import { temporaryFolder } from '../support/spans.ts';

const body = (text: string): QueuedBody => ({ bytes: Buffer.from(text), spanCount: text.length });

const textOf = (queue: ForwardQueue): string[] | undefined =>
  queue.oldest()?.map(one => `${one.bytes.toString()} ${one.spanCount}`);

test('batches come out in order, also after a restart', () => {
  const folder = temporaryFolder();
  const queue = new ForwardQueue(folder);
  queue.push([body('a'), body('bb')], 3);
  queue.push([body('ccc')], 7);
  const again = new ForwardQueue(folder);
  expect([again.cursor(), again.bytes(), textOf(again)]).toEqual([
    7,
    queue.bytes(),
    ['a 1', 'bb 2'],
  ]);
  again.drop();
  expect(textOf(again)).toEqual(['ccc 3']);
  again.drop();
  expect([again.oldest(), again.bytes(), again.cursor()]).toEqual([undefined, 0, 7]);
});

test('after the last batch is gone a restart still knows how far the store was read', () => {
  const folder = temporaryFolder();
  const queue = new ForwardQueue(folder);
  expect(queue.cursor()).toBeUndefined();
  queue.push([body('a')], 3);
  queue.drop();
  expect(new ForwardQueue(folder).cursor()).toBe(3);
});

test('a batch that a crash left half written is not there', () => {
  const folder = temporaryFolder();
  new ForwardQueue(folder).push([body('a')], 3);
  writeFileSync(join(folder, '00000002-0000000009.batch.new'), 'half');
  const again = new ForwardQueue(folder);
  expect([again.cursor(), textOf(again)]).toEqual([3, ['a 1']]);
  expect(readdirSync(folder)).toEqual(['00000001-0000000003.batch']);
  again.push([body('b')], 4);
  expect(readdirSync(folder).filter(name => name.endsWith('.batch'))).toHaveLength(2);
});
