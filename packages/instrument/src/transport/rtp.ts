// Context on RTP between endpoints of our own: a header extension (RFC 8285).
//
//   most packets     tag, 8 bytes       which stream, which tick: fits the one-byte form
//   1 a second       tag + anchor       which session, stream, clock: needs the two-byte form
//   a stripped one   nothing            SSRC and RTP timestamp place it from the packets around it
//
// RTP loses, doubles and reorders, so the tick is never counted: a tag tells it,
// or the RTP timestamp against the last tag of the SSRC. Packets that come
// before anything is known wait with their time of arrival.

import {
  anchorLength,
  decodeAnchor,
  decodeTag,
  encodeAnchor,
  encodeTag,
  sessionCheck,
  TAG_BYTES,
  unwrapTick,
  type Tag,
  type Tick,
} from '@framescope/protocol';
import { sessionOr } from '../adapters/common/session-or.ts';
import { optionsOf, tickOf } from '../coerce.ts';
import type { Stream } from '../hop/stream.ts';
import type { SessionPort } from '../ports.ts';
import type { Session } from '../session.ts';
import { AnchorExchange, type AnchorOptions } from './anchor-exchange.ts';
import { plainOptions } from './plain-options.ts';
import { isExtensionId, type HeaderExtension } from './rtp-extension.ts';
import { RtpPlaces } from './rtp-places.ts';

/**
 * The first anchor of a stream goes again with packets 1, 2, 4, … 64 after it, a later one with the
 * next: any packet may be lost, and until an anchor is through no frame has a place.
 */
const FIRST_COPY_LAST = 64;
const STREAM_NUMBERS = 256;
/** What the two-byte form holds beside a tag. A longer stream name travels by tag alone. */
const ANCHOR_BYTES_MAX = 255 - TAG_BYTES;

/** What both ends of an RTP link agreed upon. */
export interface RtpLinkOptions {
  /** The extension's number, 1 to 14, as agreed (`a=extmap`). */
  readonly extensionId: number;
  /** Ticks a second of RTP timestamps; default: the sample rate of each stream. Opus: 48,000. */
  readonly clockRate?: number;
}

/** What a received packet's header says. */
export interface RtpPacketFacts {
  readonly ssrc: number;
  readonly timestamp: number;
  /** As the RTP stack found them; absent or empty when somebody stripped them. */
  readonly extensions?: readonly HeaderExtension[];
}

/** Where a packet belongs. */
export interface RtpPlace {
  readonly stream: Stream;
  /** Tick of its first sample. */
  readonly tick: Tick;
}

interface Repeated {
  readonly bytes: Uint8Array;
  /** The last packet after the anchor to carry it again. */
  readonly lastCopy: number;
  /** Packets since the anchor. */
  since: number;
}

/** Tags and anchors of one RTP session (both directions, any number of SSRCs). */
export class RtpLink {
  readonly #port: SessionPort;
  readonly #anchors: AnchorExchange;
  readonly #extensionId: number;
  readonly #places: RtpPlaces;
  readonly #numbers = new Map<Stream, number>();
  readonly #repeated = new Map<Stream, Repeated>();

  constructor(session: Session, options: RtpLinkOptions) {
    this.#port = sessionOr(session).port();
    this.#anchors = new AnchorExchange(this.#port, 'rtp');
    const { extensionId, clockRate } = plainOptions(options);
    this.#extensionId = isExtensionId(extensionId) ? extensionId : 1;
    if (!isExtensionId(extensionId))
      this.#port.problems.report('bad_argument', 'RtpLink: extensionId is 1 to 14, as in a=extmap');
    this.#places = new RtpPlaces(this.#port.problems, clockRate);
  }

  /**
   * The header extension for the next packet of `stream`: 8 bytes, up to 255 when an anchor is due.
   * Call it just before the packet is sent, and mark the hop `send` just after. Where packets were
   * left out, say the `tick` of this one. Some 4 µs; never throws.
   */
  tag(stream: Stream, options?: AnchorOptions): HeaderExtension {
    const make = (): HeaderExtension => this.#tag(stream, options);
    const none = { id: this.#extensionId, payload: new Uint8Array(TAG_BYTES) };
    return this.#port.problems.guard('rtp.tag', make, () => none);
  }

  /**
   * Where a received packet belongs; `undefined` while nothing is known of its SSRC. Never throws.
   */
  untag(packet: RtpPacketFacts): RtpPlace | undefined {
    const read = (): RtpPlace | undefined => {
      this.#read(packet);
      return this.#places.placeOf(packet);
    };
    return this.#port.problems.guard('rtp.untag', read);
  }

  /**
   * `untag`, and the hop `receive` marked with the packet's samples (ticks of the stream). A packet
   * whose place is not known yet is marked later, with the time at which it came: up to 256 wait,
   * then the oldest is given up and counted. Never throws.
   */
  receive(packet: RtpPacketFacts, samples: number): RtpPlace | undefined {
    const read = (): RtpPlace | undefined => {
      const place = this.untag(packet);
      if (place === undefined) this.#places.hold(packet, samples, this.#port.clock.now());
      else {
        this.#places.release(packet.ssrc);
        place.stream.hop('receive').markAt(place.tick, samples);
      }
      return place;
    };
    return this.#port.problems.guard('rtp.receive', read);
  }

  #tag(stream: Stream, options?: AnchorOptions): HeaderExtension {
    const isFirst = !this.#numbers.has(stream);
    const streamNumber = this.#numberOf(stream);
    const at = options === undefined ? undefined : optionsOf(options).tick;
    const given = at === undefined ? undefined : tickOf(at, 'rtp.tag', this.#port.problems);
    const place = given ?? stream.sendPlace(isFirst).tick;
    const tag = encodeTag({
      flags: 0,
      streamNumber,
      check: sessionCheck(this.#port.traceId),
      tickLow: place % 2 ** 32,
    });
    const anchor = this.#anchorBytes(stream, options);
    return { id: this.#extensionId, payload: anchor === undefined ? tag : joined(tag, anchor) };
  }

  #numberOf(stream: Stream): number {
    const known = this.#numbers.get(stream);
    if (known !== undefined) return known;
    const number = this.#numbers.size % STREAM_NUMBERS;
    this.#numbers.set(stream, number);
    return number;
  }

  #anchorBytes(stream: Stream, options?: AnchorOptions): Uint8Array | undefined {
    const due = this.#anchors.due(stream, options);
    const before = this.#repeated.get(stream);
    if (due !== undefined) {
      const bytes = encodeAnchor(due);
      const lastCopy = before === undefined ? FIRST_COPY_LAST : 1;
      this.#repeated.set(stream, { bytes, lastCopy, since: 0 });
      return bytes.length <= ANCHOR_BYTES_MAX ? bytes : undefined;
    }
    if (before === undefined || before.since >= before.lastCopy) return undefined;
    before.since += 1;
    const isCopy = (before.since & (before.since - 1)) === 0;
    return isCopy && before.bytes.length <= ANCHOR_BYTES_MAX ? before.bytes : undefined;
  }

  #read(packet: RtpPacketFacts): void {
    const { extensions } = optionsOf(packet);
    const payload = extensions?.find(one => one.id === this.#extensionId)?.payload;
    if (!(payload instanceof Uint8Array) || payload.length < TAG_BYTES) return;
    const tag = decodeTag(payload.subarray(0, TAG_BYTES));
    if (!tag.ok || tag.value.check !== sessionCheck(this.#port.traceId)) {
      const why = tag.ok ? 'it is of another session' : tag.problem;
      this.#port.problems.report('foreign_tag', `rtp: a tag is not used: ${why}`);
      return;
    }
    if (payload.length > TAG_BYTES) this.#readAnchor(tag.value, payload.subarray(TAG_BYTES));
    this.#places.learn(packet, tag.value.streamNumber, near => unwrapTick(tag.value.tickLow, near));
  }

  #readAnchor(tag: Tag, bytes: Uint8Array): void {
    if (anchorLength(bytes) !== bytes.length) return;
    const anchor = decodeAnchor(bytes);
    if (!anchor.ok)
      return this.#port.problems.report('bad_anchor', `rtp: ${anchor.path}: ${anchor.problem}`);
    const stream = this.#anchors.heard(anchor.value);
    if (stream !== undefined)
      this.#places.bind(tag.streamNumber, stream, unwrapTick(tag.tickLow, anchor.value.tick));
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
