// A realtime client without a network: what it sends goes to the engine of the
// vendor's stand-in, in virtual time, and what that says is emitted.

import { EventEmitter } from 'node:events';
import { traceOpenAIRealtime } from '@framescope/instrument/openai-realtime';
import { sound } from '@framescope/testkit/sound';
import { RealtimeEngine, type EngineOptions } from '@framescope/testkit/realtime-engine';
import type { TurnState } from '@framescope/protocol';
import type { Session } from '@framescope/instrument';
import { World } from './world.ts';

export class FakeClient extends EventEmitter {
  engine: RealtimeEngine;

  constructor(options: Omit<EngineOptions, 'emit'> = {}) {
    super();
    this.engine = this.#connect(options);
  }

  /** The same client on a new connection, as one that recovers by itself: the vendor begins anew. */
  recover(): void {
    this.engine = this.#connect({});
    this.engine.open();
  }

  #connect(options: Omit<EngineOptions, 'emit'>): RealtimeEngine {
    return new RealtimeEngine({ ...options, emit: event => this.emit('event', event) });
  }

  send(event: unknown): void {
    this.engine.take(JSON.parse(JSON.stringify(event)));
  }
}

/** A call with a realtime model, in a world of its own. */
export class RealtimeCall {
  readonly world: World = new World();
  readonly session: Session;
  client: FakeClient;

  constructor(options: Omit<EngineOptions, 'emit'> = {}) {
    this.session = this.world.scope().startSession({ id: 'call' });
    this.client = this.connect(options);
  }

  connect(options: Omit<EngineOptions, 'emit'> = {}): FakeClient {
    this.client = new FakeClient(options);
    traceOpenAIRealtime(this.client, { session: this.session });
    this.client.engine.open();
    return this.client;
  }

  get engine(): RealtimeEngine {
    return this.client.engine;
  }

  /** The microphone for so long: 20 ms pieces in real time. */
  async mic(ms: number, isVoiced = false): Promise<void> {
    const audio = sound(20, isVoiced);
    for (let at = 0; at < ms; at += 20) {
      await this.world.pass(20);
      this.client.send({ type: 'input_audio_buffer.append', audio });
    }
  }

  /** The user says something `ms` long; the vendor's VAD notices as it does. Answers the item. */
  async says(ms: number): Promise<string> {
    const startMs = this.engine.receivedMs;
    await this.mic(Math.min(ms, 100), true);
    this.engine.speechStarted(Math.max(0, startMs - 300));
    await this.mic(ms - Math.min(ms, 100), true);
    await this.mic(500);
    return this.engine.speechStopped(this.engine.receivedMs);
  }

  /** The session ends; the turns as they were told last. */
  async turns(): Promise<TurnState[]> {
    const ended = this.session.end();
    await this.world.pass(6_000);
    await ended;
    const last = new Map<number, TurnState>();
    for (const turn of this.world.states().flatMap(state => state.turns ?? []))
      if ((last.get(turn.tick)?.rev ?? 0) <= turn.rev) last.set(turn.tick, turn);
    return [...last.values()].toSorted((a, b) => a.tick - b.tick);
  }
}
