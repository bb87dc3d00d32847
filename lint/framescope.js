// Our own lint rules: what a reviewer would otherwise have to remember.
//
// Each rule decides by the path of the file (place.js), so that the table of
// what may stand where is in the rule and not spread over overrides.

import { headerComment } from './rules/header-comment.js';
import { importBoundaries } from './rules/import-boundaries.js';
import { onePlace } from './rules/one-place.js';
import { pureUnitTest } from './rules/pure-unit-test.js';
import { sqlInStore } from './rules/sql-in-store.js';
import { unitCasts } from './rules/unit-casts.js';

export default {
  meta: { name: 'framescope' },
  rules: {
    'header-comment': headerComment,
    'import-boundaries': importBoundaries,
    'one-place': onePlace,
    'pure-unit-test': pureUnitTest,
    'sql-in-store': sqlInStore,
    'unit-casts': unitCasts,
  },
};
