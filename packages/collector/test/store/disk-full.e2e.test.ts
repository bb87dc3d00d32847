// A disk of 16 MB is filled while spans come in: what is answered, what can be
// read, and what happens when there is room again.
//
// The disk is a tmpfs. Where this process may not mount one, a file of ballast
// cannot stand in for it (the limit would not be the disk's), so the test says so.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CollectorProcess } from '../support/process.ts';
import { attribute, bodyOf, spanJson } from '../support/otlp-bodies.ts';

const DISK_MB = 16;
const PATIENCE_MS = 60_000;

function smallDisk(): string {
  const folder = mkdtempSync(join(tmpdir(), 'framescope-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', folder]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Text that does not deflate. */
function noise(seed: number): string {
  const bytes = Buffer.alloc(3_000);
  let state = seed * 7_919 + 1;
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  return bytes.toString('base64');
}

const id = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');

async function send(url: string, number: number): Promise<Response> {
  const spans = Array.from({ length: 50 }, (_, i) =>
    spanJson({
      traceId: id(number + 1, 32),
      spanId: id(number * 100 + i + 1, 16),
      attributes: [
        attribute('session.id', { stringValue: `call-${number % 7}` }),
        attribute('noise', { stringValue: noise(number * 100 + i) }),
      ],
    }),
  );
  return fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(bodyOf(...spans)),
  });
}

test('a full disk stops writing with a clear error, reads answer, and with room it goes on unaided', async () => {
  const disk = smallDisk();
  // What somebody else keeps there, and deletes later.
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(6 * 1024 * 1024, 1));
  const collector = new CollectorProcess(['--port', '0', '--data', join(disk, 'data')]);
  onTestFinished(async () => void (await collector.kill('SIGKILL')));
  const url = await collector.ready();
  const stored: number[] = [];
  let number = 0;
  let refusal: Response | undefined;
  for (; number < 1_000 && refusal === undefined; number++) {
    const response = await send(url, number);
    if (response.status === 200) stored.push(number);
    else refusal = response;
  }
  expect(refusal?.status).toBe(503);
  expect(Number(refusal?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refusal?.json()).toMatchObject({
    message: expect.stringMatching(/cannot write to .*Free space; writing goes on by itself/),
  });
  expect(stored.length).toBeGreaterThan(10);
  const { bavail, bsize } = statfsSync(disk);
  expect(bavail * bsize).toBeLessThan(2 * 1024 * 1024);

  // Everything that was acknowledged can be read while nothing can be written.
  for (const one of stored) expect(await spanCount(url, one)).toBe(50);
  expect((await fetch(`${url}/api/v1/sessions`)).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);

  rmSync(ballast);
  const endMs = Date.now() + PATIENCE_MS;
  let again = await send(url, number);
  while (again.status !== 200 && Date.now() < endMs) {
    await new Promise(resolve => setTimeout(resolve, 200));
    again = await send(url, number);
  }
  expect(again.status).toBe(200);
  stored.push(number);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  for (const one of stored) expect(await spanCount(url, one)).toBe(50);

  // And what was derived meanwhile comes after.
  const sessions = async (): Promise<number> =>
    (
      (await (await fetch(`${url}/api/v1/sessions`)).json()) as { items: { spanCount: number }[] }
    ).items.reduce((sum, one) => sum + one.spanCount, 0);
  while ((await sessions()) < stored.length * 50 && Date.now() < endMs)
    await new Promise(resolve => setTimeout(resolve, 200));
  expect(await sessions()).toBe(stored.length * 50);
});

async function spanCount(url: string, number: number): Promise<number> {
  const response = await fetch(`${url}/api/v1/traces/${id(number + 1, 32)}`);
  return ((await response.json()) as { spans: unknown[] }).spans.length;
}
