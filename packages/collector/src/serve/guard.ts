// Who may ask: the Host that was meant, pages of this machine, and what a page may load.

import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { RPC, status } from '../receive/otlp-answer.ts';
import { ApiError, sendProblem } from './problem.ts';

const LOCAL_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
const LOCAL_ORIGIN = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;
const IP_LITERAL = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/i;

/**
 * Refuses names that are not ours: a page that rebinds its own name to 127.0.0.1 would else read
 * everything. An IP address cannot be rebound.
 */
export function checkHost(allowedHosts: readonly string[]): RequestHandler {
  const allowed = new Set(allowedHosts.map(name => name.toLowerCase()));
  return (request, response, next) => {
    const host = (request.headers.host ?? '').toLowerCase();
    const name = host.replace(/:\d+$/, '');
    if (LOCAL_NAMES.has(name) || IP_LITERAL.test(name) || allowed.has(name) || allowed.has(host)) {
      next();
      return;
    }
    sendProblem(
      response,
      new ApiError(
        421,
        'wrong_host',
        `this collector does not answer to the name "${name.slice(0, 100)}". ` +
          `If it should, start it with --allowed-host ${name.slice(0, 100) || 'NAME'}`,
      ),
    );
  };
}

/** On /v1/* only: pages of this machine may post telemetry and read the clock. */
export function localOrigins(request: Request, response: Response, next: NextFunction): void {
  const { origin } = request.headers;
  response.setHeader('Vary', 'Origin');
  if (origin === undefined) {
    next();
    return;
  }
  if (!LOCAL_ORIGIN.test(origin)) {
    const message = `pages of ${origin.slice(0, 100)} may not send telemetry here`;
    response
      .status(403)
      .type('json')
      .end(status('json', RPC.permissionDenied, message));
    return;
  }
  response.setHeader('Access-Control-Allow-Origin', origin);
  if (request.method !== 'OPTIONS') {
    next();
    return;
  }
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

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
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
