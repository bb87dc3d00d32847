// A caller: a telephone line in real time, on a real WebSocket to a user's server.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { TwilioLine } from './twilio-line.ts';

export class TwilioCaller {
  readonly line: TwilioLine;
  readonly #socket: WebSocket;
  #dueMs = performance.now();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.line = new TwilioLine({
      emit: text => {
        if (socket.readyState === socket.OPEN) socket.send(text);
      },
      nowMs: () => performance.now(),
      after: (delayMs, task) => {
        const timer = setTimeout(task, delayMs);
        return () => clearTimeout(timer);
      },
    });
    socket.on('message', data => this.line.take(String(data)));
  }

  /** Calls: the line is open when this resolves. */
  static async call(url: string): Promise<TwilioCaller> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const caller = new TwilioCaller(socket);
    caller.line.open();
    return caller;
  }

  /** The microphone for so long, in real time. */
  async speak(ms: number, isVoiced: boolean): Promise<void> {
    for (let at = 0; at < ms; at += 20) {
      this.#dueMs = Math.max(this.#dueMs + 20, performance.now() - 20);
      await new Promise(resolve => setTimeout(resolve, this.#dueMs - performance.now()));
      this.line.media(isVoiced);
    }
  }

  /** Quiet until what was queued has played, and 300 ms more; at most `maxMs`. */
  async listen(maxMs: number): Promise<void> {
    const untilMs = performance.now() + maxMs;
    const heard = this.line.heard.length;
    const isOver = (): boolean =>
      this.line.heard.length > heard && performance.now() > this.line.playUntilMs + 300;
    while (performance.now() < untilMs && !isOver()) await this.speak(20, false);
  }

  async hangUp(): Promise<void> {
    this.line.stop();
    if (this.#socket.readyState !== this.#socket.CLOSED) {
      const closed = once(this.#socket, 'close');
      this.#socket.close();
      await closed;
    }
  }
}
