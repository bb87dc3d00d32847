// The stand-in of the Realtime API on a port of its own: real clients of the
// vendor connect to it. One engine a connection. With a script it hears and
// answers by itself: when the user's speech ended, the next line of it.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { Hearing } from './hearing.ts';
import { RealtimeEngine, type EngineOptions } from './realtime-engine.ts';
import { mulaw, sound } from './sound.ts';

/** One answer of a script. */
export interface ScriptedAnswer {
  readonly text: string;
  /** From the end of the user's turn to the first audio. */
  readonly delayMs: number;
  readonly lengthMs: number;
  /** Quiet at the start of the audio. */
  readonly leadMs?: number;
  /** What the user is said to have said; it comes after the answer. */
  readonly transcript?: string;
}

export interface ServerOptions extends Omit<EngineOptions, 'emit' | 'onAudio'> {
  readonly script?: readonly ScriptedAnswer[];
}

export interface Connection {
  readonly engine: RealtimeEngine;
  /** Cuts the line, as a network does. */
  cut(): void;
}

export class RealtimeServer {
  readonly connections: Connection[] = [];
  readonly #server: WebSocketServer;
  readonly #waiting: ((connection: Connection) => void)[] = [];

  private constructor(server: WebSocketServer, options: ServerOptions) {
    this.#server = server;
    server.on('connection', socket => this.#connected(socket, options));
  }

  static async start(options: ServerOptions = {}): Promise<RealtimeServer> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    return new RealtimeServer(server, options);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What `OPENAI_BASE_URL` should say. */
  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  /** The next connection. */
  connection(): Promise<Connection> {
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    for (const { cut } of this.connections) cut();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #connected(socket: WebSocket, { script, ...options }: ServerOptions): void {
    let hearing: Hearing | undefined;
    const engine = new RealtimeEngine({
      ...options,
      onAudio: (base64, format) =>
        hearing?.push(Buffer.from(base64, 'base64'), format === 'audio/pcmu'),
      emit: event => {
        if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(event));
      },
    });
    if (script !== undefined) hearing = follow(engine, [...script]);
    const connection = { engine, cut: () => socket.terminate() };
    this.connections.push(connection);
    socket.on('message', data => engine.take(JSON.parse(String(data))));
    engine.open();
    this.#waiting.shift()?.(connection);
  }
}

const SILENCE_MS = 500;
const PADDING_MS = 300;
const PIECE_MS = 100;

/** Hears the user out and answers with the next line, a little faster than real time. */
function follow(engine: RealtimeEngine, script: ScriptedAnswer[]): Hearing {
  return new Hearing(SILENCE_MS, {
    began: ms => void engine.speechStarted(Math.max(0, ms - PADDING_MS)),
    ended: ms => {
      const itemId = engine.speechStopped(ms);
      const answer = script.shift();
      if (answer !== undefined) void say(engine, answer, itemId);
    },
  });
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

async function say(engine: RealtimeEngine, answer: ScriptedAnswer, itemId: string): Promise<void> {
  const { id } = engine.respond();
  const isOurs = (): boolean => engine.activeId === id;
  const isMulaw = engine.session.audio?.output?.format?.type === 'audio/pcmu';
  const piece = (ms: number, isVoiced: boolean): string =>
    isMulaw ? mulaw(ms, isVoiced) : sound(ms, isVoiced);
  await pause(answer.delayMs);
  if (answer.leadMs !== undefined && isOurs()) engine.audio(piece(answer.leadMs, false));
  for (let ms = 0; ms < answer.lengthMs && isOurs(); ms += PIECE_MS) {
    engine.audio(piece(PIECE_MS, true), ms === 0 ? answer.text : '');
    await pause(PIECE_MS / 3);
  }
  if (isOurs()) engine.done();
  if (answer.transcript !== undefined) engine.transcribed(itemId, answer.transcript);
}
