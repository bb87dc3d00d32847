// Anchors between a browser and Node over a real WebSocket: as text messages
// between binary audio, and as a field of JSON messages.

import type { AddressInfo } from 'node:net';
import { Link, skewedClock, type Session } from '@framescope/instrument';
import { traceWebSocket } from '@framescope/instrument/websocket';
import { JsonLink } from '@framescope/instrument/websocket-json';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { captured, passedAt, type Captured } from '../support/captured.ts';
import { tracedPage, type TracedPage } from './traced-page.ts';

const FRAME = 320;

let page: TracedPage;
let server: WebSocketServer;
let agent: Captured;
let session: Session;
let serve: (socket: WebSocket) => void;

beforeAll(async () => {
  page = await tracedPage(['entries/websocket-json', 'entries/websocket']);
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', socket => serve(socket));
  await new Promise(resolve => server.on('listening', resolve));
});
afterAll(async () => {
  await page?.close();
  server?.close();
});

beforeEach(() => {
  page.records.length = 0;
  agent = captured('agent', skewedClock({ offsetMs: 3_700, driftPpm: 40 }));
  session = agent.scope.startSession({ id: 'web socket' });
});

/** A page that sends 60 frames of 20 ms, from tick 32,000 on, and hears as many. */
async function call(link: string, script: string): Promise<void> {
  const { port } = server.address() as AddressInfo;
  const opened = await page.open(`
    import { Framescope, Link } from '/index.browser.js';
    import { JsonLink } from '/entries/websocket-json.js';
    import { traceWebSocket } from '/entries/websocket.js';
    const problems = [];
    const onProblem = ({ code }) => problems.push(code);
    const scope = new Framescope({ serviceName: 'page', role: 'client', endpoint: location.origin, encoding: 'json', tracerProvider: false, onProblem });
    const session = scope.startSession({ id: 'web socket' });
    const [mic, down] = [session.stream('mic', { sampleRate: 16000 }), session.stream('agent', { sampleRate: 16000 })];
    const link = ${link};
    const socket = new WebSocket('ws://127.0.0.1:${port}');
    socket.binaryType = 'arraybuffer';
    globalThis.told = (async () => {
      await new Promise(resolve => (socket.onopen = resolve));
      mic.hop('send').markAt(32000 - ${FRAME}, ${FRAME});
      ${script}
      await session.end();
      return problems;
    })();`);
  const told = await opened.page.evaluate(
    () => (globalThis as unknown as { told: Promise<unknown> }).told,
  );
  expect(told).toEqual([]);
  expect(opened.problems()).toEqual([]);
  await opened.page.close();
  await session.end();
}

function expectOneAxis(): void {
  const received = passedAt(agent.records, 'mic', 'receive');
  expect(received.length).toBe(60);
  expect(received[0]?.startTick).toBe(32_000);
  const heard = passedAt(page.records, 'agent', 'receive');
  expect(heard.length).toBe(60);
  expect(heard[0]?.startTick).toBe(0);
  // Two clocks 3.7 s apart: every exchange on the way says so within its own bound.
  const samples = page.records.flatMap(record => record.clockSamples);
  expect(samples.length).toBeGreaterThan(0);
  expect(agent.problems).toEqual([]);
}

test('binary: anchors as text messages between the frames, both ways', async () => {
  serve = socket => {
    const link = new Link(session);
    const [mic, down] = [session.stream('mic'), session.stream('agent', { sampleRate: 16_000 })];
    socket.on('message', (data: RawData) => {
      const message = link.untag(data) as Buffer | undefined;
      if (message === undefined) return;
      mic.hop('receive').mark(message.length / 2);
      const text = link.anchor(down);
      if (text !== undefined) socket.send(text);
      socket.send(new Uint8Array(2 * FRAME));
      down.hop('send').mark(FRAME);
    });
  };
  await call(
    'new Link(session)',
    `let heard = 0;
      socket.onmessage = ({ data }) => {
        const message = link.untag(data);
        if (message !== undefined) { down.hop('receive').mark(message.byteLength / 2); heard++; }
      };
      for (let i = 0; i < 60; i++) {
        const text = link.anchor(mic);
        if (text !== undefined) socket.send(text);
        socket.send(new Uint8Array(${2 * FRAME}));
        mic.hop('send').mark(${FRAME});
        await new Promise(resolve => setTimeout(resolve, 20));
      }
      while (heard < 60) await new Promise(resolve => setTimeout(resolve, 20));`,
  );
  expectOneAxis();
});

test('one line at each end: both streams on one axis, and no application hears an anchor', async () => {
  const texts: string[] = [];
  serve = socket => {
    traceWebSocket(socket, { session, isPeerTraced: true });
    socket.on('message', (data: RawData, isBinary: boolean) => {
      if (!isBinary) return void texts.push((data as Buffer).toString());
      socket.send(new Uint8Array(2 * FRAME));
    });
    socket.send('hello');
  };
  await call(
    'undefined',
    `let heard = 0;
      const texts = [];
      traceWebSocket(socket, { session, isPeerTraced: true });
      socket.onmessage = ({ data }) => (typeof data === 'string' ? texts.push(data) : heard++);
      for (let i = 0; i < 60; i++) {
        socket.send(new Uint8Array(${2 * FRAME}));
        await new Promise(resolve => setTimeout(resolve, 20));
      }
      while (heard < 60) await new Promise(resolve => setTimeout(resolve, 20));
      socket.send(texts.join());`,
  );
  expectOneAxis();
  expect(texts).toEqual(['hello']);
});

test('JSON: the anchor is a field beside the application’s own, and is gone when it is read', async () => {
  const keys = new Set<string>();
  let tagged = 0;
  let link: JsonLink;
  serve = socket => {
    link = new JsonLink(session);
    const [mic, down] = [session.stream('mic'), session.stream('agent', { sampleRate: 16_000 })];
    socket.on('message', (data: RawData) => {
      const sent = JSON.parse((data as Buffer).toString()) as object;
      if ('framescope' in sent) tagged += 1;
      const message = link.untag(sent) as { type: string; samples: number };
      for (const key of Object.keys(message)) keys.add(key);
      mic.hop('receive').mark(message.samples);
      socket.send(JSON.stringify(link.tag(down, { type: 'audio', samples: FRAME })));
      down.hop('send').mark(FRAME);
    });
  };
  await call(
    'new JsonLink(session)',
    `let heard = 0;
      socket.onmessage = ({ data }) => {
        const message = link.untag(JSON.parse(data));
        down.hop('receive').mark(message.samples);
        heard++;
      };
      for (let i = 0; i < 60; i++) {
        socket.send(JSON.stringify(link.tag(mic, { type: 'audio', samples: ${FRAME} })));
        mic.hop('send').mark(${FRAME});
        await new Promise(resolve => setTimeout(resolve, 20));
      }
      while (heard < 60) await new Promise(resolve => setTimeout(resolve, 20));`,
  );
  expectOneAxis();
  expect([...keys].toSorted()).toEqual(['samples', 'type']);
  expect(tagged).toBeGreaterThan(1);
  expect(tagged).toBeLessThan(5);
  expect(link!.traceparent).toContain(session.traceId);
});
