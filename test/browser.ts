// A real Chromium for page tests: launch, open a page, collect what it complains about.
//
//   const browser = await launchBrowser();
//   const { page, problems } = await browser.open(url);
//   …
//   expect(problems()).toEqual([]);
//   await browser.close();
//
// The path comes from test/setup-e2e.ts. There is no way to skip: without a
// browser the test fails and says what to type.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type Page, chromium } from 'playwright-core';

/** No GPU, no first-run pages, no traffic of its own: only what the test asks for. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface OpenPage {
  readonly page: Page;
  /** Console errors, uncaught exceptions and failed requests so far, oldest first. */
  problems(): readonly string[];
}

export interface PageOptions {
  readonly widthPx?: number;
  readonly heightPx?: number;
  readonly colorScheme?: 'light' | 'dark';
}

export interface TestBrowser {
  readonly context: BrowserContext;
  /** Opens `url` in a new tab and waits for its load event. */
  open(url: string, options?: PageOptions): Promise<OpenPage>;
  /** Ends the browser and removes its profile. */
  close(): Promise<void>;
}

/** Speech out of a WAV file where the microphone would be, and nobody is asked whether that may be. */
export const fakeMicrophone = (wavPath: string): string[] => [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  `--use-file-for-fake-audio-capture=${wavPath}`,
  '--autoplay-policy=no-user-gesture-required',
];

/** Starts a Chromium with a new, empty profile. Takes about a second. */
export async function launchBrowser(moreFlags: readonly string[] = []): Promise<TestBrowser> {
  const executablePath = process.env['FRAMESCOPE_CHROMIUM'];
  if (executablePath === undefined)
    throw new Error(
      'No Chromium for the page tests. `npm test` installs one; or set CHROMIUM_PATH.',
    );
  const profile = mkdtempSync(join(tmpdir(), 'framescope-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: [...FLAGS, ...moreFlags],
    viewport: { width: 1280, height: 800 },
  });
  return {
    context,
    open: (url, options = {}) => open(context, url, options),
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

async function open(context: BrowserContext, url: string, options: PageOptions): Promise<OpenPage> {
  const page = await context.newPage();
  const problems = collectProblems(page);
  const { widthPx = 1280, heightPx = 800, colorScheme = 'light' } = options;
  await page.setViewportSize({ width: widthPx, height: heightPx });
  await page.emulateMedia({ colorScheme });
  await page.goto(url);
  return { page, problems: () => problems };
}

function collectProblems(page: Page): string[] {
  const problems: string[] = [];
  page.on('console', message => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', error => problems.push(`exception: ${error.message}`));
  page.on('requestfailed', request => {
    // Leaving a page aborts its open event stream; that is no fault of the page.
    const reason = request.failure()?.errorText ?? 'failed';
    if (reason !== 'net::ERR_ABORTED') problems.push(`request: ${request.url()} ${reason}`);
  });
  return problems;
}
