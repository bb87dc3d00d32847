// The microphone's way through the agent: packet → Opus → samples → voice
// activity → end of turn, and in pieces of 100 ms to the recogniser.
//
// Frames that the line lost are concealed by the decoder, so that sample n of
// what comes out always is sample n of what the microphone took (less the
// encoder's pre-skip, which is cut off at the start).

import type { OpusDecoderHandle } from 'libopus-wasm';
import { Chunker, FRAME_SAMPLES, STT_CHUNK_SAMPLES } from '../common/audio.ts';
import { tickOf, type Packet } from '../common/packet.ts';
import { Endpointer } from './endpointer.ts';
import { VoiceActivityDetector } from './vad.ts';

/** Longer holes than 2 s are not concealed frame by frame but jumped over as silence. */
const CONCEAL_LIMIT = 100;

export interface EarsEvents {
  /** The frame from `tick` on is decoded, or listened to. */
  readonly onPassed: (where: 'decode' | 'vad', tick: number) => void;
  readonly onSpeechStart: (tick: number) => void;
  /** `tick`: the last voiced sample. */
  readonly onSpeechStop: (tick: number) => void;
  readonly onTurnOver: () => void;
  /** After each frame: how long the user has been speaking now, in ticks; 0 when silent. */
  readonly onHeard: (speakingTicks: number) => void;
  /** A piece for the recogniser, from `tick` on. */
  readonly onChunk: (pcm: Int16Array, tick: number) => void;
}

export class Ears {
  readonly #decoder: OpusDecoderHandle;
  readonly #events: EarsEvents;
  readonly #vad = new VoiceActivityDetector();
  readonly #endpointer: Endpointer;
  readonly #chunker = new Chunker(STT_CHUNK_SAMPLES);
  #skip: number;
  #nextSequence = 0;
  #tick = 0;
  #chunkTick = 0;

  constructor(
    decoder: OpusDecoderHandle,
    options: { readonly preSkip: number; readonly endpointMs: number },
    events: EarsEvents,
  ) {
    this.#decoder = decoder;
    this.#events = events;
    this.#skip = options.preSkip;
    this.#endpointer = new Endpointer(options.endpointMs);
  }

  /** Takes a frame in order of arrival; one that is out of order is too late here. */
  hear(packet: Packet): void {
    if (packet.sequence < this.#nextSequence) return;
    this.#conceal(packet.sequence - this.#nextSequence);
    this.#nextSequence = packet.sequence + 1;
    const pcm = this.#decoder.decode(packet.opus);
    this.#events.onPassed('decode', tickOf(packet));
    this.#take(pcm);
    this.#events.onPassed('vad', tickOf(packet));
  }

  #conceal(missing: number): void {
    for (let i = 0; i < missing; i += 1) {
      const isLong = missing > CONCEAL_LIMIT;
      const pcm = isLong ? new Int16Array(FRAME_SAMPLES) : undefined;
      this.#take(pcm ?? this.#decoder.decodePacketLoss(FRAME_SAMPLES));
    }
  }

  #take(decoded: Int16Array): void {
    const skipped = Math.min(this.#skip, decoded.length);
    this.#skip -= skipped;
    const pcm = decoded.subarray(skipped);
    this.#tick += pcm.length;
    this.#detect(pcm);
    const speakingTicks = this.#vad.isSpeaking ? this.#tick - this.#vad.startTick : 0;
    this.#events.onHeard(speakingTicks);
    if (this.#endpointer.advance(this.#tick)) this.#events.onTurnOver();
    for (const chunk of this.#chunker.push(pcm)) {
      this.#events.onChunk(chunk, this.#chunkTick);
      this.#chunkTick += chunk.length;
    }
  }

  #detect(pcm: Int16Array): void {
    for (const event of this.#vad.push(pcm)) {
      if (event.kind === 'start') {
        this.#endpointer.speechStarted();
        this.#events.onSpeechStart(event.tick);
      } else {
        this.#endpointer.speechStopped(event.tick);
        this.#events.onSpeechStop(event.tick - 1);
      }
    }
  }
}
