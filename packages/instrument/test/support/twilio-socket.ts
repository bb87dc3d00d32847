// A telephone line in virtual time: the server's end of the socket, traced, and
// the stand-in of Twilio at the other end.

import { EventEmitter } from 'node:events';
import { traceTwilioMediaStream } from '@framescope/instrument/twilio';
import type { Session } from '@framescope/instrument';
import { TwilioLine } from '@framescope/testkit/twilio-line';
import { MS, World } from './world.ts';

/** What `ws` hands to a server: text arrives as bytes. */
export class ServerSocket extends EventEmitter {
  line: TwilioLine | undefined;
  send(text: string): void {
    this.line?.take(text);
  }
}

export class TwilioCall {
  readonly world: World;
  readonly session: Session;
  readonly socket: ServerSocket = new ServerSocket();
  readonly line: TwilioLine;

  constructor(
    options: {
      readonly playoutMarks?: boolean;
      readonly session?: Session;
      readonly world?: World;
    } = {},
  ) {
    const { playoutMarks, session, world = new World() } = options;
    this.world = world;
    this.session = session ?? world.scope().startSession({ id: 'CA1' });
    this.line = new TwilioLine({
      emit: text => void this.socket.emit('message', Buffer.from(text), false),
      nowMs: () => world.nowNs / MS,
      after: (delayMs, task) => {
        const timer = world.timers.after(delayMs, task);
        return () => timer.cancel();
      },
    });
    this.socket.line = this.line;
    traceTwilioMediaStream(this.socket, {
      session: this.session,
      ...(playoutMarks === undefined ? {} : { playoutMarks }),
    });
    this.line.open();
  }

  async mic(ms: number, isVoiced = false): Promise<void> {
    for (let at = 0; at < ms; at += 20) {
      await this.world.pass(20);
      this.line.media(isVoiced);
    }
  }

  media(payload: string): void {
    const { streamSid } = this.line;
    this.socket.send(JSON.stringify({ event: 'media', streamSid, media: { payload } }));
  }

  mark(name: string): void {
    const { streamSid } = this.line;
    this.socket.send(JSON.stringify({ event: 'mark', streamSid, mark: { name } }));
  }

  clear(): void {
    this.socket.send(JSON.stringify({ event: 'clear', streamSid: this.line.streamSid }));
  }

  /** Marks by `stream.role/hop`: `tick+length@ms` each. */
  async marks(): Promise<ReadonlyMap<string, readonly string[]>> {
    const ended = this.session.end();
    await this.world.pass(6_000);
    await ended;
    const marks = new Map<string, string[]>();
    for (const block of this.world.records().flatMap(record => record.blocks))
      for (const { hop, startTick, endTick, atNs, length, late } of block.columns) {
        const key = `${block.stream}.${hop.role}/${hop.name}`;
        const list = marks.get(key) ?? [];
        for (let i = 0; i < length; i++)
          list.push(`${startTick[i]!}+${endTick[i]! - startTick[i]!}@${atNs[i]! / MS}`);
        for (const one of late) list.push(`late ${one.startTick}+${one.endTick - one.startTick}@`);
        marks.set(key, list);
      }
    return marks;
  }
}
