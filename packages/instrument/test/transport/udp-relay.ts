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
  /** What becomes of one from `a`. */
  readonly change?: (datagram: Buffer, index: number) => Buffer;
  /** Told each datagram from `a`, and whether it is lost. */
  readonly seen?: (datagram: Buffer, isLost: boolean) => void;
  /** Where it listens; default loopback only. */
  readonly host?: string;
}

export interface Relay {
  /** Where `a` sends to, and where `b` sees it come from. */
  readonly frontPort: number;
  readonly backPort: number;
  readonly lostCount: number;
  readonly heldCount: number;
  /** From now on nothing passes, either way. */
  cut(): void;
  /** Says where the endpoints are; else they are learnt from what they send. */
  connect(aPort: number, bPort: number): void;
  close(): Promise<void>;
}

/** Park–Miller: enough to decide who is lost. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

export async function udpSocket(host = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>(resolve => socket.bind(0, host, resolve));
  return socket;
}

export const portOf = (socket: Socket): number => (socket.address() as AddressInfo).port;

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export async function udpRelay(options: RelayOptions): Promise<Relay> {
  const random = randomFrom(options.seed);
  const [front, back] = [await udpSocket(options.host), await udpSocket(options.host)];
  let a: Endpoint | undefined;
  let b: Endpoint | undefined;
  let [lostCount, heldCount, index] = [0, 0, 0];
  let isOpen = true;
  let isCut = false;
  const isLost = (): boolean => {
    const lost = isCut || random() < options.loss;
    if (lost) lostCount += 1;
    return lost;
  };
  const pass = (datagram: Buffer, from: Socket, to: Endpoint | undefined): void => {
    if (to === undefined) return;
    const send = (): void => void (isOpen && from.send(datagram, to.port, to.address));
    if (random() >= options.reordered) return send();
    heldCount += 1;
    setTimeout(send, options.heldMs);
  };
  front.on('message', (datagram, source) => {
    a ??= source;
    const lost = isLost();
    options.seen?.(datagram, lost);
    if (!lost) pass(options.change?.(datagram, index++) ?? datagram, back, b);
  });
  back.on('message', (datagram, source) => {
    b ??= source;
    if (!isLost()) pass(datagram, front, a);
  });
  return {
    frontPort: portOf(front),
    backPort: portOf(back),
    get lostCount() {
      return lostCount;
    },
    get heldCount() {
      return heldCount;
    },
    cut: () => {
      isCut = true;
    },
    connect: (aPort, bPort) => {
      a = { address: '127.0.0.1', port: aPort };
      b = { address: '127.0.0.1', port: bPort };
    },
    close: async () => {
      isOpen = false;
      await Promise.all([front, back].map(one => new Promise<void>(done => one.close(done))));
    },
  };
}
