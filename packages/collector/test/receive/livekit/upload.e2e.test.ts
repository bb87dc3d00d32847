// LiveKit's upload paths over HTTP: what is kept, what is let go, what is refused.
// The bodies are built as the agents build them; the agents themselves: test/interop/livekit.interop.ts.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startCollector, type Collector, type CollectorOptions } from 'framescope';
import { expect, onTestFinished, test } from 'vitest';
import { attribute, bodyOf, spanJson } from '../../support/otlp-bodies.ts';

const START_UNIX_S = 1_767_225_600;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'framescope-livekit-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function started(options: Partial<CollectorOptions> = {}): Promise<Collector> {
  const collector = await startCollector({ data: folder(), ...options });
  onTestFinished(() => collector.close());
  return collector;
}

/** Field 1 room_id, 4 start_time {1 seconds}, 8 job_id. */
function headerOf(roomId: string, jobId: string): Buffer {
  const text = (field: number, value: string): number[] => [
    field * 8 + 2,
    value.length,
    ...Buffer.from(value),
  ];
  let seconds = START_UNIX_S;
  const varint: number[] = [];
  for (; seconds >= 128; seconds = Math.floor(seconds / 128)) varint.push((seconds % 128) | 0x80);
  varint.push(seconds);
  return Buffer.from([
    ...text(1, roomId),
    4 * 8 + 2,
    varint.length + 1,
    8,
    ...varint,
    ...text(8, jobId),
  ]);
}

/** A head and a last page, as a reader of lengths sees a file of `seconds`. */
function oggOf(seconds: number, channels: number): Buffer {
  const page = (position: bigint, payload: Buffer): Buffer => {
    const header = Buffer.alloc(28);
    header.write('OggS');
    header.writeBigInt64LE(position, 6);
    header[26] = 1;
    header[27] = payload.length;
    return Buffer.concat([header, payload]);
  };
  const head = Buffer.alloc(19);
  head.write('OpusHead');
  head[8] = 1;
  head[9] = channels;
  head.writeUInt16LE(312, 10);
  head.writeUInt32LE(24_000, 12);
  return Buffer.concat([
    page(0n, head),
    page(BigInt(seconds * 48_000 + 312), Buffer.alloc(200, 7)),
  ]);
}

const formOf = (parts: Record<string, Buffer>): FormData => {
  const form = new FormData();
  for (const [name, bytes] of Object.entries(parts))
    form.append(name, new Blob([new Uint8Array(bytes)]), name);
  return form;
};

const upload = (url: string, form: FormData, headers: Record<string, string> = {}) =>
  fetch(`${url}/observability/recordings/v0`, { method: 'POST', body: form, headers });

const sendSpan = (url: string, session: string): Promise<Response> =>
  fetch(`${url}/observability/traces/otlp/v0`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      authorization: 'Bearer any.token.will-do',
    },
    body: gzipSync(
      bodyOf(
        spanJson({
          startTimeUnixNano: `${START_UNIX_S}000000000`,
          endTimeUnixNano: `${START_UNIX_S + 9}000000000`,
          attributes: [attribute('session.id', { stringValue: session })],
        }),
      ),
    ),
  });

/** By Node's own client: `fetch` adds a `no-cache` of its own. */
async function askedAgain(path: string, etag: string): Promise<IncomingMessage> {
  const asked = get(path, { headers: { 'if-none-match': etag } });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return answer.resume();
}

interface List {
  readonly items: readonly Record<string, unknown>[];
}

async function recordingsOf(url: string, session: string): Promise<List> {
  const { items } = (await (await fetch(`${url}/api/v1/sessions`)).json()) as {
    items: { key: string; id: string }[];
  };
  const key = items.find(one => one.id === session)?.key;
  return (await (await fetch(`${url}/api/v1/sessions/${key}/recordings`)).json()) as List;
}

async function kept(
  options: Partial<CollectorOptions> = {},
): Promise<{ url: string; sound: Buffer; data: string }> {
  const data = folder();
  const { url } = await started({ data, recordings: 'keep', ...options });
  const sound = oggOf(7, 2);
  expect((await sendSpan(url, 'RM_one')).status).toBe(200);
  const form = formOf({
    header: headerOf('RM_one', 'AJ_1'),
    chat_history: Buffer.from('{}'),
    audio: sound,
  });
  expect((await upload(url, form)).status).toBe(200);
  return { url, sound, data };
}

test('a recording is listed on its session, with what its file says of itself', async () => {
  const { url, sound } = await kept();
  await expect
    .poll(async () => (await recordingsOf(url, 'RM_one')).items, { timeout: 10_000 })
    .toMatchObject([
      {
        source: 'livekit',
        contentType: 'audio/ogg',
        bytes: sound.length,
        startNs: 0,
        startUnixNs: `${START_UNIX_S}000000000`,
        durationNs: 7_000_000_000,
        channels: 2,
        sampleRate: 24_000,
      },
    ]);
});

test('it is served whole and by ranges, and asked for again it is not sent again', async () => {
  const { url, sound } = await kept();
  await expect.poll(async () => (await recordingsOf(url, 'RM_one')).items.length).toBe(1);
  const path = url + String((await recordingsOf(url, 'RM_one')).items[0]!['url']);
  const whole = await fetch(path);
  expect([
    whole.status,
    whole.headers.get('content-type'),
    whole.headers.get('accept-ranges'),
  ]).toEqual([200, 'audio/ogg', 'bytes']);
  expect(Buffer.from(await whole.arrayBuffer())).toEqual(sound);
  const part = await fetch(path, { headers: { range: 'bytes=10-19' } });
  expect([part.status, part.headers.get('content-range')]).toEqual([
    206,
    `bytes 10-19/${sound.length}`,
  ]);
  expect(Buffer.from(await part.arrayBuffer())).toEqual(sound.subarray(10, 20));
  const beyond = await fetch(path, { headers: { range: `bytes=${sound.length}-` } });
  expect(beyond.status).toBe(416);
  const again = await askedAgain(path, whole.headers.get('etag')!);
  expect(again.statusCode).toBe(304);
  const head = await fetch(path, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(sound.length)]);
});

test('the same upload sent again is one recording, and survives a restart', async () => {
  const data = folder();
  const first = await startCollector({ data, recordings: 'keep' });
  const form = (): FormData => formOf({ header: headerOf('RM_one', 'AJ_1'), audio: oggOf(3, 2) });
  await sendSpan(first.url, 'RM_one');
  await upload(first.url, form());
  await upload(first.url, form());
  await first.close();
  const second = await started({ data, recordings: 'keep' });
  await expect
    .poll(async () => (await recordingsOf(second.url, 'RM_one')).items.length, { timeout: 10_000 })
    .toBe(1);
});

test('without --recordings keep it is taken and let go: nothing is written', async () => {
  const data = folder();
  const { url } = await started({ data });
  await sendSpan(url, 'RM_one');
  const form = formOf({ header: headerOf('RM_one', 'AJ_1'), audio: oggOf(3, 2) });
  expect((await upload(url, form)).status).toBe(200);
  expect(readdirSync(data)).not.toContain('recordings');
  expect(await (await fetch(`${url}/metrics`)).text()).toContain(
    'framescope_collector_recordings_total{outcome="unkept"} 1',
  );
});

test('an upload without sound is taken', async () => {
  const { url } = await started({ recordings: 'keep' });
  const form = formOf({ header: headerOf('RM_one', 'AJ_1'), chat_history: Buffer.from('{}') });
  expect((await upload(url, form)).status).toBe(200);
});

test('a recording goes with its age', async () => {
  const { url } = await kept({ retention: { recordingsNs: 1n } });
  await expect.poll(async () => (await recordingsOf(url, 'RM_one')).items).toEqual([]);
});

test.each([
  ['no multipart', 'hello', { 'content-type': 'text/plain' }, 415, /multipart/],
  [
    'a body that breaks off',
    '--x\r\nContent-Disposition: form-data; name="header"; filename="h"\r\n\r\nab',
    { 'content-type': 'multipart/form-data; boundary=x' },
    400,
    /not complete/,
  ],
  ['no boundary', 'x', { 'content-type': 'multipart/form-data' }, 400, /Content-Type/],
])('%s is refused with what is wrong', async (...[, body, headers, status, why]) => {
  const { url } = await started({ recordings: 'keep' });
  const answer = await fetch(`${url}/observability/recordings/v0`, {
    method: 'POST',
    headers,
    body,
  });
  expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(why)]);
});

test.each([
  [
    'a header of noise',
    { header: Buffer.from([0xff, 0xff, 0xff]), audio: oggOf(1, 1) },
    /MetricsRecordingHeader/,
  ],
  [
    'a header that names nobody',
    { header: Buffer.alloc(0), audio: oggOf(1, 1) },
    /neither a room nor a job/,
  ],
  ['no header', { audio: oggOf(1, 1) }, /no part .*header/],
])('%s is refused and leaves no file', async (_, parts, why) => {
  const data = folder();
  const { url } = await started({ data, recordings: 'keep' });
  const answer = await upload(url, formOf(parts as Record<string, Buffer>));
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(why)]);
  const left = readdirSync(data).includes('recordings')
    ? readdirSync(join(data, 'recordings'))
    : [];
  expect(left).toEqual([]);
});

test('where writing is guarded, a token that is no LiveKit token of the key is refused', async () => {
  const { url } = await started({
    token: 'write-write-write',
    liveKit: { key: 'APIkey', secret: 'secret' },
  });
  const answer = await sendSpan(url, 'RM_one');
  expect([answer.status, await answer.text()]).toEqual([
    401,
    expect.stringMatching(/not a LiveKit|HS256/),
  ]);
});

test('a file that is no Ogg is kept as bytes, and no page plays it as something else', async () => {
  const { url } = await started({ recordings: 'keep' });
  await sendSpan(url, 'RM_two');
  await upload(url, formOf({ header: headerOf('RM_two', 'AJ'), audio: Buffer.from('<script>') }));
  await expect.poll(async () => (await recordingsOf(url, 'RM_two')).items.length).toBe(1);
  const [one] = (await recordingsOf(url, 'RM_two')).items;
  expect(one).toMatchObject({ contentType: 'application/octet-stream', durationNs: null });
  expect((await fetch(url + String(one!['url']))).headers.get('x-content-type-options')).toBe(
    'nosniff',
  );
});
