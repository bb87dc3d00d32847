// Which bodies are taken: the same rules for HTTP and gRPC, before and after
// the writer. What has no room is told to come again; nothing is dropped.

import type { Signal } from '../decode/by-signal.ts';
import type { Answer, Body } from '../writer/messages.ts';
import type { Writer } from '../writer/writer.ts';
import { READING_BYTES_MAX, RETRY_AFTER_DISK_SECONDS, RETRY_AFTER_SECONDS } from './limits.ts';

/** What receiving counts; reasons and signals are closed sets. */
export interface ReceiveCounts {
  /** By status: an HTTP number, or the word of gRPC. */
  requests(status: number | string, signal: Signal): void;
  refusedBody(reason: string): void;
  bodyBytes(count: number): void;
  /** False after a commit that the disk refused, true after one that it took. */
  storing(isStoring: boolean): void;
}

export interface ReceivePorts {
  readonly writer: Pick<Writer, 'submit'>;
  readonly counts: ReceiveCounts;
  /** Bytes that the whole process holds; absent: not looked at. */
  readonly residentBytes?: () => number;
  readonly memoryBytesMax?: number;
}

/** What a sender is told, before it is put in the words of its transport. */
export type Verdict =
  | { readonly kind: 'taken'; readonly rejectedCount: number; readonly message: string }
  /** Sending it again would change nothing. */
  | { readonly kind: 'malformed'; readonly message: string }
  /** Send it again, later. `full`: more than memory allows waits; `unavailable`: the disk, or the end. */
  | {
      readonly kind: 'full' | 'unavailable';
      readonly message: string;
      readonly retryAfterSeconds: number;
    };

export class Admission {
  readonly #ports: ReceivePorts;
  /** Of the bodies being read now: as announced, or as read so far when nothing was. */
  #readingBytes = 0;

  constructor(ports: ReceivePorts) {
    this.#ports = ports;
  }

  /** Makes room for a body to be read; false: none now. One body is always let in. */
  reserve(bytes: number): boolean {
    if (this.#isMemoryShort()) return false;
    if (this.#readingBytes > 0 && this.#readingBytes + bytes > READING_BYTES_MAX) return false;
    this.#readingBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#readingBytes -= bytes;
  }

  /** Stores one body, decompressed, in a buffer of its own; answers after the commit. */
  async store(body: Body): Promise<Verdict> {
    const { writer, counts } = this.#ports;
    counts.bodyBytes(body.bytes.length);
    if (this.#isMemoryShort()) return this.full();
    const submitted = writer.submit(body);
    if (submitted === 'full') return this.full();
    const answer = await submitted;
    if (answer.kind !== 'malformed') counts.storing(answer.kind === 'stored');
    return verdictOf(answer);
  }

  /** Many open sessions, or readers with much to join: what comes now would be one too many. */
  #isMemoryShort(): boolean {
    const { residentBytes, memoryBytesMax } = this.#ports;
    return (
      residentBytes !== undefined &&
      memoryBytesMax !== undefined &&
      residentBytes() > memoryBytesMax
    );
  }

  full(): Verdict {
    this.#ports.counts.refusedBody('queue_full');
    return {
      kind: 'full',
      message: 'more is waiting to be stored than memory allows; send it again',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    };
  }
}

function verdictOf(answer: Answer): Verdict {
  if (answer.kind === 'stored')
    return { kind: 'taken', rejectedCount: answer.rejectedCount, message: answer.message };
  if (answer.kind === 'unavailable')
    return {
      kind: 'unavailable',
      message: answer.message,
      retryAfterSeconds: RETRY_AFTER_DISK_SECONDS,
    };
  const { path, problem } = answer;
  return { kind: 'malformed', message: path === '' ? problem : `${path}: ${problem}` };
}
