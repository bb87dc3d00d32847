import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { Admission } from '../../src/receive/admission.ts';
import { otlpHttp } from '../../src/receive/otlp-http.ts';
import { Health } from '../../src/serve/metrics.ts';
import { QUEUE_BYTES_MAX, startInlineWriter, type Writer } from '../../src/writer/writer.ts';
import type { Answer } from '../../src/writer/messages.ts';
import { bodyOf, spanJson } from '../support/otlp-bodies.ts';
import { temporaryFolder } from '../support/spans.ts';

const ignore = (): undefined => undefined;

function writerIn(folder: string): Writer {
  const writer = startInlineWriter(
    {
      folder,
      maxBytes: 1e9,
      clock: { domain: 'ab'.repeat(8), epoch: 0, zeroUnixNs: 0n },
      budgets: { limits: {}, inFile: [] },
    },
    {
      onChanges: ignore,
      onVolumes: ignore,
      onCounts: ignore,
      onMeasures: ignore,
      onLimits: ignore,
      onCrash: ignore,
    },
    { unixNs: () => BigInt(Date.now()) * 1_000_000n, ns: () => 0 },
  );
  onTestFinished(() => writer.close());
  return writer;
}

test('a queue takes bodies up to its limit, refuses the next, and has room again after a commit', async () => {
  const writer = writerIn(temporaryFolder());
  const good = bodyOf(spanJson());
  // Blank space is JSON too: a body of any size.
  const large = Buffer.concat([good, Buffer.alloc(QUEUE_BYTES_MAX / 2 - good.length, ' ')]);
  const submit = (): Promise<Answer> | 'full' => writer.submit({ bytes: large, encoding: 'json' });
  const taken = [submit(), submit()];
  expect(submit()).toBe('full');
  expect((await Promise.all(taken)).map(answer => answer !== 'full' && answer.kind)).toEqual([
    'stored',
    'stored',
  ]);
  expect(writer.queuedBytes()).toBe(0);
  expect(submit()).not.toBe('full');
});

/** A receiver whose writer answers what the test says. */
async function answered(submit: Writer['submit']): Promise<Response> {
  const app = express();
  const counts = new Health();
  app.post('/v1/traces', otlpHttp('traces', new Admission({ writer: { submit }, counts }), counts));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(bodyOf(spanJson())),
  });
}

test('a full queue is 429 and a disk without room 503, both with Retry-After', async () => {
  const full = await answered(() => 'full');
  expect([full.status, full.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await full.json()).toMatchObject({ code: 8 });
  const noRoom = await answered(() =>
    Promise.resolve({ kind: 'unavailable', message: 'disk is full' }),
  );
  expect([noRoom.status, noRoom.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await noRoom.json()).toEqual({ code: 14, message: 'disk is full' });
});
