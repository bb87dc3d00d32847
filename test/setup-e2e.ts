// Before the first e2e test: there is a build to test, and a Chromium to look at pages with.
//
// Both are made by the launcher (`npm test`); this only names what is missing,
// for those who run vitest by itself.

import { existsSync } from 'node:fs';
import { findChromium } from '../scripts/chromium.mjs';

/** The first package to be compiled: without it nothing has been. */
const BUILT = new URL('../packages/protocol/out/index.js', import.meta.url);

/** Runs once in vitest's own process; workers inherit the environment it leaves. */
export default function setup(): void {
  if (!existsSync(BUILT))
    throw new Error('There is no build, and e2e tests run on it. Type: npm run build');
  const chromium = findChromium();
  // A page test that finds none fails by name (test/browser.ts); the others need not.
  if (chromium !== undefined) process.env['FRAMESCOPE_CHROMIUM'] = chromium;
}
