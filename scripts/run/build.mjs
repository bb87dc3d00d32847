// `npm run build`: compiles the packages and builds the viewer, changed or not.

import { setUp } from '../setup/setup.mjs';

/** @returns {Promise<number>} the exit code */
export async function build() {
  await setUp({ force: ['compile', 'viewer'] });
  return 0;
}
