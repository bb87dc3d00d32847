// Who may ask: the Host that was meant, pages of this machine, and what a page may load.

import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { RPC, status } from '../receive/otlp-answer.ts';
import { COOKIE_NAME, type Access } from './access.ts';
import { ApiError, sendProblem } from './problem.ts';

const LOCAL_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
const LOCAL_ORIGIN = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;
const IP_LITERAL = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/i;

/** Whether `host` (a Host header, or gRPC's authority) names this collector. */
export function hostCheck(allowedHosts: readonly string[]): (host: string) => string | undefined {
  const allowed = new Set(allowedHosts.map(name => name.toLowerCase()));
  return given => {
    const host = given.toLowerCase();
    const name = host.replace(/:\d+$/, '');
    if (LOCAL_NAMES.has(name) || IP_LITERAL.test(name) || allowed.has(name) || allowed.has(host))
      return undefined;
    return (
      `this collector does not answer to the name "${name.slice(0, 100)}". ` +
      `If it should, start it with --allowed-host ${name.slice(0, 100) || 'NAME'}`
    );
  };
}

/**
 * Refuses names that are not ours: a page that rebinds its own name to 127.0.0.1 would else read
 * everything. An IP address cannot be rebound.
 */
export function checkHost(allowedHosts: readonly string[]): RequestHandler {
  const problemOf = hostCheck(allowedHosts);
  return (request, response, next) => {
    const problem = problemOf(request.headers.host ?? '');
    if (problem === undefined) next();
    else sendProblem(response, new ApiError(421, 'wrong_host', problem));
  };
}

/** On /v1/* only: pages of this machine and of `corsOrigins` may post telemetry and read the clock. */
export function telemetryOrigins(corsOrigins: readonly string[]): RequestHandler {
  const allowed = new Set(corsOrigins);
  return (request, response, next) => {
    const { origin } = request.headers;
    response.setHeader('Vary', 'Origin');
    if (origin === undefined) next();
    else if (!LOCAL_ORIGIN.test(origin) && !allowed.has(origin)) refuseOrigin(origin, response);
    else {
      response.setHeader('Access-Control-Allow-Origin', origin);
      // The page of another origin may read the answer; `securityHeaders` says "same site" otherwise.
      response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
      if (request.method === 'OPTIONS') preflight(request, response);
      else next();
    }
  };
}

function refuseOrigin(origin: string, response: Response): void {
  const shown = origin.slice(0, 100);
  const message = `pages of ${shown} may not send telemetry here; --cors-origin ${shown} lets them`;
  response
    .status(403)
    .type('json')
    .end(status('json', RPC.permissionDenied, message));
}

function preflight(request: Request, response: Response): void {
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST');
  response.setHeader(
    'Access-Control-Allow-Headers',
    request.headers['access-control-request-headers'] ?? 'content-type, content-encoding',
  );
  // A page served from localhost may reach this port under Private Network Access.
  response.setHeader('Access-Control-Allow-Private-Network', 'true');
  response.setHeader('Access-Control-Max-Age', '7200');
  response.status(204).end();
}

/**
 * What changes something on the API comes from our own pages or from no page at all: browsers send
 * Origin with each such request, and a page elsewhere could else post a form to this machine.
 */
export function ownPagesOnly(request: Request, response: Response, next: NextFunction): void {
  const { origin, host } = request.headers;
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead || origin === undefined || hostOf(origin) === (host ?? '').toLowerCase()) next();
  else
    sendProblem(
      response,
      new ApiError(403, 'foreign_origin', `pages of ${origin.slice(0, 100)} may not change things`),
    );
}

const hostOf = (origin: string): string => origin.toLowerCase().replace(/^https?:\/\//, '');

/** Sending telemetry: a token, or a token of one session; the right is left in `response.locals`. */
export const mayWrite =
  (access: Access): RequestHandler =>
  (request, response, next) => {
    const right = access.mayWrite(request.headers.authorization);
    if (right.kind !== 'none') {
      if (right.kind === 'session') response.locals['onlySession'] = right.sessionId;
      next();
      return;
    }
    response.setHeader('WWW-Authenticate', 'Bearer');
    response.setHeader('Connection', 'close');
    response
      .status(401)
      .type('json')
      .end(status('json', RPC.unauthenticated, right.why));
  };

/** LiveKit's upload paths: a token of its key, or any where writing is open. */
export const mayUpload =
  (access: Access): RequestHandler =>
  (request, response, next) => {
    const right = access.mayUpload(request.headers.authorization);
    if (right.kind === 'all') {
      next();
      return;
    }
    const why = right.kind === 'none' ? right.why : 'a token of one session is not enough here';
    response.setHeader('WWW-Authenticate', 'Bearer');
    response.setHeader('Connection', 'close');
    response
      .status(401)
      .type('json')
      .end(status('json', RPC.unauthenticated, why));
  };

/** Pins, budgets, annotations: who makes tokens, and our own pages where all who read also write. */
export const mayChange = (access: Access): RequestHandler => {
  const otherwise = mayMakeTokens(access);
  return (request, response, next) => {
    // Its Origin is this collector's: `ownPagesOnly` came before.
    const isOwnPage = request.headers.origin !== undefined;
    if (isOwnPage && access.mayChange(request.headers.cookie)) next();
    else otherwise(request, response, next);
  };
};

/** The token of `--token`; one of a session is not enough. */
export const mayMakeTokens =
  (access: Access): RequestHandler =>
  (request, response, next) => {
    const right = access.mayWrite(request.headers.authorization);
    if (right.kind === 'all') {
      next();
      return;
    }
    response.setHeader('WWW-Authenticate', 'Bearer');
    const isKnown = right.kind === 'session';
    const detail = isKnown ? 'an ingest token sends telemetry of its session only' : right.why;
    sendProblem(
      response,
      new ApiError(isKnown ? 403 : 401, isKnown ? 'forbidden' : 'unauthorized', detail),
    );
  };

/** Reading: the token or the cookie. */
export const mayRead =
  (access: Access): RequestHandler =>
  (request, response, next) => {
    if (access.mayRead(request.headers.authorization, request.headers.cookie)) {
      next();
      return;
    }
    response.setHeader('WWW-Authenticate', 'Bearer');
    sendProblem(
      response,
      new ApiError(
        401,
        'unauthorized',
        'reading needs a token: send "Authorization: Bearer TOKEN", or open the link that the ' +
          'collector printed when it started (it works once; a restart prints another)',
      ),
    );
  };

/** `GET /login/{word}`: the link printed at start. */
export const login =
  (access: Access, isSecure: boolean): RequestHandler =>
  (request, response) => {
    const cookie = access.redeem(String(request.params['word'] ?? ''));
    if (cookie === undefined)
      throw new ApiError(403, 'link_used', 'this link was used, or is not of this start');
    const flags = `Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
    response.setHeader('Set-Cookie', `${COOKIE_NAME}=${cookie}; ${flags}`);
    response.setHeader('Cache-Control', 'no-store');
    // A redirect would come from another site (the terminal) and bring no Strict cookie along.
    response
      .type('html')
      .send(
        '<!doctype html><meta http-equiv="refresh" content="0;url=/"><p><a href="/">Framescope</a>',
      );
  };

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function securityHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-site');
  next();
}
