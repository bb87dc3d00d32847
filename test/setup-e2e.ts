// Before the first e2e test: there is a build to test, and a Chromium to look at pages with.
//
// Both are made by the launcher (`npm test`); this only names what is missing,
// for those who run vitest by itself.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findChromium } from '../scripts/chromium.mjs';

const BUILT = ['packages/protocol/out/index.js', 'packages/collector/out/index.js'];

/** Runs once in vitest's own process; workers inherit the environment it leaves. */
export default function setup(): void {
  for (const path of BUILT) {
    if (!existsSync(fileURLToPath(new URL(`../${path}`, import.meta.url))))
      throw new Error(`${path} is missing: e2e tests run on the build. Type: npm run build`);
  }
  const chromium = findChromium();
  // A page test that finds none fails by name (test/browser.ts); the others need not.
  if (chromium !== undefined) process.env['FRAMESCOPE_CHROMIUM'] = chromium;
}
