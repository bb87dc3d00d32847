// Between the page and the collector: lets everything through, or holds what the
// API is asked (a page that loads), or cuts it off (a collector that is away).

import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';

export type GateMode = 'pass' | 'hold' | 'drop';

export class Gate {
  mode: GateMode = 'pass';
  /** Where the collector is. */
  target: string;
  url = '';
  readonly #server = createServer((asked, answer) => this.#take(asked, answer));
  readonly #sockets = new Set<Socket>();

  constructor(target: string) {
    this.target = target;
    this.#server.on('connection', socket => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  /** Changes the mode; lines that are open are cut when it drops. */
  set(mode: GateMode): void {
    this.mode = mode;
    if (mode === 'drop') for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(asked: IncomingMessage, answer: ServerResponse): void {
    const isApi = asked.url?.startsWith('/api/') === true;
    if (isApi && this.mode === 'drop') return void asked.socket.destroy();
    if (isApi && this.mode === 'hold') return;
    const headers = { ...asked.headers, host: new URL(this.target).host };
    const onward = request(
      this.target + (asked.url ?? '/'),
      { method: asked.method, headers },
      came => {
        answer.writeHead(came.statusCode ?? 502, came.headers);
        came.pipe(answer);
        answer.on('close', () => came.destroy());
      },
    );
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  }
}
