// What the stamp says is to be done.

import { expect, test } from 'vitest';
import { hashOf, putStamp, reasonFor, takeStampAway } from '../../scripts/setup/stamp.mjs';
import { type TemporaryTree, temporaryTree } from '../temporary-tree.ts';

const STAGE = { name: 'compile', inputs: ['src', 'lock.json'], facts: ['115'], outputs: ['out'] };
const FILES = { 'src/a.ts': 'one', 'src/deep/b.ts': 'two', 'lock.json': '{}', 'out/a.js': 'one' };

/** A tree in which the stage has run. */
function doneTree(): TemporaryTree {
  const tree = temporaryTree(FILES);
  putStamp(tree.root, STAGE.name, hashOf(tree.root, STAGE));
  return tree;
}

test('a clean clone has everything to do', () => {
  expect(reasonFor(temporaryTree(FILES).root, STAGE)).toBe('not done yet');
});

test('a stage that has run is not run again', () => {
  expect(reasonFor(doneTree().root, STAGE)).toBeUndefined();
});

test.each([
  ['a changed source', { 'src/deep/b.ts': 'TWO' }],
  ['a new source', { 'src/c.ts': '' }],
  ['a changed lock file', { 'lock.json': '{ }' }],
])('%s makes the stage run', (_what, change) => {
  const tree = doneTree();
  for (const [path, text] of Object.entries(change)) tree.write(path, text);
  expect(reasonFor(tree.root, STAGE)).toBe('something changed');
});

test('a removed source makes the stage run', () => {
  const tree = doneTree();
  tree.remove('src/deep/b.ts');
  expect(reasonFor(tree.root, STAGE)).toBe('something changed');
});

test('text that moves from one file to the next is a change', () => {
  const tree = doneTree();
  tree.write('src/a.ts', 'onetw');
  tree.write('src/deep/b.ts', 'o');
  expect(reasonFor(tree.root, STAGE)).toBe('something changed');
});

test('a file written again with the same text is no change', () => {
  const tree = doneTree();
  tree.write('src/a.ts', 'one');
  expect(reasonFor(tree.root, STAGE)).toBeUndefined();
});

test('what the stage itself writes is no change', () => {
  const tree = doneTree();
  tree.write('src/node_modules/x.js', '');
  tree.write('src/tsconfig.tsbuildinfo', '');
  expect(reasonFor(tree.root, STAGE)).toBeUndefined();
});

test('another Node ABI makes the stage run', () => {
  expect(reasonFor(doneTree().root, { ...STAGE, facts: ['127'] })).toBe('something changed');
});

test('a deleted output makes the stage run', () => {
  const tree = doneTree();
  tree.remove('out');
  expect(reasonFor(tree.root, STAGE)).toBe('out is missing');
});

test('a stage that was interrupted is to be done, though nothing changed', () => {
  const tree = doneTree();
  putStamp(tree.root, 'install', 'kept');
  takeStampAway(tree.root, STAGE.name);
  expect(reasonFor(tree.root, STAGE)).toBe('not done yet');
  takeStampAway(tree.root, STAGE.name);
});

test('the stamp of one stage leaves that of another', () => {
  const tree = doneTree();
  putStamp(tree.root, 'install', 'kept');
  expect(reasonFor(tree.root, STAGE)).toBeUndefined();
});

test('a stamp that was cut off while it was written means everything is to be done', () => {
  const tree = doneTree();
  tree.write('.framescope/setup.json', '{ "compile": "9f');
  expect(reasonFor(tree.root, STAGE)).toBe('not done yet');
});
