// The browser that every page test stands on: it runs, and it does notice.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { launchBrowser } from './browser.ts';

const PAGE = `<!doctype html><link rel="icon" href="data:,"><title>a page</title>
<script>console.error('one'); setTimeout(() => { throw new Error('two'); })</script>`;

test('a page that logs an error and throws is seen to do both', async () => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end(PAGE);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const browser = await launchBrowser();
  const { page, problems } = await browser.open(
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  );
  await expect.poll(() => problems()).toEqual(['console: one', 'exception: two']);
  expect(await page.title()).toBe('a page');
  await browser.close();
  server.close();
});
