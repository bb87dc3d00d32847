// Context beside the media: a data channel of ours, for a peer that traces as
// well. It says what each end understands, and once a second which stream and
// tick an RTP timestamp is. Needs no change of a packet.
//
//   {"v":1,"hello":{"trailer":true}}                    what this end can read
//   {"v":1,"anchor":"<base64>","ssrc":1,"rtp":960}      the anchor's tick is this RTP timestamp

import {
  decodeAnchor,
  encodeAnchor,
  fromBase64,
  toBase64,
  type Anchor,
} from '@framescope/protocol';
import { at, numberAt, textAt } from '../../adapters/common/foreign.ts';

/** Below 1,024, where Chromium's streams end; high, where nobody counts to. */
const CHANNEL_ID = 1_022;
const CHANNEL_NAME = 'framescope';
const MESSAGE_MAX = 2_048;

/** What the peer said of one of its streams. */
export interface PeerPlace {
  readonly anchor: Anchor;
  readonly ssrc: number;
  readonly rtp: number;
}

export interface PeerEvents {
  /** The channel is open. */
  opened(): void;
  /** The peer can read trailers, or cannot. */
  hello(canReadTrailers: boolean): void;
  place(place: PeerPlace): void;
}

/** The parts of an `RTCDataChannel` in use; other stacks have them too. */
export interface DataChannel {
  readonly readyState: string;
  send(text: string): void;
  close(): void;
  addEventListener(type: 'open' | 'close', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

interface MakesChannels {
  createDataChannel(label: string, options: { negotiated: boolean; id: number }): DataChannel;
}

export class PeerChannel {
  readonly #channel: DataChannel;

  /** Both ends make it, before the offer: it is agreed by number, and no event tells the application. */
  constructor(pc: MakesChannels, events: PeerEvents) {
    this.#channel = pc.createDataChannel(CHANNEL_NAME, { negotiated: true, id: CHANNEL_ID });
    this.#channel.addEventListener('open', () => events.opened());
    this.#channel.addEventListener('close', () => events.hello(false));
    this.#channel.addEventListener('message', ({ data }) => read(data, events));
  }

  get isOpen(): boolean {
    return this.#channel.readyState === 'open';
  }

  hello(canReadTrailers: boolean): void {
    this.#send({ v: 1, hello: { trailer: canReadTrailers } });
  }

  place({ anchor, ssrc, rtp }: PeerPlace): void {
    this.#send({ v: 1, anchor: toBase64(encodeAnchor(anchor)), ssrc, rtp });
  }

  /** The peer puts no more trailers on frames. */
  close(): void {
    this.hello(false);
    this.#channel.close();
  }

  #send(message: object): void {
    if (this.isOpen) this.#channel.send(JSON.stringify(message));
  }
}

function read(data: unknown, events: PeerEvents): void {
  if (typeof data !== 'string' || data.length > MESSAGE_MAX) return;
  const message = parsed(data);
  if (numberAt(message, 'v') !== 1) return;
  const trailer = at(message, 'hello', 'trailer');
  if (typeof trailer === 'boolean') return events.hello(trailer);
  const bytes = fromBase64(textAt(message, 'anchor') ?? '');
  const anchor = bytes.ok ? decodeAnchor(bytes.value) : bytes;
  const [ssrc, rtp] = [numberAt(message, 'ssrc'), numberAt(message, 'rtp')];
  if (anchor.ok && ssrc !== undefined && rtp !== undefined)
    events.place({ anchor: anchor.value, ssrc, rtp });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
