// Records the marks of a real call in Chromium, for the bits a mark takes:
//
//   npm run build && node bench/recordings/record-chromium.mjs [seconds]
//
// A page captures 20 ms frames in an audio worklet, sends each over a
// WebSocket, gets it back, and plays it in a second worklet. It is isolated, so
// that its clock is as fine as a browser's gets. What the package posts is kept
// in chromium-marks.json, with a header that says how it came to be.

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { rolldown } from 'rolldown';
import { WebSocketServer } from 'ws';
import { findChromium } from '../../scripts/chromium.mjs';

const seconds = Number(process.argv[2] ?? 60);
const path = relative => fileURLToPath(new URL(relative, import.meta.url));

const CAPTURE = `registerProcessor('capture', class extends AudioWorkletProcessor {
  #count = 0;
  process() {
    // 960 samples at 48 kHz: seven or eight quanta of 128.
    this.#count += 128;
    if (this.#count >= 960) { this.#count -= 960; this.port.postMessage(new Float32Array(960)); }
    return true;
  }
});
registerProcessor('playout', class extends AudioWorkletProcessor {
  #waiting = 0;
  constructor() { super(); this.port.onmessage = () => { this.#waiting += 960; }; }
  process() {
    if (this.#waiting >= 128) {
      const before = this.#waiting;
      this.#waiting -= 128;
      if (Math.floor(before / 960) !== Math.floor(this.#waiting / 960)) this.port.postMessage(960);
    }
    return true;
  }
});`;

const PAGE = `<!doctype html><link rel="icon" href="data:,"><button>call</button><script type="module">
  import { Framescope } from '/instrument.js';
  document.querySelector('button').onclick = async () => {
    const scope = new Framescope({ serviceName: 'page', role: 'client', endpoint: location.origin, tracerProvider: false });
    const call = scope.startSession({ id: 'a recorded call', authority: false });
    const mic = call.stream('mic', { sampleRate: 48000 });
    const agent = call.stream('agent', { sampleRate: 48000 });
    const audio = new AudioContext({ sampleRate: 48000 });
    await audio.audioWorklet.addModule('/worklets.js');
    const source = new OscillatorNode(audio);
    const capture = new AudioWorkletNode(audio, 'capture');
    const playout = new AudioWorkletNode(audio, 'playout');
    source.connect(capture).connect(audio.destination);
    playout.connect(audio.destination);
    const socket = new WebSocket(location.origin.replace('http', 'ws'));
    socket.binaryType = 'arraybuffer';
    await new Promise(resolve => (socket.onopen = resolve));
    const hops = Object.fromEntries(['capture', 'encode', 'send'].map(name => [name, mic.hop(name)]));
    const down = Object.fromEntries(['receive', 'decode', 'playout'].map(name => [name, agent.hop(name)]));
    capture.port.onmessage = ({ data }) => {
      hops.capture.mark(960);
      const pcm = Int16Array.from(data, value => value * 32767);
      hops.encode.mark(960);
      socket.send(pcm);
      hops.send.mark(960);
    };
    socket.onmessage = ({ data }) => {
      down.receive.mark(960);
      playout.port.postMessage(new Float32Array(new Int16Array(data)));
      down.decode.mark(960);
    };
    playout.port.onmessage = () => down.playout.mark(960);
    source.start();
  };
</script>`;

const bundle = await rolldown({
  input: path('../../packages/instrument/out/index.browser.js'),
  platform: 'browser',
});
const { output } = await bundle.generate({ format: 'es', codeSplitting: false });
const bodies = [];
const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
const server = createServer((request, response) => {
  const send = (type, text) =>
    response.writeHead(200, { ...isolated, 'content-type': type }).end(text);
  if (request.url === '/') return void send('text/html', PAGE);
  if (request.url === '/instrument.js') return void send('text/javascript', output[0].code);
  if (request.url === '/worklets.js') return void send('text/javascript', CAPTURE);
  const chunks = [];
  request.on('data', chunk => chunks.push(chunk));
  request.on('end', () => {
    if (request.method === 'POST') bodies.push(Buffer.concat(chunks).toString('base64'));
    response.end(request.method === 'POST' ? undefined : '{}');
  });
});
// Back over a line of 20 ms with some jitter, in order.
new WebSocketServer({ server }).on('connection', socket => {
  let freeMs = 0;
  socket.on('message', data => {
    freeMs = Math.max(freeMs, performance.now() + 20 - Math.log(1 - Math.random()) * 3);
    setTimeout(() => socket.send(data, { binary: true }), freeMs - performance.now());
  });
});
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({
  executablePath: await findChromium(),
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--autoplay-policy=no-user-gesture-required',
  ],
});
const page = await browser.newPage();
page.on('pageerror', problem => console.error(problem));
await page.goto(`http://127.0.0.1:${server.address().port}/`);
await page.click('button');
await page.waitForTimeout(seconds * 1_000);
const version = browser.version();
await browser.close();
server.closeAllConnections();
server.close();
const { version: packageVersion } = JSON.parse(
  readFileSync(path('../../packages/instrument/package.json'), 'utf8'),
);
const header = {
  package: `@framescope/instrument ${packageVersion}`,
  browser: `Chromium ${version}, headless, cross-origin isolated`,
  command: `node bench/recordings/record-chromium.mjs ${seconds}`,
  date: new Date().toISOString().slice(0, 10),
  contentType: 'application/x-protobuf',
};
writeFileSync(path('chromium-marks.json'), `${JSON.stringify({ header, bodies }, null, 2)}\n`);
console.log(`${bodies.length} bodies kept in bench/recordings/chromium-marks.json`);
