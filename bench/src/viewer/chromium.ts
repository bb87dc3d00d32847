// A page in headless Chromium, and what its main thread and its memory do.

import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core';
import { busyByFrame, type TraceEvent } from './frames.ts';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
/** What the figures are told for. */
const SIZE = { width: 1920, height: 1080 };

interface Finder {
  readonly ensureChromium: (say: (line: string) => void) => string;
}

/** Finds a Chromium as the page tests do, or installs one. */
export async function chromiumPath(): Promise<string> {
  const url = new URL('../../../scripts/chromium.mjs', import.meta.url).href;
  const finder = (await import(url)) as Finder;
  return finder.ensureChromium(line => console.error(line));
}

export class BenchPage {
  readonly page: Page;
  readonly #cdp: CDPSession;
  readonly #browser: Browser;

  private constructor(browser: Browser, page: Page, cdp: CDPSession) {
    this.#browser = browser;
    this.page = page;
    this.#cdp = cdp;
  }

  /** A new browser for each: no cache, no heap of an earlier figure. */
  static async open(url: string): Promise<BenchPage> {
    const browser = await chromium.launch({ executablePath: await chromiumPath(), args: FLAGS });
    // Questions to the page are strings: its Content-Security-Policy would not have them.
    const page = await browser.newPage({ viewport: SIZE, deviceScaleFactor: 1, bypassCSP: true });
    await page.goto(url);
    return new BenchPage(browser, page, await page.context().newCDPSession(page));
  }

  close(): Promise<void> {
    return this.#browser.close();
  }

  /**
   * Page time of the first frame after the page said that a picture is whole: what was painted
   * then has been handed to the screen.
   */
  async marked(mark: string): Promise<number> {
    const shown = await this.page.waitForFunction(
      `performance.getEntriesByName(${JSON.stringify(mark)}).length > 0 && performance.now()`,
      undefined,
      { timeout: 30_000 },
    );
    return (await shown.jsonValue()) as number;
  }

  /** Clicks, and answers the ms from the click's own time stamp to the whole picture. */
  async clickToMark(selector: string, mark: string): Promise<number> {
    await this.page.evaluate(
      `performance.clearMarks();
       addEventListener('click', event => (globalThis.benchClick = event.timeStamp), { capture: true, once: true });`,
    );
    await this.page.click(selector);
    const done = await this.marked(mark);
    return done - ((await this.page.evaluate('globalThis.benchClick')) as number);
  }

  /** Busy milliseconds of the main thread in each frame while `drive` runs. */
  async frames(drive: (page: Page) => Promise<void>): Promise<number[]> {
    const events: TraceEvent[] = [];
    this.#cdp.on('Tracing.dataCollected', ({ value }) =>
      events.push(...(value as unknown as TraceEvent[])),
    );
    const done = new Promise<void>(resolve =>
      this.#cdp.once('Tracing.tracingComplete', () => resolve()),
    );
    await this.#cdp.send('Tracing.start', {
      transferMode: 'ReportEvents',
      traceConfig: {
        includedCategories: [
          'devtools.timeline',
          'disabled-by-default-devtools.timeline',
          'disabled-by-default-devtools.timeline.frame',
        ],
      },
    });
    await drive(this.page);
    await this.#cdp.send('Tracing.end');
    await done;
    return busyByFrame(events);
  }

  /** JavaScript heap and array buffers after a collection, MB. */
  async memoryMb(): Promise<number> {
    await this.#cdp.send('HeapProfiler.collectGarbage');
    const usage = (await this.#cdp.send('Runtime.getHeapUsage')) as {
      usedSize: number;
      backingStorageSize?: number;
    };
    return (usage.usedSize + (usage.backingStorageSize ?? 0)) / 1e6;
  }

  /** CPU seconds so far of the page's process, all its threads. */
  async cpuSeconds(): Promise<number> {
    const session = await this.#browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    await session.detach();
    return Math.max(...processInfo.filter(one => one.type === 'renderer').map(one => one.cpuTime));
  }
}
