// Context in band over a WebSocket: an anchor is a JSON text message between
// the binary ones. It tells the peer which session, stream and tick follow, and
// carries a clock exchange on the media path itself:
//
//   here   t1 = origin ──anchor──▶  t2 (arrival)          peer
//   here   t4 (arrival) ◀──anchor── t3 = origin, held = t3 − t2

import {
  anchorFromText,
  anchorToText,
  decodeUtf8,
  domainNs,
  durationNs,
  NS_PER_S,
  type Anchor,
  type AnchorEcho,
  type ClockSample,
  type Tick,
} from '@framescope/protocol';
import { optionsOf, tickOf } from '../../coerce.ts';
import type { Stream } from '../../hop/stream.ts';
import type { Clock } from '../../ports.ts';
import type { Problems } from '../../problems.ts';

/** Anchors of one stream are this far apart, unless something jumped. */
const ANCHOR_EVERY_NS = NS_PER_S;
/** `{"framescope":"`: an audio message begins like this once in 10^36. */
const TEXT_START = new Uint8Array([
  0x7b, 0x22, 0x66, 0x72, 0x61, 0x6d, 0x65, 0x73, 0x63, 0x6f, 0x70, 0x65, 0x22, 0x3a, 0x22,
]);
const ANCHOR_TEXT_MAX = 1_024;

/** What a link needs of its session. */
export interface LinkHost {
  readonly traceId: string;
  readonly clock: Clock;
  readonly problems: Problems;
  /** The stream of that name, made if there is room. */
  streamOf(anchor: Anchor): Stream;
  clockSample(sample: ClockSample): void;
}

export interface AnchorOptions {
  /** First sample of the next frame; default: where the stream's `send` hop stands. */
  readonly tick?: number;
}

interface Sent {
  readonly atNs: number;
  readonly breakCount: number;
  readonly epoch: number;
}

export class Link {
  readonly #host: LinkHost;
  readonly #sent = new Map<Stream, Sent>();
  #heard: { readonly anchor: Anchor; readonly atNs: number; readonly epoch: number } | undefined;

  /** Made by `Session.link`, one for each WebSocket. */
  constructor(host: LinkHost) {
    this.#host = host;
  }

  /**
   * The text message to send before the next frame of `stream`, when one is due: at the start, each
   * second, after a discontinuity; else `undefined` (some 200 ns). Where frames were left out, say
   * the `tick` of the next one. Never throws.
   */
  anchor(stream: Stream, options?: AnchorOptions): string | undefined {
    const make = (): string | undefined => this.#anchor(stream, options);
    return this.#host.problems.guard('link.anchor', make, () => undefined);
  }

  /**
   * Takes an anchor out of what came: `undefined` if the message was only an anchor, else the
   * message as it is. Call it for every message, before `mark`. Never throws.
   */
  untag<T>(message: T): T | undefined {
    const read = (): T | undefined => (this.#isAnchor(message) ? undefined : message);
    return this.#host.problems.guard('link.untag', read, () => message);
  }

  #anchor(stream: Stream, options?: AnchorOptions): string | undefined {
    const { clock, problems } = this.#host;
    const sent = this.#sent.get(stream);
    const at = options === undefined ? undefined : optionsOf(options).tick;
    const given = at === undefined ? undefined : tickOf(at, 'link.anchor', problems);
    const place = stream.sendPlace(sent === undefined);
    const nowNs = clock.now();
    const isDue =
      sent === undefined ||
      nowNs - sent.atNs >= ANCHOR_EVERY_NS ||
      sent.breakCount !== place.breakCount ||
      sent.epoch !== clock.epoch ||
      (given !== undefined && given !== place.tick);
    if (!isDue) return undefined;
    this.#sent.set(stream, { atNs: nowNs, breakCount: place.breakCount, epoch: clock.epoch });
    return anchorToText(this.#describe(stream, given ?? place.tick));
  }

  #describe(stream: Stream, place: Tick): Anchor {
    const { clock, traceId } = this.#host;
    const originNs = clock.now();
    const echo = this.#echo(originNs);
    return {
      traceId,
      stream: stream.name,
      direction: stream.direction,
      sampleRate: stream.sampleRate,
      tick: place,
      domain: clock.domain,
      epoch: clock.epoch,
      originNs,
      ...(echo === undefined ? {} : { echo }),
    };
  }

  /** What was heard last, once: an echo is one clock exchange. */
  #echo(originNs: number): AnchorEcho | undefined {
    const heard = this.#heard;
    this.#heard = undefined;
    if (heard === undefined || heard.epoch !== this.#host.clock.epoch) return undefined;
    const { domain, epoch, originNs: heardOriginNs } = heard.anchor;
    return { domain, epoch, originNs: heardOriginNs, heldNs: durationNs(originNs - heard.atNs) };
  }

  #isAnchor(message: unknown): boolean {
    const text = textOf(message);
    const anchor = text === undefined ? undefined : anchorFromText(text);
    if (anchor === undefined) return false;
    const { clock, problems, traceId } = this.#host;
    const atNs = clock.now();
    if (anchor.traceId !== traceId) {
      problems.report(
        'foreign_anchor',
        'link.untag: an anchor of another session; is the link of the right call?',
      );
      return true;
    }
    this.#takeSample(anchor, atNs);
    this.#heard = { anchor, atNs, epoch: clock.epoch };
    this.#host.streamOf(anchor).follow(anchor.tick);
    return true;
  }

  #takeSample(anchor: Anchor, atNs: number): void {
    const { echo } = anchor;
    const { clock } = this.#host;
    if (echo === undefined || echo.domain !== clock.domain || echo.epoch !== clock.epoch) return;
    if (anchor.domain === clock.domain && anchor.epoch === clock.epoch) return;
    this.#host.clockSample({
      peer: anchor.domain,
      peerEpoch: anchor.epoch,
      t1: echo.originNs,
      t2: domainNs(anchor.originNs - echo.heldNs),
      t3: anchor.originNs,
      t4: domainNs(atNs),
    });
  }
}

/** The text of a message that may be an anchor; `ws` hands text over as bytes. */
function textOf(message: unknown): string | undefined {
  if (typeof message === 'string') return message.length <= ANCHOR_TEXT_MAX ? message : undefined;
  const bytes = message instanceof ArrayBuffer ? new Uint8Array(message) : message;
  if (!(bytes instanceof Uint8Array) || bytes.length > ANCHOR_TEXT_MAX) return undefined;
  for (let i = 0; i < TEXT_START.length; i++) if (bytes[i] !== TEXT_START[i]) return undefined;
  return decodeUtf8(bytes);
}
