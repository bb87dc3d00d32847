// A telephone line as Twilio Media Streams present it to a server: messages in
// the documented order and form, audio every 20 ms, what the server sends played
// in real time, marks echoed when what was queued before them has played, or at
// once when it is cleared. What is not in the protocol is refused.

import { mulaw } from './sound.ts';

export interface LineOptions {
  /** A text message to the server. */
  readonly emit: (text: string) => void;
  readonly nowMs: () => number;
  /** Runs `task` later; answers how to cancel it. */
  readonly after: (delayMs: number, task: () => void) => () => void;
  readonly callSid?: string;
}

interface QueuedMark {
  readonly name: string;
  readonly cancel: () => void;
}

const CHUNK_MS = 20;
/** Fields of what a server may send, by event. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  media: ['event', 'streamSid', 'media'],
  mark: ['event', 'streamSid', 'mark'],
  clear: ['event', 'streamSid'],
};

export class TwilioLine {
  readonly refusals: string[] = [];
  /** Echoes, with when each was sent. */
  readonly echoes: { readonly name: string; readonly atMs: number }[] = [];
  readonly streamSid = 'MZ00000000000000000000000000000001';
  readonly callSid: string;
  /** Payloads that were played, or queued to be. */
  readonly heard: string[] = [];
  readonly #options: LineOptions;
  #marks: QueuedMark[] = [];
  #playUntilMs = 0;
  #sequence = 0;
  #chunk = 0;
  #mediaMs = 0;
  #isOpen = false;

  constructor(options: LineOptions) {
    this.#options = options;
    this.callSid = options.callSid ?? 'CA00000000000000000000000000000001';
  }

  /** Until when what was queued plays. */
  get playUntilMs(): number {
    return this.#playUntilMs;
  }

  /** Media time: ms of the user's audio since the stream began. */
  get mediaMs(): number {
    return this.#mediaMs;
  }

  open(): void {
    this.#isOpen = true;
    this.#options.emit(JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' }));
    this.#send({
      event: 'start',
      start: {
        accountSid: 'AC00000000000000000000000000000001',
        streamSid: this.streamSid,
        callSid: this.callSid,
        tracks: ['inbound'],
        mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 1 },
        customParameters: {},
      },
    });
  }

  /** The next 20 ms of the caller. `payload` instead of a tone: 160 bytes of µ-law as base64. */
  media(isVoiced: boolean, payload: string = mulaw(CHUNK_MS, isVoiced)): void {
    this.#chunk += 1;
    const media = {
      track: 'inbound',
      chunk: String(this.#chunk),
      timestamp: String(this.#mediaMs),
      payload,
    };
    this.#mediaMs += CHUNK_MS;
    this.#send({ event: 'media', media });
  }

  /** 20 ms of the caller that the network lost: the media clock goes on, and so do the chunks. */
  lose(): void {
    this.#chunk += 1;
    this.#mediaMs += CHUNK_MS;
  }

  stop(): void {
    this.#send({
      event: 'stop',
      stop: { accountSid: 'AC00000000000000000000000000000001', callSid: this.callSid },
    });
    for (const { cancel } of this.#marks.splice(0)) cancel();
    this.#isOpen = false;
  }

  /** A message of the server. */
  take(text: string): void {
    const problem = this.#problemOf(text);
    if (problem !== undefined) return void this.refusals.push(problem);
    const message = JSON.parse(text) as Outbound;
    if (message.event === 'media') this.#play(message.media.payload);
    else if (message.event === 'mark') this.#queue(message.mark.name);
    else this.#clear();
  }

  #problemOf(text: string): string | undefined {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return 'not JSON';
    }
    if (typeof message !== 'object' || message === null) return 'not an object';
    const { event, streamSid, media, mark } = message as Record<string, unknown>;
    const fields = typeof event === 'string' ? FIELDS[event] : undefined;
    if (fields === undefined) return `unknown event ${String(event)}`;
    const unknown = Object.keys(message).find(name => !fields.includes(name));
    if (unknown !== undefined) return `${String(event)}: unknown field ${unknown}`;
    if (!this.#isOpen) return `${String(event)} before start or after stop`;
    if (streamSid !== this.streamSid) return `${String(event)}: wrong streamSid`;
    if (event === 'media') return badPart(media, 'payload', /^[A-Za-z0-9+/]+={0,2}$/);
    return event === 'mark' ? badPart(mark, 'name', /^.+$/) : undefined;
  }

  #play(payload: string): void {
    const ms = Buffer.byteLength(payload, 'base64') / 8;
    this.heard.push(payload);
    this.#playUntilMs = Math.max(this.#options.nowMs(), this.#playUntilMs) + ms;
  }

  #queue(name: string): void {
    const waitMs = Math.max(0, this.#playUntilMs - this.#options.nowMs());
    const mark: QueuedMark = {
      name,
      cancel: this.#options.after(waitMs, () => {
        this.#marks = this.#marks.filter(one => one !== mark);
        this.#echo(name);
      }),
    };
    this.#marks.push(mark);
  }

  #clear(): void {
    this.#playUntilMs = this.#options.nowMs();
    for (const { name, cancel } of this.#marks.splice(0)) {
      cancel();
      this.#options.after(1, () => this.#echo(name));
    }
  }

  #echo(name: string): void {
    this.echoes.push({ name, atMs: this.#options.nowMs() });
    this.#send({ event: 'mark', mark: { name } });
  }

  #send(message: object): void {
    if (!this.#isOpen) return;
    this.#sequence += 1;
    const { streamSid } = this;
    this.#options.emit(
      JSON.stringify({ ...message, sequenceNumber: String(this.#sequence), streamSid }),
    );
  }
}

type Outbound =
  | { readonly event: 'media'; readonly media: { readonly payload: string } }
  | { readonly event: 'mark'; readonly mark: { readonly name: string } }
  | { readonly event: 'clear' };

function badPart(part: unknown, field: string, form: RegExp): string | undefined {
  if (typeof part !== 'object' || part === null) return `no ${field}`;
  const unknown = Object.keys(part).find(name => name !== field);
  if (unknown !== undefined) return `unknown field ${unknown} beside ${field}`;
  const value: unknown = Reflect.get(part, field);
  return typeof value === 'string' && form.test(value) ? undefined : `malformed ${field}`;
}
