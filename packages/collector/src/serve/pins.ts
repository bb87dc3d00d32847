// POST and DELETE /api/v1/sessions/{key}/pin: a call is kept, or let go.

import express, { type Request, type RequestHandler, type Response } from 'express';
import { PINS_MAX } from '../store/pins-max.ts';
import type { Writer } from '../writer/writer.ts';
import type { LiveHub } from './live.ts';
import { ApiError, notStoring } from './problem.ts';

const BODY_BYTES_MAX = 4 * 1024;
const NOTE_MAX = 500;

export interface PinPorts {
  readonly writer: Writer;
  readonly live: LiveHub;
  readonly nowUnixNs: () => bigint;
}

export const pinHandlers = ({ writer, live, nowUnixNs }: PinPorts): readonly RequestHandler[] => [
  express.json({ limit: BODY_BYTES_MAX }),
  async (request: Request, response: Response) => {
    const key = String(request.params['id']);
    const done = await writer.change('pin', key, noteOf(request.body), nowUnixNs());
    if (done === undefined) throw notStoring();
    if (done.answer === 'unknown') throw noSession(key);
    if (done.answer === 'full')
      throw new ApiError(
        409,
        'too_many_pins',
        `${PINS_MAX} calls are kept already, as many as may be: let go of some (GET /api/v1/pins lists them)`,
      );
    live.publish([{ type: 'session', sessionKey: key }]);
    response.status(201).type('json').send(JSON.stringify(done.answer));
  },
];

export const unpinHandler =
  ({ writer, live }: PinPorts): RequestHandler =>
  async (request: Request, response: Response) => {
    const key = String(request.params['id']);
    const done = await writer.change('unpin', key);
    if (done === undefined) throw notStoring();
    if (!done.answer) throw new ApiError(404, 'not_found', 'this call is not pinned');
    live.publish([{ type: 'session', sessionKey: key }]);
    response.status(204).end();
  };

const noSession = (key: string): ApiError =>
  new ApiError(404, 'not_found', `there is no session "${key.slice(0, 100)}"`);

function noteOf(body: unknown): string {
  // No body at all is an empty note.
  if (body === undefined || body === null) return '';
  const { note = '', ...others } = Object(body) as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (typeof body !== 'object' || Array.isArray(body) || other !== undefined)
    throw new ApiError(400, 'bad_pin', 'the body may be {"note": "why"}, sent as application/json');
  if (typeof note !== 'string' || note.length > NOTE_MAX)
    throw new ApiError(400, 'bad_pin', `note must be a text of at most ${NOTE_MAX} characters`);
  return note;
}
