import { expect, test } from 'vitest';
import { Admission, type ReceivePorts } from '../../src/receive/admission.ts';
import { READING_BYTES_MAX } from '../../src/receive/limits.ts';
import { sampled } from '../../src/receive/sampled.ts';
import type { Body } from '../../src/writer/messages.ts';

function admissionOf(ports: Partial<ReceivePorts> = {}): {
  admission: Admission;
  refused: string[];
} {
  const refused: string[] = [];
  const counts = {
    requests: () => undefined,
    refusedBody: (reason: string) => void refused.push(reason),
    bodyBytes: () => undefined,
    storing: () => undefined,
  };
  const writer = {
    submit: () =>
      Promise.resolve({ kind: 'stored', acceptedCount: 1, rejectedCount: 0, message: '' } as const),
  };
  return { admission: new Admission({ writer, counts, ...ports }), refused };
}

const BODY: Body = { bytes: new Uint8Array(8), encoding: 'protobuf' };

test('bodies are read up to the limit together; the next waits until one is done', () => {
  const { admission } = admissionOf();
  expect(admission.reserve(READING_BYTES_MAX - 1)).toBe(true);
  expect([admission.reserve(1), admission.reserve(1)]).toEqual([true, false]);
  admission.release(READING_BYTES_MAX - 1);
  expect(admission.reserve(1)).toBe(true);
});

test('one body is let in however large it is: else it could never be taken', () => {
  const { admission } = admissionOf();
  expect(admission.reserve(READING_BYTES_MAX + 1)).toBe(true);
  expect(admission.reserve(1)).toBe(false);
});

test('a process that holds more memory than it may tells senders to come again, and takes them when it has shrunk', async () => {
  const memory = { bytes: 1_001 };
  const { admission, refused } = admissionOf({
    residentBytes: () => memory.bytes,
    memoryBytesMax: 1_000,
  });
  expect(admission.reserve(1)).toBe(false);
  expect(await admission.store(BODY)).toMatchObject({ kind: 'full', retryAfterSeconds: 1 });
  expect(refused).toEqual(['queue_full']);
  memory.bytes = 1_000;
  expect(admission.reserve(1)).toBe(true);
  expect(await admission.store(BODY)).toMatchObject({ kind: 'taken' });
});

test('a figure of the system is asked for five times a second at most', () => {
  const clock = { ms: 0 };
  let asked = 0;
  const read = sampled(
    () => ++asked,
    () => clock.ms,
  );
  expect([read(), read()]).toEqual([1, 1]);
  clock.ms = 199;
  expect(read()).toBe(1);
  clock.ms = 200;
  expect(read()).toBe(2);
});
