// An address behind which nothing runs yet: the first connection has the process
// started that is to answer, and waits for it, as calls do where agents are started
// on demand. Bytes then pass as they are.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { FarLine } from './far-line.ts';

/** `start` answers the address (ws://host:port) of what it started; asked once. */
export async function coldLine(start: () => Promise<string>): Promise<FarLine> {
  let started: Promise<string> | undefined;
  const server = createServer(near => {
    near.on('error', () => undefined);
    near.pause();
    started ??= start();
    started.then(
      url => join(near, url),
      () => near.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}`, close: () => server.close() };
}

function join(near: Socket, url: string): void {
  const { hostname, port } = new URL(url);
  const far = connect(Number(port), hostname);
  far.on('error', () => undefined);
  for (const socket of [near, far]) socket.setNoDelay(true);
  near.pipe(far);
  far.pipe(near);
  near.on('close', () => far.destroy());
  far.on('close', () => near.destroy());
}
