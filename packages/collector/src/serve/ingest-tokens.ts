// `POST /api/v1/ingest-tokens`: a token that writes the telemetry of one
// session, for a page whose reader nobody knows. Asked for by the user's own
// server, which shows the token of `--token`.

import express, { type Request, type RequestHandler, type Response } from 'express';
import { SESSION_ID_LENGTH_MAX } from '../decode/limits.ts';
import { INGEST_TOKEN_SECONDS_MAX, type Access } from './access.ts';
import { ApiError } from './problem.ts';

/** A call that is longer asks again. */
const SECONDS_DEFAULT = 3_600;

const BODY_BYTES_MAX = 65_536;

export function ingestTokens(access: Access): readonly RequestHandler[] {
  return [
    express.json({ limit: BODY_BYTES_MAX }),
    (request: Request, response: Response): void => {
      const { sessionId, seconds } = readBody(request.body);
      const { token, expiresUnixS } = access.ingestToken(sessionId, seconds);
      const answer = { token, expiresUnixNs: `${expiresUnixS}000000000` };
      response.setHeader('Cache-Control', 'no-store');
      response.status(201).type('json').send(JSON.stringify(answer));
    },
  ];
}

function readBody(body: unknown): { sessionId: string; seconds: number } {
  const { sessionId, seconds = SECONDS_DEFAULT } = (body ?? {}) as Record<string, unknown>;
  const isSessionId =
    typeof sessionId === 'string' && sessionId !== '' && sessionId.length <= SESSION_ID_LENGTH_MAX;
  if (!isSessionId)
    throw new ApiError(
      400,
      'bad_body',
      'expected JSON such as {"sessionId": "CA123", "seconds": 3600}, with Content-Type application/json',
    );
  if (typeof seconds !== 'number' || !(seconds >= 1 && seconds <= INGEST_TOKEN_SECONDS_MAX))
    throw new ApiError(400, 'bad_body', `"seconds" must be from 1 to ${INGEST_TOKEN_SECONDS_MAX}`);
  return { sessionId, seconds };
}
