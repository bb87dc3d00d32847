// `x as SessionNs` claims a unit without a proof: it may be written where units
// are made (units.ts), and where arithmetic over columns makes them by the
// thousand (codecs, hot/, layout/); elsewhere a function of units.ts is called.

import { readFileSync } from 'node:fs';
import { sourcePlace } from '../place.js';

const UNITS = new URL('../../packages/protocol/src/units.ts', import.meta.url);
const PLACES = /(^|\/)(units\.ts|[\w-]*codec[\w-]*(\.ts|\/.*)|hot\/.*|layout\/.*)$/;

/** The branded types that units.ts declares: the list cannot get out of date. */
const BRANDS = new Set(
  [...read(UNITS).matchAll(/^export type (\w+)\s*=\s*(?:number|bigint|string)\s*&/gm)].map(
    ([, name]) => name,
  ),
);

function read(url) {
  return readFileSync(url, 'utf8');
}

export const unitCasts = {
  create(context) {
    const place = sourcePlace(context.filename);
    if (!place || PLACES.test(place.path)) return {};
    const check = node => {
      const name = node.typeAnnotation.typeName?.name;
      if (BRANDS.has(name))
        context.report({
          node,
          message: `cast into ${name}: call a function of units.ts (or add one), so that the unit is proved once`,
        });
    };
    return { TSAsExpression: check, TSTypeAssertion: check };
  },
};
