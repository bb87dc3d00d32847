// Some names of the platform belong to one file each; elsewhere they are errors.

import { sourcePlace } from '../place.js';

const PACKAGES_ONLY = new Set(['example', 'bench']);

/** Globals (bare or as a member of something) that only some paths under src may name. */
const GLOBALS = {
  requestAnimationFrame: {
    places: /^draw\/surface\.ts$/,
    why: 'draw/surface.ts is the one file that schedules frames; call invalidate()',
  },
  devicePixelRatio: {
    places: /^draw\/surface\.ts$/,
    why: 'draw/surface.ts is the one file that knows device pixels; work in CSS pixels',
  },
};

/** Members of `process` that only some paths under src may name. */
const PROCESS = {
  env: {
    places: /^(cli\.ts|config\.ts|platform\/node\/.*)$/,
    why: 'the environment is read in cli.ts, config.ts and platform/node only; take an option',
  },
  exit: {
    places: /^$/,
    why: 'nothing calls process.exit(): set process.exitCode and let the work end',
  },
};

export const onePlace = {
  create(context) {
    const place = sourcePlace(context.filename);
    if (!place || PACKAGES_ONLY.has(place.package)) return {};
    const check = (node, name, rule) => {
      if (!rule.places.test(place.path)) context.report({ node, message: `${name}: ${rule.why}` });
    };
    return {
      Identifier(node) {
        if (Object.hasOwn(GLOBALS, node.name)) check(node, node.name, GLOBALS[node.name]);
      },
      MemberExpression(node) {
        const name = node.property.name ?? node.property.value;
        if (
          node.object.name === 'process' &&
          typeof name === 'string' &&
          Object.hasOwn(PROCESS, name)
        )
          check(node, `process.${name}`, PROCESS[name]);
      },
    };
  },
};
