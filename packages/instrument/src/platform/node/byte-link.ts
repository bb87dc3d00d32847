// Context over a stream of bytes between processes of your own: a pipe, a TCP
// connection. Bytes have no messages, so they get some:
//
//   | u32 length | u8 kind: 0 sound, 1 anchor | length bytes |      little-endian
//
// Both ends use it, or none.

import { Transform, type TransformCallback } from 'node:stream';
import { decodeAnchor, encodeAnchor } from '@framescope/protocol';
import { PCM16, SampleCount, type SampleFormat } from '../../adapters/common/sample-format.ts';
import { sessionOr } from '../../adapters/common/session-or.ts';
import type { Stream } from '../../hop/stream.ts';
import type { SessionPort } from '../../ports.ts';
import type { Session } from '../../session.ts';
import { AnchorExchange } from '../../transport/anchor-exchange.ts';
import { byteLengthOf } from './streams.ts';

const HEAD_BYTES = 5;
const KIND = { sound: 0, anchor: 1 } as const;
/** Five seconds of 48 kHz stereo floats. A longer chunk goes in several messages. */
const MESSAGE_BYTES_MAX = 2 * 1_024 * 1_024;
const EMPTY = new Uint8Array(0);

/** Context over one connection of bytes, both ways. */
export class ByteLink {
  readonly #port: SessionPort;
  readonly #anchors: AnchorExchange;

  constructor(session: Session) {
    this.#port = sessionOr(session).port();
    this.#anchors = new AnchorExchange(this.#port, 'byteLink');
  }

  /**
   * What sound of `stream` goes through on its way out: `source.pipe(link.outgoing(mic)).pipe(socket)`.
   * Marks `send`. Costs 5 bytes a chunk and about 90 a second. Never fails of itself.
   */
  outgoing(stream: Stream, format: SampleFormat = PCM16): Transform {
    const count = new SampleCount(format);
    const anchors = this.#anchors;
    const { problems } = this.#port;
    return new Transform({
      transform(chunk: unknown, _encoding: string, done: TransformCallback): void {
        const bytes = chunk instanceof Uint8Array ? chunk : EMPTY;
        const anchor = problems.guard('byteLink', () => anchors.due(stream));
        if (anchor !== undefined) this.push(message(KIND.anchor, encodeAnchor(anchor)));
        for (let at = 0; at < bytes.length; at += MESSAGE_BYTES_MAX)
          this.push(message(KIND.sound, bytes.subarray(at, at + MESSAGE_BYTES_MAX)));
        const samples = count.add(byteLengthOf(chunk));
        const mark = (): void => stream.hop('send').mark(samples);
        if (samples > 0) problems.guard('byteLink', mark);
        done();
      },
    });
  }

  /**
   * What came in goes through: `socket.pipe(link.incoming()).pipe(decoder)`. Gives the sound as it was
   * sent, chunk by chunk, and marks `receive` on the stream that the anchors name. Bytes that are no
   * messages go through from there on as they are, and that is told as a problem.
   */
  incoming(format: SampleFormat = PCM16): Transform {
    const reader = new MessageReader();
    let count = new SampleCount(format);
    let stream: Stream | undefined;
    const { problems } = this.#port;
    const take = (kind: number, bytes: Uint8Array): Uint8Array | undefined => {
      if (kind === KIND.sound) {
        const samples = count.add(bytes.length);
        if (samples > 0) stream?.hop('receive').mark(samples);
        return bytes;
      }
      const anchor = decodeAnchor(bytes);
      const named = anchor.ok ? this.#anchors.heard(anchor.value) : undefined;
      if (!anchor.ok || named === undefined) return undefined;
      if (named !== stream) count = new SampleCount(format);
      stream = named;
      named.follow(anchor.value.tick);
      return undefined;
    };
    return new Transform({
      transform(chunk: unknown, _encoding: string, done: TransformCallback): void {
        const bytes = chunk instanceof Uint8Array ? chunk : EMPTY;
        const isWhole = reader.read(bytes, (kind, body) => {
          const sound = problems.guard('byteLink', () => take(kind, body));
          if (sound !== undefined) this.push(sound);
        });
        if (!isWhole) {
          problems.report(
            'no_messages',
            'byteLink.incoming: what came is not what byteLink.outgoing sends; do both ends use it? It goes through as it is',
          );
          this.push(reader.rest());
        }
        done();
      },
      flush(done: TransformCallback): void {
        const { length } = reader.rest();
        if (length > 0)
          problems.report(
            'cut_off_message',
            `byteLink.incoming: the connection ended in the middle of a message; its first ${length} bytes are left out`,
          );
        done();
      },
    });
  }
}

function message(kind: number, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEAD_BYTES + body.length);
  new DataView(out.buffer).setUint32(0, body.length, true);
  out[4] = kind;
  out.set(body, HEAD_BYTES);
  return out;
}

/** Messages out of chunks that were cut anywhere. Holds one message at most. */
class MessageReader {
  #held: Uint8Array = EMPTY;
  #isRaw = false;

  /** Calls `take` for each whole message; false once something is none. */
  read(chunk: Uint8Array, take: (kind: number, body: Uint8Array) => void): boolean {
    this.#held = this.#held.length === 0 ? chunk : joined(this.#held, chunk);
    while (!this.#isRaw && this.#held.length >= HEAD_BYTES) {
      const { buffer, byteOffset } = this.#held;
      const length = new DataView(buffer, byteOffset).getUint32(0, true);
      const kind = this.#held[4]!;
      this.#isRaw = length > MESSAGE_BYTES_MAX || kind > KIND.anchor;
      const end = HEAD_BYTES + length;
      if (this.#isRaw || this.#held.length < end) break;
      take(kind, this.#held.subarray(HEAD_BYTES, end));
      this.#held = this.#held.subarray(end);
    }
    return !this.#isRaw;
  }

  /** What could not be read. */
  rest(): Uint8Array {
    const rest = this.#held;
    this.#held = EMPTY;
    return rest;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
