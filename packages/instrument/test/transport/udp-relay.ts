// A relay between two UDP endpoints that does what networks do, by seed: loses
// datagrams, lets later ones overtake, and may change them on the way.
//
//   a ◀──▶ [ front │ back ] ◀──▶ b        a sends to `front`, b to `back`

import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

export interface RelayOptions {
  readonly seed: number;
  /** Share of datagrams that never arrive. */
  readonly loss: number;
  /** Share that is held up so long that the next ones overtake. */
  readonly reordered: number;
  readonly heldMs: number;
  /** What becomes of one from `a`: `undefined` throws it away. */
  readonly change?: (datagram: Buffer, index: number) => Buffer;
}

export interface Relay {
  /** Where `a` sends to, and where `b` sees it come from. */
  readonly frontPort: number;
  readonly backPort: number;
  readonly lostCount: number;
  readonly heldCount: number;
  /** Says where the endpoints are. */
  connect(aPort: number, bPort: number): void;
  close(): Promise<void>;
}

/** Park–Miller: enough to decide who is lost. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

export async function udpSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}

export const portOf = (socket: Socket): number => (socket.address() as AddressInfo).port;

export async function udpRelay(options: RelayOptions): Promise<Relay> {
  const random = randomFrom(options.seed);
  const [front, back] = [await udpSocket(), await udpSocket()];
  let [aPort, bPort, lostCount, heldCount, index] = [0, 0, 0, 0, 0];
  let isOpen = true;
  const pass = (datagram: Buffer, from: Socket, port: number): void => {
    if (random() < options.loss) return void (lostCount += 1);
    const send = (): void => void (isOpen && from.send(datagram, port, '127.0.0.1'));
    if (random() >= options.reordered) return send();
    heldCount += 1;
    setTimeout(send, options.heldMs);
  };
  front.on('message', datagram =>
    pass(options.change?.(datagram, index++) ?? datagram, back, bPort),
  );
  back.on('message', datagram => pass(datagram, front, aPort));
  return {
    frontPort: portOf(front),
    backPort: portOf(back),
    get lostCount() {
      return lostCount;
    },
    get heldCount() {
      return heldCount;
    },
    connect: (a, b) => {
      aPort = a;
      bPort = b;
    },
    close: async () => {
      isOpen = false;
      await Promise.all([front, back].map(one => new Promise<void>(done => one.close(done))));
    },
  };
}
