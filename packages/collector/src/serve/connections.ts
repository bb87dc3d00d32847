// Which connections have a request under way. Node's own `closeIdleConnections`
// leaves out those that never sent one, and browsers open such ahead of need:
// a collector would wait for them when it is told to stop.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Requests under way by connection. */
export class Connections {
  readonly #requests = new Map<Socket, number>();
  #isStopping = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#requests.set(socket, 0);
      socket.on('close', () => this.#requests.delete(socket));
    });
    server.on('request', (request, response) => {
      this.#count(request.socket, 1);
      response.on('close', () => this.#count(request.socket, -1));
    });
  }

  #count(socket: Socket, by: number): void {
    const before = this.#requests.get(socket);
    if (before === undefined) return;
    this.#requests.set(socket, before + by);
    if (this.#isStopping && before + by === 0) socket.destroySoon();
  }

  /** Closes what is idle now, and each other connection after its answer. */
  stop(): void {
    this.#isStopping = true;
    for (const [socket, count] of this.#requests) if (count === 0) socket.destroy();
  }
}
