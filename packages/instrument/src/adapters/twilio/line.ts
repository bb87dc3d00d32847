// Twilio's messages, both ways. The caller's audio carries its own media clock
// (`media.timestamp`, ms since the stream began): what it skips was lost before
// it came here.

import type { DomainNs } from '@framescope/protocol';
import type { Hop } from '../../hop/hop.ts';
import type { Stream } from '../../hop/stream.ts';
import type { Session } from '../../session.ts';
import { MULAW_8K, samplesIn, type AudioFormat } from '../common/audio.ts';
import { at, numberAt, textAt } from '../common/foreign.ts';
import { bends } from '../common/lineage.ts';
import { MediaPosition } from '../common/position.ts';
import type { SharedCall } from '../common/shared.ts';
import { Playout } from './playout.ts';

/** A media clock that is off by less than a chunk counts on: Twilio's is rounded to ms. */
const CHUNK_MS = 20;
/** Marks of our own, where they are wanted: so often while audio is queued. */
const OWN_MARK_MS = 500;

export interface LineHost {
  readonly session: Session;
  readonly shared: SharedCall;
  readonly mic: Stream | undefined;
  readonly agent: Stream | undefined;
  now(): DomainNs;
  /** Sends a mark of our own; undefined where the application's own have to do. */
  readonly sendMark: ((streamSid: string, name: string) => void) | undefined;
}

interface Incoming {
  readonly stream: Stream;
  readonly hop: Hop;
}

interface Outgoing extends Incoming {
  readonly position: MediaPosition;
  readonly playout: Playout;
}

export class Line {
  readonly #host: LineHost;
  #format: AudioFormat = MULAW_8K;
  #streamSid: string | undefined;
  #incoming: Incoming | undefined;
  #outgoing: Outgoing | undefined;
  #lastChunk = 0;
  /** Ms of media up to the end of the last chunk in order. */
  #nextMs: number | undefined;
  #ownMarks = 0;

  constructor(host: LineHost) {
    this.#host = host;
  }

  received(message: unknown): void {
    const event = textAt(message, 'event');
    this.#streamSid =
      textAt(message, 'streamSid') ?? textAt(message, 'stream_sid') ?? this.#streamSid;
    if (event === 'start') this.#started(at(message, 'start'));
    else if (event === 'media') this.#heard(at(message, 'media'));
    else if (event === 'mark')
      this.#outgoing?.playout.echoed(textAt(message, 'mark', 'name') ?? '', this.#host.now());
  }

  sent(message: unknown): void {
    const event = textAt(message, 'event');
    if (event === 'media') this.#spoken(textAt(message, 'media', 'payload') ?? '');
    else if (event === 'mark')
      this.#outgoing?.playout.marked(textAt(message, 'mark', 'name') ?? '');
    else if (event === 'clear') {
      this.#outgoing?.playout.cleared();
      this.#host.shared.cleared();
    }
  }

  #started(start: unknown): void {
    const rate = numberAt(start, 'mediaFormat', 'sampleRate');
    const encoding = textAt(start, 'mediaFormat', 'encoding') ?? '';
    const isRate = rate !== undefined && Number.isInteger(rate) && rate >= 8_000 && rate <= 48_000;
    this.#format = {
      encoding: /l16|pcm16|linear/i.test(encoding) ? 'pcm16' : 'mulaw',
      sampleRate: isRate ? rate : MULAW_8K.sampleRate,
    };
    this.#lastChunk = 0;
    this.#nextMs = undefined;
  }

  // ---- the caller -------------------------------------------------------------------------

  #heard(media: unknown): void {
    const payload = textAt(media, 'payload');
    if (payload === undefined || textAt(media, 'track') === 'outbound') return;
    const { stream, hop } = this.#opened('mic');
    const samples = samplesIn(payload, this.#format);
    const ms = this.#placeMs(media, (samples / this.#format.sampleRate) * 1_000);
    const tick = Math.round((ms * stream.sampleRate) / 1_000);
    const length = Math.round((samples * stream.sampleRate) / this.#format.sampleRate);
    this.#host.shared.up.note(payload, tick);
    if (length > 0) hop.markAt(tick, length);
  }

  /** Where a chunk stands: by its timestamp, unless that only wavers about where it should be. */
  #placeMs(media: unknown, lengthMs: number): number {
    const expectedMs = this.#nextMs ?? 0;
    const saidMs = numberAt(media, 'timestamp');
    const chunk = numberAt(media, 'chunk') ?? this.#lastChunk + 1;
    const isLate = chunk <= this.#lastChunk;
    const isOff = saidMs !== undefined && Math.abs(saidMs - expectedMs) >= CHUNK_MS;
    const placeMs = saidMs !== undefined && saidMs >= 0 && (isOff || isLate) ? saidMs : expectedMs;
    if (isLate) return placeMs;
    this.#lastChunk = chunk;
    this.#nextMs = placeMs + lengthMs;
    return placeMs;
  }

  // ---- the agent --------------------------------------------------------------------------

  #spoken(payload: string): void {
    const { shared } = this.#host;
    const { hop, position, playout } = this.#downward();
    const samples = samplesIn(payload, this.#format);
    const { tick, length } = position.advance(samples, shared.down.find(payload));
    const wasIdle = playout.isIdle;
    if (length > 0) {
      hop.markAt(tick, length);
      playout.sent(tick, length, this.#host.now());
    }
    shared.sent();
    this.#markIfDue(playout, wasIdle);
  }

  /** After the first piece of what is said, and while it goes on. */
  #markIfDue(playout: Playout, wasIdle: boolean): void {
    const { sendMark } = this.#host;
    const streamSid = this.#streamSid;
    if (sendMark === undefined || streamSid === undefined) return;
    const dueTicks = (OWN_MARK_MS * this.#format.sampleRate) / 1_000;
    if (!wasIdle && playout.unmarkedTicks < dueTicks) return;
    this.#ownMarks += 1;
    sendMark(streamSid, `framescope-${this.#ownMarks}`);
  }

  #opened(name: 'mic'): Incoming {
    const { session, mic } = this.#host;
    if (this.#incoming !== undefined) return this.#incoming;
    const stream = mic ?? session.stream(name, { sampleRate: this.#format.sampleRate });
    this.#incoming = { stream, hop: stream.hop('receive') };
    return this.#incoming;
  }

  #downward(): Outgoing {
    const { session, agent } = this.#host;
    if (this.#outgoing !== undefined) return this.#outgoing;
    const stream = agent ?? session.stream('agent', { sampleRate: this.#format.sampleRate });
    const hop = stream.hop('send');
    const rates = { stream: stream.sampleRate, own: this.#format.sampleRate };
    const bent = bends(this.#host.session.port(), stream, hop);
    const position = new MediaPosition(rates, hop.nextTick, bent);
    this.#outgoing = { stream, hop, position, playout: new Playout(stream) };
    return this.#outgoing;
  }
}
