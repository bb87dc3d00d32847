// When an anchor is due, what it says, and what one that came tells: the same
// for every transport. An anchor's echo makes a clock exchange on the media
// path itself:
//
//   here   t1 = origin ──anchor──▶  t2 (arrival)          peer
//   here   t4 (arrival) ◀──anchor── t3 = origin, held = t3 − t2

import {
  domainNs,
  durationNs,
  NS_PER_S,
  type Anchor,
  type AnchorEcho,
  type Tick,
} from '@framescope/protocol';
import { optionsOf, tickOf } from '../coerce.ts';
import type { Stream } from '../hop/stream.ts';
import type { SessionPort } from '../ports.ts';

/** Anchors of one stream are this far apart, unless something jumped. */
const ANCHOR_EVERY_NS = NS_PER_S;

/** Where an anchor is put, when the link cannot know. */
export interface AnchorOptions {
  /** First sample of the next frame; default: where the stream's `send` hop stands. */
  readonly tick?: number;
}

interface Sent {
  readonly atNs: number;
  readonly breakCount: number;
  readonly epoch: number;
}

/** One connection's worth of anchors, both ways. */
export class AnchorExchange {
  readonly #port: SessionPort;
  readonly #where: string;
  readonly #sent = new Map<Stream, Sent>();
  #heard: { readonly anchor: Anchor; readonly atNs: number; readonly epoch: number } | undefined;

  #lastKey = '';

  /** @param where Which helper this is, for its problems: `link`, `rtp`. */
  constructor(port: SessionPort, where: string) {
    this.#port = port;
    this.#where = where;
  }

  /** The anchor to send before the next frame of `stream`, when one is due (some 200 ns when not). */
  due(stream: Stream, options?: AnchorOptions): Anchor | undefined {
    const { clock, problems } = this.#port;
    const sent = this.#sent.get(stream);
    const at = options === undefined ? undefined : optionsOf(options).tick;
    const given = at === undefined ? undefined : tickOf(at, `${this.#where}.anchor`, problems);
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
    return this.#describe(stream, given ?? place.tick);
  }

  /** Takes the clock exchange of an anchor that came; its stream, or `undefined` for a foreign one. */
  heard(anchor: Anchor): Stream | undefined {
    const { clock, problems, traceId } = this.#port;
    const atNs = clock.now();
    if (anchor.traceId !== traceId) {
      problems.report(
        'foreign_anchor',
        `${this.#where}: an anchor of another session came; is it the ${this.#where} of the right call?`,
      );
      return undefined;
    }
    // A copy of the last one says nothing new, and its echo would only look slower.
    const key = `${anchor.domain} ${anchor.epoch} ${anchor.originNs} ${anchor.stream}`;
    if (key !== this.#lastKey) {
      this.#lastKey = key;
      this.#takeSample(anchor, atNs);
      this.#heard = { anchor, atNs, epoch: clock.epoch };
    }
    return this.#port.streamOf(anchor);
  }

  #describe(stream: Stream, place: Tick): Anchor {
    const { clock, traceId } = this.#port;
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
    if (heard === undefined || heard.epoch !== this.#port.clock.epoch) return undefined;
    const { domain, epoch, originNs: heardOriginNs } = heard.anchor;
    return { domain, epoch, originNs: heardOriginNs, heldNs: durationNs(originNs - heard.atNs) };
  }

  #takeSample(anchor: Anchor, atNs: number): void {
    const { echo } = anchor;
    const { clock } = this.#port;
    if (echo === undefined || echo.domain !== clock.domain || echo.epoch !== clock.epoch) return;
    if (anchor.domain === clock.domain && anchor.epoch === clock.epoch) return;
    this.#port.clockSample({
      peer: anchor.domain,
      peerEpoch: anchor.epoch,
      t1: echo.originNs,
      t2: domainNs(anchor.originNs - echo.heldNs),
      t3: anchor.originNs,
      t4: domainNs(atNs),
    });
  }
}
