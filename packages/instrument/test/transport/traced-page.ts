// A page with the browser's build of the package in it, a microphone that plays
// a recording, and a server that keeps what the page sends.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { FrameRecord } from '@framescope/protocol';
import { build } from 'vite';
import { fakeMicrophone, launchBrowser, type OpenPage } from '../../../../test/browser.ts';
import { recordsOf, statesOf } from '../support/captured.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SPEECH = here('../../../../examples/voice-agent/clips/reader-0880.wav');

export interface TracedPage {
  /** Opens a page that runs `script` as a module; `/index.browser.js` and the entries are there to import. */
  open(script: string): Promise<OpenPage>;
  /** Records received, each with the role that its process had. */
  readonly records: FrameRecord[];
  readonly states: unknown[];
  close(): Promise<void>;
}

/** The entries as a user's bundler makes them: files by name, what they share once. */
async function bundle(entries: readonly string[]): Promise<Map<string, string>> {
  const built = await build({
    root: here('../..'),
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      // As users do: the worker's function has to survive it.
      minify: true,
      lib: {
        entry: Object.fromEntries(entries.map(name => [name, here(`../../out/${name}.js`)])),
        formats: ['es'],
      },
    },
  });
  const output = Array.isArray(built) ? built[0] : built;
  if (output === undefined || !('output' in output)) throw new Error('vite built nothing');
  return new Map(
    output.output.flatMap(file =>
      file.type === 'chunk' ? [[`/${file.fileName}`, file.code] as const] : [],
    ),
  );
}

export async function tracedPage(entries: readonly string[]): Promise<TracedPage> {
  const files = await bundle(['index.browser', ...entries]);
  const records: FrameRecord[] = [];
  const states: unknown[] = [];
  let script = '';
  const server: Server = createServer((request, response) => {
    const send = (type: string, body: string): void =>
      void response.setHeader('content-type', type).end(body);
    const file = files.get(request.url ?? '');
    if (file !== undefined) return send('text/javascript', file);
    if (request.url === '/script.js') return send('text/javascript', script);
    if (request.method === 'GET' && request.url === '/') {
      // No inline script, no eval: what the package loads later has to come from here too.
      const policy = "script-src 'self' blob:; object-src 'none'; base-uri 'none'";
      response.setHeader('content-security-policy', policy);
      return send(
        'text/html',
        '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/script.js"></script>',
      );
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      records.push(...recordsOf(body));
      states.push(...statesOf(body));
      response.statusCode = request.method === 'POST' ? 200 : 204;
      response.end();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const browser = await launchBrowser(fakeMicrophone(SPEECH));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    open: given => {
      script = given;
      return browser.open(url);
    },
    records,
    states,
    close: async () => {
      await browser.close();
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
