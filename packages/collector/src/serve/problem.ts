// Errors of the API: `application/problem+json` with a stable code, what was
// wrong, and what to do.

import type { Problem } from '@framescope/protocol';
import type { NextFunction, Request, Response } from 'express';
import { QueryProblem } from '../query/query-problem.ts';
import { CursorError } from '../store/cursor.ts';
import { StoreError } from '../store/errors.ts';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;

  /** More members of the answer. */
  readonly more: Readonly<Record<string, number | string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: Readonly<Record<string, number | string>> = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

/** Asked to keep something while the disk takes nothing. */
export const notStoring = (): ApiError =>
  new ApiError(503, 'not_storing', 'the collector cannot store now; its log says why');

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  409: 'Conflict',
  412: 'Precondition failed',
  421: 'Misdirected request',
  500: 'Internal error',
  501: 'Not implemented',
  503: 'Not available now',
};

export function sendProblem(response: Response, error: ApiError): void {
  const problem: Problem = {
    type: 'about:blank',
    title: TITLES[error.status] ?? 'Error',
    status: error.status,
    code: error.code,
    detail: error.message,
    ...error.more,
  };
  response.status(error.status).type('application/problem+json').send(JSON.stringify(problem));
}

/** Express's last handler: everything thrown by a route ends here. */
export const problemHandler =
  (log: (message: string, error: unknown) => void) =>
  (error: unknown, request: Request, response: Response, next: NextFunction): void => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const known = asApiError(error);
    if (known.status === 500) log(`${request.method} ${request.path} failed`, error);
    sendProblem(response, known);
  };

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof CursorError)
    return new ApiError(400, 'bad_cursor', `${error.message}; leave it out to begin at the start`);
  if (error instanceof QueryProblem) return new ApiError(400, error.code, error.message);
  if (error instanceof URIError || statusOf(error) === 400)
    return new ApiError(400, 'bad_request', 'the URL cannot be decoded: check its % escapes');
  if (error instanceof StoreError) return new ApiError(503, error.code, error.message);
  return new ApiError(
    500,
    'internal',
    'the collector failed to answer; its log says why. Other requests are not affected',
  );
}

const statusOf = (error: unknown): unknown =>
  error instanceof Error && 'status' in error ? error.status : undefined;
