// The audio of a Realtime connection, both ways: how much of it went to the
// model and came from it, where that stands on the streams, and until when the
// user is hearing what came.

import { domainNs, ticksToNs, type DomainNs } from '@framescope/protocol';
import type { Hop } from '../../hop/hop.ts';
import type { Stream } from '../../hop/stream.ts';
import type { Session } from '../../session.ts';
import { decodeAudio, samplesIn, type AudioFormat } from '../common/audio.ts';
import { bends } from '../common/lineage.ts';
import { MediaPosition } from '../common/position.ts';
import type { SharedCall } from '../common/shared.ts';
import { OnsetSearch } from '../common/voice.ts';

export interface MediaHost {
  readonly session: Session;
  readonly shared: SharedCall;
  readonly stream: Stream | undefined;
  now(): DomainNs;
}

interface Open {
  readonly stream: Stream;
  readonly hop: Hop;
  readonly position: MediaPosition;
}

/** Audio that the application appends for the model: hop `send` of the mic stream. */
export class Uplink {
  readonly #host: MediaHost;
  #format: AudioFormat;
  #open: Open | undefined;
  /** Where the input buffer began: first tick since the last commit or clear. */
  #bufferTick: number | undefined;

  constructor(host: MediaHost, format: AudioFormat) {
    this.#host = host;
    this.#format = format;
  }

  /** A connection begins: the vendor's clock is at 0. */
  connected(): void {
    this.#open?.position.restart(this.#format.sampleRate);
    this.#bufferTick = undefined;
  }

  formatIs(format: AudioFormat): void {
    if (this.#format.sampleRate !== format.sampleRate && this.#open !== undefined)
      this.#open.position.restart(format.sampleRate);
    this.#format = format;
  }

  append(base64: string): void {
    const { hop, position } = this.#opened();
    const found = this.#host.shared.up.find(base64);
    const { tick, length } = position.advance(samplesIn(base64, this.#format), found);
    this.#bufferTick ??= tick;
    if (length > 0) hop.markAt(tick, length);
  }

  get stream(): Stream {
    return this.#opened().stream;
  }

  /** The next sample to be appended. */
  get tick(): number {
    return this.#opened().position.tick;
  }

  tickAtMs(ms: number): number {
    return this.#opened().position.tickAtMs(ms);
  }

  /** Takes the start of what was in the buffer. */
  takeBuffer(): number | undefined {
    const tick = this.#bufferTick;
    this.#bufferTick = undefined;
    return tick;
  }

  #opened(): Open {
    this.#open ??= openStream(this.#host, 'mic', 'send', this.#format.sampleRate);
    return this.#open;
  }
}

/** Audio of the model as it arrives: hop `receive` of the agent stream. */
export class Downlink {
  readonly #host: MediaHost;
  #format: AudioFormat;
  #open: Open | undefined;
  #playoutEndNs = Number.NEGATIVE_INFINITY;
  /** Over WebRTC the vendor says when it plays. */
  #saidToPlay: boolean | undefined;

  constructor(host: MediaHost, format: AudioFormat) {
    this.#host = host;
    this.#format = format;
  }

  formatIs(format: AudioFormat): void {
    if (this.#format.sampleRate !== format.sampleRate && this.#open !== undefined)
      this.#open.position.restart(format.sampleRate);
    this.#format = format;
  }

  /** The next piece; answers where it stands. */
  take(base64: string): { readonly tick: number; readonly length: number } {
    const { stream, hop, position } = this.#opened();
    const piece = position.advance(samplesIn(base64, this.#format));
    this.#host.shared.down.note(base64, piece.tick);
    if (piece.length > 0) hop.markAt(piece.tick, piece.length);
    const now = this.#host.now();
    this.#playoutEndNs =
      Math.max(now, this.#playoutEndNs) + ticksToNs(piece.length, stream.sampleRate);
    return piece;
  }

  decode(base64: string): Float32Array {
    return decodeAudio(base64, this.#format);
  }

  search(): OnsetSearch {
    return new OnsetSearch(this.#format.sampleRate);
  }

  /** Ticks of the stream that so many of the vendor's samples are. */
  ticksOf(samples: number): number {
    return Math.round((samples * this.stream.sampleRate) / this.#format.sampleRate);
  }

  get stream(): Stream {
    return this.#opened().stream;
  }

  /** One beyond the last tick that came. */
  get tick(): number {
    return this.#opened().position.tick;
  }

  /** Until when the user hears what came: it plays in real time, from when it came. */
  get playoutEnd(): DomainNs {
    return domainNs(Math.min(this.#playoutEndNs, Number.MAX_SAFE_INTEGER));
  }

  isPlaying(now: DomainNs): boolean {
    return this.#saidToPlay ?? now < this.#playoutEndNs;
  }

  /** The vendor says that it plays, or has played out (WebRTC). */
  says(isPlaying: boolean): void {
    this.#saidToPlay = isPlaying;
    this.#playoutEndNs = this.#host.now();
  }

  /** What was queued is thrown away. */
  cleared(): void {
    this.#playoutEndNs = Math.min(this.#playoutEndNs, this.#host.now());
    if (this.#saidToPlay !== undefined) this.#saidToPlay = false;
  }

  #opened(): Open {
    this.#open ??= openStream(this.#host, 'agent', 'receive', this.#format.sampleRate);
    return this.#open;
  }
}

function openStream(host: MediaHost, name: string, hopName: string, sampleRate: number): Open {
  const stream = host.stream ?? host.session.stream(name, { sampleRate });
  const hop = stream.hop(hopName);
  // Another connection of this call may have been here before: it goes on.
  const rates = { stream: stream.sampleRate, own: sampleRate };
  const bent = bends(host.session.port(), stream, hop);
  return { stream, hop, position: new MediaPosition(rates, hop.nextTick, bent) };
}
