// The stand-in of the Realtime API on a port of its own: real clients of the
// vendor connect to it. One engine a connection.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { RealtimeEngine, type EngineOptions } from './realtime-engine.ts';

export interface Connection {
  readonly engine: RealtimeEngine;
  /** Cuts the line, as a network does. */
  cut(): void;
}

export class RealtimeServer {
  readonly connections: Connection[] = [];
  readonly #server: WebSocketServer;
  readonly #waiting: ((connection: Connection) => void)[] = [];

  private constructor(server: WebSocketServer, options: Omit<EngineOptions, 'emit'>) {
    this.#server = server;
    server.on('connection', socket => this.#connected(socket, options));
  }

  static async start(options: Omit<EngineOptions, 'emit'> = {}): Promise<RealtimeServer> {
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

  #connected(socket: WebSocket, options: Omit<EngineOptions, 'emit'>): void {
    const engine = new RealtimeEngine({
      ...options,
      emit: event => {
        if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(event));
      },
    });
    const connection = { engine, cut: () => socket.terminate() };
    this.connections.push(connection);
    socket.on('message', data => engine.take(JSON.parse(String(data))));
    engine.open();
    this.#waiting.shift()?.(connection);
  }
}
