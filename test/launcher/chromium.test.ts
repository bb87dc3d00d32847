// Where a Chromium is looked for, in which order.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findChromium } from '../../scripts/chromium.mjs';
import { temporaryTree } from '../temporary-tree.ts';

/** Which of the paths that "exist" is found; `~` is the home folder. */
function found(existing: readonly string[], env: Record<string, string> = {}): string | undefined {
  const machine = { env, home: '/home/ada', platform: 'linux' };
  return findChromium(machine, path => existing.includes(path));
}

test('a machine without a browser has none', () => {
  expect(found([], { PATH: '/usr/bin' })).toBeUndefined();
});

test('a browser is found on the PATH, under any of its names', () => {
  expect(found(['/opt/bin/google-chrome'], { PATH: '/usr/bin:/opt/bin' })).toBe(
    '/opt/bin/google-chrome',
  );
  expect(found(['/usr/bin/chromium'], { PATH: '/usr/bin' })).toBe('/usr/bin/chromium');
});

test('a browser named in CHROMIUM_PATH goes before the one on the PATH', () => {
  const env = { PATH: '/usr/bin', CHROMIUM_PATH: '/mine/chrome' };
  expect(found(['/usr/bin/chromium', '/mine/chrome'], env)).toBe('/mine/chrome');
});

test('a CHROMIUM_PATH that names nothing is passed over', () => {
  const env = { PATH: '/usr/bin', CHROMIUM_PATH: '/gone/chrome' };
  expect(found(['/usr/bin/chromium'], env)).toBe('/usr/bin/chromium');
});

test("of Playwright's downloads the newest build is taken, by number", () => {
  const { root } = temporaryTree({
    'chromium-999/chrome-linux/chrome': '',
    'chromium-1200/chrome-linux64/chrome': '',
    'firefox-1500/firefox/firefox': '',
  });
  const machine = { env: { PLAYWRIGHT_BROWSERS_PATH: root }, home: '/home/ada', platform: 'linux' };
  const newest = join(root, 'chromium-1200/chrome-linux64/chrome');
  const older = join(root, 'chromium-999/chrome-linux/chrome');
  expect(findChromium(machine, path => [newest, older].includes(path))).toBe(newest);
});
