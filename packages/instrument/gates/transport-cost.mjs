// What the transports cost a frame, and a page that loads them. Prints figures;
// limits nothing.
//
//   node packages/instrument/gates/transport-cost.mjs
//
// Runs on the built files.

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { JsonLink } from '../out/entries/websocket-json.js';
import { RtpLink } from '../out/entries/rtp.js';
import { Framescope } from '../out/index.node.js';
import { trailerCodec } from '../out/transport/webrtc/frame-trailer.js';

const ROUNDS = 20_000;
/** The flush that takes the marks out is part of another figure. */
const http = () => Promise.resolve({ status: 200, body: new Uint8Array() });
const scope = new Framescope({ serviceName: 'cost', http, tracerProvider: false });
const session = scope.startSession({ id: 'cost' });
const mic = session.stream('mic', { sampleRate: 16_000 });

/**
 * @param {string} what
 * @param {(i: number) => unknown} work
 */
function measure(what, work) {
  for (let i = 0; i < ROUNDS; i++) work(i);
  const from = process.hrtime.bigint();
  for (let i = 0; i < ROUNDS; i++) work(i);
  const ns = Number(process.hrtime.bigint() - from) / ROUNDS;
  console.log(`${what}: ${(ns / 1_000).toFixed(2)} µs`);
}

const rtp = new RtpLink(session, { extensionId: 1 });
measure('RtpLink.tag', () => rtp.tag(mic));
const extensions = [rtp.tag(mic)];
measure('RtpLink.untag', i => rtp.untag({ ssrc: 1, timestamp: i * 320, extensions }));
const json = new JsonLink(session);
const message = { type: 'audio' };
measure('JsonLink.tag', () => json.tag(mic, message));
const trailers = trailerCodec();
const place = {
  check: 7,
  streamNumber: 0,
  rtp0: 0,
  tick0: 0,
  sampleRate: 48_000,
  clockRate: 48_000,
};
const frame = new Uint8Array(80);
measure('trailer put on', i => trailers.append(frame, place, i * 960));
const sent = trailers.append(frame, place, 0);
measure('trailer found', () => trailers.find(sent, 7));
await scope.shutdown();

for (const entry of ['webrtc', 'web-audio', 'rtp', 'websocket-json']) {
  const names = ['index.browser.js', `entries/${entry}.js`];
  const [core = 0, both = 0] = await Promise.all([names.slice(0, 1), names].map(bytesOf));
  console.log(`@framescope/instrument/${entry}: ${both - core} bytes gzip beside the core`);
}

/** @param {readonly string[]} entries */
async function bytesOf(entries) {
  const input = Object.fromEntries(
    entries.map((name, i) => [
      String(i),
      fileURLToPath(new URL(`../out/${name}`, import.meta.url)),
    ]),
  );
  const bundle = await rolldown({
    input,
    platform: 'browser',
    external: [/^@opentelemetry\//],
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'es', minify: true });
  const all = output.flatMap(file => (file.type === 'chunk' ? [file.code] : []));
  return all.reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0);
}
