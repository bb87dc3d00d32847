// Anchors between two processes' worth of instrumentation, over a real
// WebSocket, with clocks 3.7 s apart.

import type { AddressInfo } from 'node:net';
import { Link, skewedClock, systemClock, type Clock } from '@framescope/instrument';
import { afterEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { captured, type Captured } from './support/captured.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function capturing(role: string, clock?: Clock): Captured {
  const made = captured(role, clock);
  closing.push(() => made.scope.shutdown());
  return made;
}

test('two peers agree on ticks and find their clocks 3.7 s apart', async () => {
  const client = capturing('client');
  const agent = capturing('agent', skewedClock({ offsetMs: 3_700, driftPpm: 40 }));
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  closing.push(() => new Promise(resolve => server.close(resolve)));
  const session = agent.scope.startSession({ id: 'call' });
  server.on('connection', socket => {
    const link = new Link(session);
    const mic = session.stream('mic', { sampleRate: 16_000 });
    const down = session.stream('agent', { sampleRate: 24_000 });
    socket.on('message', (data, isBinary) => {
      const message = link.untag(data);
      if (message === undefined) return;
      expect(isBinary).toBe(true);
      mic.hop('receive').mark((message as Buffer).length / 2);
      const text = link.anchor(down);
      if (text !== undefined) socket.send(text);
      socket.send(new Uint8Array(960));
      down.hop('send').mark(480);
    });
  });
  await new Promise(resolve => server.on('listening', resolve));
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await new Promise(resolve => socket.on('open', resolve));
  closing.push(() => new Promise(resolve => (socket.on('close', resolve), socket.close())));
  const call = client.scope.startSession({ id: 'call' });
  const link = new Link(call);
  const mic = call.stream('mic', { sampleRate: 16_000 });
  socket.on('message', data => {
    const message = link.untag(data);
    if (message !== undefined)
      call
        .stream('agent')
        .hop('receive')
        .mark((message as Buffer).length / 2);
  });
  // The call was 2 s old when this client came in.
  mic.hop('send').markAt(32_000, 320);
  for (let i = 0; i < 60; i++) {
    const text = link.anchor(mic);
    if (text !== undefined) socket.send(text);
    socket.send(new Uint8Array(640));
    mic.hop('send').mark(320);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  await Promise.all([call.end(), session.end()]);
  const received = agent.records
    .flatMap(record => record.blocks)
    .flatMap(block => (block.stream === 'mic' ? block.columns : []));
  expect(received[0]?.startTick[0]).toBe(32_320);
  expect(call.stream('agent').sampleRate).toBe(24_000);
  const samples = client.records.flatMap(record => record.clockSamples);
  expect(samples.length).toBeGreaterThan(0);
  const clientClock = systemClock();
  const agentZero = agent.records[0]!.zeroUnixNs;
  for (const { t1, t2, t3, t4 } of samples) {
    const offsetNs = (t2 - t1 + (t3 - t4)) / 2 + Number(agentZero - clientClock.zeroUnixNs);
    expect(Math.abs(offsetNs / 1e6 - 3_700)).toBeLessThan(20);
  }
});
