// A unit test takes no time and meets no one: no timers, no real clock, no network.
// What needs them is called *.e2e.test.ts.

import { isUnitTest } from '../place.js';

const GLOBALS = new Set(['setTimeout', 'setInterval', 'fetch', 'WebSocket']);
const CLOCKS = { Date: ['now'], performance: ['now'], process: ['hrtime'] };
const MODULES = /^(node:)?(timers\/promises|net|http|https|http2|dgram|tls)$|^ws$/;
const ADVICE =
  'a unit test has no sleep, real clock or network; inject it, or name the file *.e2e.test.ts';

export const pureUnitTest = {
  create(context) {
    if (!isUnitTest(context.filename)) return {};
    const report = (node, what) => context.report({ node, message: `${what}: ${ADVICE}` });
    return {
      CallExpression({ callee }) {
        if (callee.type === 'Identifier' && GLOBALS.has(callee.name)) report(callee, callee.name);
        if (callee.type !== 'MemberExpression') return;
        const { object, property } = callee;
        if (CLOCKS[object.name]?.includes(property.name))
          report(callee, `${object.name}.${property.name}`);
      },
      NewExpression(node) {
        if (node.callee.name === 'WebSocket') report(node, 'WebSocket');
        if (node.callee.name === 'Date' && node.arguments.length === 0) report(node, 'new Date()');
      },
      ImportDeclaration(node) {
        if (node.importKind !== 'type' && MODULES.test(node.source.value))
          report(node, node.source.value);
      },
    };
  },
};
