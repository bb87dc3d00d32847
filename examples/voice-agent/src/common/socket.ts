// The little that all WebSocket ends here need: bytes out of whatever `ws`
// hands over, sending only while open, connecting with a clear error.

import { WebSocket, type RawData } from 'ws';

/** Refuses to queue more than this on a stalled connection: 10 s of our audio at its widest. */
const BUFFERED_LIMIT_BYTES = 512 * 1024;

export type Message = Buffer | string;

/** Calls `receive` with a Buffer for audio and a string for text. */
export function onMessage(socket: WebSocket, receive: (message: Message) => void): void {
  socket.on('message', (data: RawData, isBinary) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : asBuffer(data);
    receive(isBinary ? bytes : bytes.toString());
  });
  // What broke a connection is told by 'close', which follows.
  socket.on('error', () => undefined);
}

function asBuffer(data: Buffer | ArrayBuffer): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** Sends if there is something, the connection is open and not hopelessly behind; says whether it did. */
export function sendIfOpen(socket: WebSocket, message: Message | undefined): boolean {
  if (message === undefined || socket.readyState !== WebSocket.OPEN) return false;
  if (socket.bufferedAmount > BUFFERED_LIMIT_BYTES) return false;
  socket.send(message);
  return true;
}

/** A connection, and how long it took to be made. */
export interface Connected {
  readonly socket: WebSocket;
  readonly tookMs: number;
}

export async function connect(url: string, what: string): Promise<Connected> {
  const askedMs = performance.now();
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', cause => {
      reject(new Error(`No connection to the ${what} at ${url}: ${cause.message}`, { cause }));
    });
  });
  return { socket, tookMs: performance.now() - askedMs };
}
