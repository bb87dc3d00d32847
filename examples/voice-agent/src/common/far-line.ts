// A long way between two processes of one machine: bytes of a TCP connection
// come out so much later as they would from another region. Whoever measures the
// way (a ping, an echo, a handshake) measures it, since nothing goes around it.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface FarLine {
  /** The address to use instead. */
  readonly url: string;
  readonly close: () => void;
}

/** A line to `url` (ws://host:port) that takes `delayMs` each way. */
export async function farLine(url: string, delayMs: number): Promise<FarLine> {
  const { hostname, port } = new URL(url);
  const server = createServer(near => {
    const far = connect(Number(port), hostname);
    late(near, far, delayMs);
    late(far, near, delayMs);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port: own } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${own}`, close: () => server.close() };
}

/** Timers of one length fire in the order in which they were set: bytes stay in order. */
function late(from: Socket, to: Socket, delayMs: number): void {
  from.setNoDelay(true);
  from.on('data', bytes => setTimeout(() => to.write(bytes), delayMs));
  from.on('close', () => setTimeout(() => to.destroy(), delayMs));
  // What broke a connection is told by 'close', which follows.
  from.on('error', () => undefined);
}
