// A loudspeaker that says what it played: PCM goes into a queue in the worklet,
// each frame is marked at `playout` with the time at which it is audible.

import { NS_PER_S, type DomainNs } from '@framescope/protocol';
import { numberAt } from '../../adapters/common/foreign.ts';
import { sessionOr } from '../../adapters/common/session-or.ts';
import type { Stream } from '../../hop/stream.ts';
import type { SessionPort } from '../../ports.ts';
import { textOf } from '../../problems.ts';
import type { Session } from '../../session.ts';
import { plainOptions } from '../plain-options.ts';
import { once, streamOr } from './capture.ts';
import { ContextClock } from './context-clock.ts';
import { PROCESSOR, type PlayoutMessage, type ToPlayout } from './processors.ts';
import { addProcessors } from './worklets.ts';

/** 20 ms. */
const FRAMES_A_SECOND = 50;
const CAPACITY_S = 120;
const CAPACITY_S_MAX = 3_600;

/** What a traced player is told. */
export interface PlayoutOptions {
  readonly session: Session;
  /** Default: `agent`, at the context's rate. */
  readonly stream?: Stream;
  /** Sound that may wait; more is thrown away, counted and told as dropped. Default 120 s. */
  readonly capacityS?: number;
  /** Told ten times a second while sound plays or waits. */
  readonly onFigures?: (figures: PlayoutFigures) => void;
}

/** What the queue did since the last figures. */
export interface PlayoutFigures {
  /** Times that sound ran out and went on within half a second, and samples of silence in between. */
  readonly underrunCount: number;
  readonly missingSamples: number;
  /** Least and last number of samples that waited. */
  readonly fillMin: number;
  readonly fill: number;
}

const NOTHING = {
  underrunCount: 0,
  missingSamples: 0,
  totalSamples: 0,
  fillSamplesMin: Infinity,
};

/** A player of PCM in the page whose playout is traced; see `PlayoutOptions`. Off the audio thread. */
export class Playout {
  /** Connect it on, or it is connected to the context's destination. `undefined` where worklets are missing. */
  readonly node: AudioNode | undefined;
  readonly #port: MessagePort | undefined;
  readonly #stream: Stream;
  readonly #stopNode: () => void;
  #nextTick: number;
  #second: (typeof NOTHING & { readonly fromAt: DomainNs }) | undefined;

  /** Made by `createPlayout`. */
  constructor(node: AudioWorkletNode | undefined, stream: Stream) {
    this.node = node;
    this.#port = node?.port;
    this.#stream = stream;
    this.#nextTick = stream.position;
    this.#stopNode = once(() => {
      this.#send({ ended: true });
      node?.disconnect();
    });
  }

  /**
   * Queues mono sound (−1 … 1) behind what waits; the array is copied. `tick` says where it stands on
   * the stream, by default after what was pushed before. Never throws.
   */
  push(pcm: Float32Array, tick: number = this.#nextTick): void {
    if (!(pcm instanceof Float32Array) || pcm.length === 0 || !Number.isSafeInteger(tick)) return;
    if (tick < 0) return;
    this.#nextTick = tick + pcm.length;
    const copy = pcm.slice();
    this.#send({ push: copy, tick }, [copy.buffer]);
  }

  /** Throws away what waits (barge-in); it is told as dropped at `playout`. */
  clear(): void {
    this.#send({ clear: true });
  }

  /** Stops and disconnects. Again: nothing. */
  stop(): void {
    this.#stopNode();
  }

  /** The tick that the next `push` begins with. */
  get nextTick(): number {
    return this.#nextTick;
  }

  /** Marks what was played, told by the worklet. */
  take({ played, dropped }: PlayoutMessage, times: ContextClock): void {
    for (const { tick, samples, contextFrame } of played)
      this.#stream.hop('playout').markAt(tick, samples, times.audibleNs(contextFrame));
    for (const { tick, samples } of dropped) this.#stream.drop('playout', tick, samples);
  }

  /** Adds up what the worklet tells ten times a second, and sends it once a second. */
  addUp(message: PlayoutMessage, port: SessionPort): void {
    const now = port.clock.now();
    const sum = (this.#second ??= { ...NOTHING, fromAt: now });
    sum.underrunCount += message.underrunCount;
    sum.missingSamples += message.missingSamples;
    sum.fillSamplesMin = Math.min(sum.fillSamplesMin, message.fillMin);
    sum.totalSamples += message.played.reduce((all, one) => all + one.samples, 0);
    if (now - sum.fromAt < NS_PER_S) return;
    this.#second = undefined;
    const { fromAt, ...figures } = sum;
    if (figures.totalSamples === 0 && figures.underrunCount === 0) return;
    const { role } = port;
    port.mediaInterval({ stream: this.#stream.name, role, fromAt, toAt: now, figures });
  }

  #send(message: ToPlayout, transfer: Transferable[] = []): void {
    this.#port?.postMessage(message, transfer);
  }
}

/**
 * Makes a queue that plays on `context` and marks each frame at `playout` when it is audible
 * (`getOutputTimestamp`). Connected to the destination; `disconnect` its node to put something between.
 * The stream has to be at the context's rate. Costs ten messages a second. Never rejects: where
 * worklets are missing, nothing plays, and that is told as a problem.
 */
export async function createPlayout(
  context: AudioContext,
  options: PlayoutOptions,
): Promise<Playout> {
  const given = plainOptions(options);
  const session = sessionOr(given.session);
  const port = session.port();
  const { onFigures } = given;
  const stream = streamOr(given.stream, () =>
    session.stream('agent', { sampleRate: numberAt(plainRate(context), 'sampleRate') ?? 0 }),
  );
  try {
    await addProcessors(context);
    const capacityS = numberAt(given, 'capacityS') ?? CAPACITY_S;
    const capacity = Math.round(
      Math.min(Math.max(capacityS, 0), CAPACITY_S_MAX) * context.sampleRate,
    );
    const frameSamples = Math.round(context.sampleRate / FRAMES_A_SECOND);
    const node = new AudioWorkletNode(context, PROCESSOR.playout, {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { frameSamples, capacity, wantsPcm: false },
    });
    const playout = new Playout(node, stream);
    const times = new ContextClock(context, port.clock);
    node.port.onmessage = ({ data }: MessageEvent<PlayoutMessage>) =>
      take(data, { playout, times, port, onFigures });
    node.connect(context.destination);
    return playout;
  } catch (cause) {
    port.problems.report(
      'no_worklet',
      `createPlayout: the worklet could not be added (${textOf(cause)}); nothing plays. A content security policy has to allow "worker-src blob:"`,
    );
    return new Playout(undefined, stream);
  }
}

/** A context that throws at every touch has no rate. */
const plainRate = (context: AudioContext): object => {
  try {
    return { sampleRate: context.sampleRate };
  } catch {
    return {};
  }
};

interface Taking {
  readonly playout: Playout;
  readonly times: ContextClock;
  readonly port: SessionPort;
  readonly onFigures: ((figures: PlayoutFigures) => void) | undefined;
}

function take(message: PlayoutMessage, { playout, times, port, onFigures }: Taking): void {
  playout.take(message, times);
  playout.addUp(message, port);
  const { underrunCount, missingSamples, fillMin, fill, refusedSamples } = message;
  if (underrunCount > 0)
    port.problems.report(
      'underrun',
      'playout: sound ran out in the middle; the sender has too little lead',
      underrunCount,
    );
  if (refusedSamples > 0)
    port.problems.report('playout_full', 'playout: no room for more sound; what came is dropped');
  if (typeof onFigures !== 'function') return;
  if (underrunCount > 0 || fill > 0 || message.played.length > 0)
    onFigures({ underrunCount, missingSamples, fillMin, fill });
}
