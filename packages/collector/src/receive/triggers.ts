// Triggers of flight recorders: posted by the process where something went
// wrong, handed to the session's other processes with their next clock probe.
//
//   POST /v1/triggers ─▶ board ─▶ GET /v1/clock?s=<16 hex digits a session>
//
// Kept in memory for as long as those who are to dump still remember the media:
// after a restart nobody would ask for them any more. What was dumped is stored
// as spans, like all telemetry.

import {
  decodeTrigger,
  sessionTraceId,
  TRIGGER_PREFIX_LENGTH,
  type Trigger,
} from '@framescope/protocol';
import type { Request, RequestHandler, Response } from 'express';
import { RPC, status } from './otlp-answer.ts';

/** A flight recorder remembers 60 s; a process asks for each of its sessions every few. */
const KEPT_MS = 45_000;
/** Of one session at a time; more say nothing new. */
const SESSION_MAX = 16;
const SESSIONS_MAX = 4_096;
const BODY_BYTES_MAX = 2_048;
/** Sessions in one probe. */
const ASKED_MAX = 32;
const ASKED = new RegExp(`^([0-9a-f]{${TRIGGER_PREFIX_LENGTH}}){1,${ASKED_MAX}}$`);

interface Kept {
  readonly trigger: Trigger;
  readonly untilMs: number;
}

export class TriggerBoard {
  readonly #nowMs: () => number;
  readonly #sessions = new Map<string, Kept[]>();

  /** @param nowMs A clock that does not go back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** False when there are too many: of this session, or of sessions with any. A known ID is taken again. */
  add(trigger: Trigger): boolean {
    const key = trigger.traceId.slice(0, TRIGGER_PREFIX_LENGTH);
    const kept = this.#current(key);
    if (kept.some(one => one.trigger.id === trigger.id)) return true;
    if (kept.length >= SESSION_MAX) return false;
    if (kept.length === 0 && !this.#hasRoom()) return false;
    this.#sessions.set(key, [...kept, { trigger, untilMs: this.#nowMs() + KEPT_MS }]);
    return true;
  }

  /** Triggers of the sessions whose prefixes stand one after the other in `asked`; none for what is no such text. */
  of(asked: unknown): readonly Trigger[] {
    if (typeof asked !== 'string' || !ASKED.test(asked)) return [];
    const found: Trigger[] = [];
    for (let at = 0; at < asked.length; at += TRIGGER_PREFIX_LENGTH)
      for (const { trigger } of this.#current(asked.slice(at, at + TRIGGER_PREFIX_LENGTH)))
        found.push(trigger);
    return found.slice(0, ASKED_MAX);
  }

  #current(key: string): readonly Kept[] {
    const kept = this.#sessions.get(key);
    if (kept === undefined) return [];
    const current = kept.filter(one => one.untilMs > this.#nowMs());
    if (current.length === 0) this.#sessions.delete(key);
    else if (current.length < kept.length) this.#sessions.set(key, current);
    return current;
  }

  #hasRoom(): boolean {
    if (this.#sessions.size < SESSIONS_MAX) return true;
    for (const key of this.#sessions.keys()) this.#current(key);
    return this.#sessions.size < SESSIONS_MAX;
  }
}

/** `POST /v1/triggers`: one trigger as JSON; 202, or why not. */
export const takeTrigger =
  (board: TriggerBoard): RequestHandler =>
  async (request: Request, response: Response): Promise<void> => {
    const refuse = (code: number, rpc: number, message: string): void => {
      if (!request.complete) response.setHeader('Connection', 'close');
      response
        .status(code)
        .type('json')
        .end(status('json', rpc, message));
    };
    const body = await readSmall(request);
    if (body === undefined)
      return refuse(413, RPC.invalidArgument, `a trigger has at most ${BODY_BYTES_MAX} bytes`);
    const trigger = decodeTrigger(parsed(body));
    if (!trigger.ok) return refuse(400, RPC.invalidArgument, `${trigger.path}: ${trigger.problem}`);
    const only: unknown = response.locals['onlySession'];
    if (typeof only === 'string' && sessionTraceId(only) !== trigger.value.traceId)
      return refuse(403, RPC.permissionDenied, 'the token is of another session');
    if (!board.add(trigger.value))
      return refuse(429, RPC.resourceExhausted, 'too many triggers of this session; wait a minute');
    response.status(202).type('json').end('{}');
  };

async function readSmall(request: Request): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
