// What we hand on is found in a real Jaeger, through its own API: right
// durations, right parents, and each span once, also when Jaeger is killed
// between taking a request and answering it.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { install } from './install.mjs';
import { Framescope, Jaeger, type JaegerSpan } from './peers.ts';

beforeAll(() => install(), 1_200_000);

const KILLS = 50;

const MS = 1_000_000n;

interface Named {
  readonly name: string;
  readonly id: string;
  readonly parent?: string;
  readonly fromMs: number;
  readonly lastsMs: number;
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

/** Half a minute ago, in whole milliseconds: Jaeger tells microseconds. */
const BEGIN_NS = (BigInt(Date.now()) - 30_000n) * MS;

const spanJson = ({ name, id, parent, fromMs, lastsMs }: Named, traceId = TRACE): object => ({
  traceId,
  spanId: id.repeat(16),
  ...(parent !== undefined && { parentSpanId: parent.repeat(16) }),
  name,
  kind: 1,
  startTimeUnixNano: String(BEGIN_NS + BigInt(fromMs) * MS),
  endTimeUnixNano: String(BEGIN_NS + BigInt(fromMs + lastsMs) * MS),
  attributes: [
    { key: 'session.id', value: { stringValue: 'interop jaeger' } },
    { key: 'share', value: { doubleValue: 0.25 } },
    { key: 'count', value: { intValue: '-7' } },
  ],
  events: [{ name: 'half', timeUnixNano: String(BEGIN_NS + BigInt(fromMs) * MS) }],
  status: name === 'tts' ? { code: 2, message: 'no voice' } : {},
});

const body = (...spans: object[]): object => ({
  resourceSpans: [
    {
      resource: {
        attributes: [{ key: 'service.name', value: { stringValue: 'interop-agent' } }],
      },
      scopeSpans: [{ scope: { name: 'voice', version: '1.2' }, spans }],
    },
  ],
});

/** `name (parent) from+lasts` in ms, by start. */
function picture(spans: readonly JaegerSpan[]): string[] {
  const names = new Map(spans.map(span => [span.spanID, span.operationName]));
  return spans
    .toSorted((a, b) => a.startTime - b.startTime || b.duration - a.duration)
    .map(span => {
      const fromMs = span.startTime / 1_000 - Number(BEGIN_NS / MS);
      const under = span.parent === undefined ? '' : names.get(span.parent);
      return `${span.operationName} (${under}) ${fromMs}+${span.duration / 1_000}`;
    });
}

test.each(['http', 'grpc'] as const)('over %s a trace is found in Jaeger as it was', async over => {
  const jaeger = await Jaeger.start();
  const url = `otlp+${over}://127.0.0.1:${jaeger.ports[over]}?send=all&delay=0`;
  const framescope = await Framescope.start('--forward', url);
  await framescope.post(
    body(
      spanJson({ name: 'turn', id: 'a', fromMs: 0, lastsMs: 900 }),
      spanJson({ name: 'llm', id: 'b', parent: 'a', fromMs: 100, lastsMs: 300 }),
    ),
  );
  await framescope.post(
    body(spanJson({ name: 'tts', id: 'c', parent: 'a', fromMs: 400, lastsMs: 450 })),
  );
  const found = async (): Promise<string[]> => picture(await jaeger.spans(TRACE));
  await expect
    .poll(found, { timeout: 20_000 })
    .toEqual(['turn () 0+900', 'llm (turn) 100+300', 'tts (turn) 400+450']);
  expect(await jaeger.get('/api/services')).toMatchObject({ data: ['interop-agent'] });
  const tts = (await jaeger.spans(TRACE)).find(span => span.operationName === 'tts');
  const tags = Object.fromEntries(tts?.tags.map(tag => [tag.key, tag.value]) ?? []);
  expect(tags).toMatchObject({
    'session.id': 'interop jaeger',
    share: 0.25,
    count: -7,
    error: true,
    'otel.status_description': 'no voice',
    'otel.scope.name': 'voice',
    'otel.scope.version': '1.2',
  });
  expect(tts?.logs[0]?.fields).toContainEqual(expect.objectContaining({ value: 'half' }));
});

/** Passes connections on, until `cutAfterRequest`: then the first byte of an answer is its last. */
async function proxyTo(port: number): Promise<{
  port: number;
  cutAfterRequest: (atAnswer: () => Promise<void>) => Promise<void>;
}> {
  let trap: (() => Promise<void>) | undefined;
  let sprung: () => void = () => undefined;
  const server = createServer(inner => {
    const outer = connect(port, '127.0.0.1');
    const end = (): void => {
      inner.destroy();
      outer.destroy();
    };
    for (const socket of [inner, outer]) socket.on('error', end).on('close', end);
    inner.pipe(outer);
    outer.on('data', chunk => {
      if (!trap) {
        inner.write(chunk);
        return;
      }
      const spring = trap;
      trap = undefined;
      end();
      void spring().then(() => sprung());
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    port: (server.address() as AddressInfo).port,
    cutAfterRequest: atAnswer =>
      new Promise(resolve => {
        sprung = resolve;
        trap = atAnswer;
      }),
  };
}

test(`Jaeger killed ${KILLS} times between taking a request and answering: no span missing, none twice`, async () => {
  const jaeger = await Jaeger.start();
  const proxy = await proxyTo(jaeger.ports.http);
  const url = `otlp+http://127.0.0.1:${proxy.port}?send=all&delay=0`;
  const framescope = await Framescope.start('--forward', url);
  const traceOf = (round: number): string => (round + 1).toString(16).padStart(32, 'c');
  const SPANS = 20;
  const idOf = (i: number): string => (i + 1).toString(16).padStart(16, '0');
  for (let round = 0; round < KILLS; round++) {
    const isCut = proxy.cutAfterRequest(() => jaeger.kill());
    const spans = Array.from({ length: SPANS }, (_, i) => ({
      ...spanJson({ name: `n${i}`, id: 'a', fromMs: i, lastsMs: 1 }, traceOf(round)),
      spanId: idOf(i),
    }));
    await framescope.post(body(...spans));
    await isCut;
    await jaeger.run();
    const ids = async (): Promise<string[]> =>
      (await jaeger.spans(traceOf(round))).map(span => span.spanID).toSorted();
    await expect
      .poll(ids, { timeout: 60_000, interval: 100 })
      .toEqual(Array.from({ length: SPANS }, (_, i) => idOf(i)));
  }
  interface Status {
    readonly state: string;
    readonly retries: number;
  }
  const status = async (): Promise<Status | undefined> =>
    ((await framescope.get('/api/v1/forward')) as { items: Status[] }).items[0];
  // Only when the last retry is answered can anything be there twice.
  await expect
    .poll(status, { timeout: 60_000 })
    .toMatchObject({ state: 'idle', lagNs: 0, rejectedSpans: 0 });
  for (let round = 0; round < KILLS; round++)
    expect(await jaeger.spans(traceOf(round))).toHaveLength(SPANS);
  expect((await status())?.retries).toBeGreaterThanOrEqual(KILLS);
}, 600_000);

test('Jaeger away from the start gets everything, in order, when it comes', async () => {
  const jaeger = await Jaeger.start();
  await jaeger.kill();
  const url = `otlp+grpc://127.0.0.1:${jaeger.ports.grpc}?send=all&delay=0`;
  const framescope = await Framescope.start('--forward', url);
  for (let i = 0; i < 9; i++)
    await framescope.post(
      body(spanJson({ name: `n${i}`, id: String(i + 1), fromMs: i * 10, lastsMs: 10 })),
    );
  await jaeger.run();
  await expect
    .poll(async () => picture(await jaeger.spans(TRACE)), { timeout: 60_000 })
    .toEqual(Array.from({ length: 9 }, (_, i) => `n${i} () ${i * 10}+10`));
});
