// Who may import whom: protocol ← instrument, collector, viewer; testkit ← tests, benches.
//
// Project references enforce the same for types; this also sees what the
// compiler lets through (a package that happens to be installed, a relative
// path into a neighbour), and says why it is wrong.

import { dirname, join } from 'node:path/posix';
import { sourcePlace } from '../place.js';

const OURS = /^(framescope|@framescope\/[^/]+)(\/|$)/;

/** Which of our packages each may import. */
const MAY_IMPORT = {
  protocol: [],
  instrument: ['@framescope/protocol'],
  collector: ['@framescope/protocol'],
  viewer: ['@framescope/protocol'],
  testkit: ['@framescope/protocol', '@framescope/instrument', 'framescope'],
  example: ['@framescope/instrument', '@framescope/protocol'],
  bench: ['@framescope/protocol', '@framescope/instrument', 'framescope', '@framescope/testkit'],
};

/** Path under src → packages that only it may import, by package. */
const ONLY_IN = [
  {
    in: 'instrument',
    packages: /^@opentelemetry\//,
    places: /^otel\//,
    why: 'otel/ is the one folder that knows the SDK',
  },
  {
    in: 'instrument',
    packages: /^node:/,
    places: /^(platform\/node\/|index\.node\.ts$)/,
    why: 'the rest runs in browsers too; put it into platform/node/',
  },
  { in: 'collector', packages: /^better-sqlite3$/, places: /^store\//, why: 'SQL lives in store/' },
  { in: 'viewer', packages: /^node:/, places: /^$/, why: 'the viewer runs in a browser' },
];

/** Folders of one package that must not know each other. */
const NOT_BETWEEN = [
  { in: 'viewer', from: /^draw\//, to: /^data\//, why: 'drawing takes layouts, never data' },
  {
    in: 'viewer',
    from: /^layout\//,
    to: /^(draw|pages|input)\//,
    why: 'layout is pure; data → layout → draw',
  },
];

/** The reason why `specifier` may not be imported at `place`, or undefined. */
function problemOf(place, specifier) {
  if (specifier.startsWith('.')) return relativeProblem(place, specifier);
  if (place.package === 'protocol') return 'protocol has no dependency: it must run anywhere';
  const ours = OURS.exec(specifier)?.[1];
  const allowed = MAY_IMPORT[place.package];
  if (ours && allowed && !allowed.includes(ours))
    return `${place.package} may not import ${ours} (protocol ← instrument, collector, viewer; testkit ← tests, benches)`;
  const limit = ONLY_IN.find(one => one.in === place.package && one.packages.test(specifier));
  return limit && !limit.places.test(place.path) ? `not here: ${limit.why}` : undefined;
}

function relativeProblem(place, specifier) {
  const target = join(dirname(place.path), specifier);
  if (target.startsWith('..'))
    return 'a relative import may not leave its src/; import the package by name';
  const wall = NOT_BETWEEN.find(
    one => one.in === place.package && one.from.test(place.path) && one.to.test(target),
  );
  return wall?.why;
}

export const importBoundaries = {
  create(context) {
    const place = sourcePlace(context.filename);
    if (!place) return {};
    const check = (node, source) => {
      if (typeof source?.value !== 'string') return;
      const problem = problemOf(place, source.value);
      if (problem) context.report({ node, message: `'${source.value}': ${problem}` });
    };
    return {
      ImportDeclaration: node => check(node, node.source),
      ImportExpression: node => check(node, node.source),
      ExportNamedDeclaration: node => check(node, node.source),
      ExportAllDeclaration: node =>
        context.report({ node, message: 'list the names: `export *` hides what a package offers' }),
    };
  },
};
