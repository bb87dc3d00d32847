// `POST /webhooks/{vapi|retell|elevenlabs}`: the report of a call, as its vendor sends it when
// the call is over. It becomes spans (reports/) and is stored as if they had been sent.
//
// Vendors cannot show our token, they sign: where a secret is known the signature is what
// lets in; where none is, whoever may send telemetry may send reports too.

import type { Request, RequestHandler, Response } from 'express';
import { otlpRequest } from '../../files/otlp.ts';
import { spansOfReport } from '../../reports/report-spans.ts';
import { webhookReport, type WebhookVendor } from '../../reports/reports.ts';
import type { Access } from '../../serve/access.ts';
import type { Admission, ReceiveCounts, Verdict } from '../admission.ts';
import { BodyError, readBody } from '../body.ts';
import { RPC, status } from '../otlp-answer.ts';

export interface WebhookPorts {
  readonly access: Pick<Access, 'mayReport'>;
  readonly admission: Admission;
  readonly counts: ReceiveCounts;
}

export const WEBHOOK_VENDORS: readonly WebhookVendor[] = ['vapi', 'retell', 'elevenlabs'];

interface Reply {
  readonly status: number;
  readonly body: string | Buffer;
  readonly retryAfterSeconds?: number;
}

export const takeReport =
  (vendor: WebhookVendor, ports: WebhookPorts): RequestHandler =>
  async (request: Request, response: Response): Promise<void> => {
    const reply = await replyTo(vendor, request, ports);
    ports.counts.requests(reply.status, 'traces');
    if (reply.retryAfterSeconds !== undefined)
      response.setHeader('Retry-After', String(reply.retryAfterSeconds));
    if (!request.complete) response.setHeader('Connection', 'close');
    response.status(reply.status).type('json').end(reply.body);
  };

const said = (code: number, rpc: number, message: string): Reply => ({
  status: code,
  body: status('json', rpc, message),
});

async function replyTo(
  vendor: WebhookVendor,
  request: Request,
  { access, admission, counts }: WebhookPorts,
): Promise<Reply> {
  try {
    const body = await readBody(request, admission);
    if (body === 'full') return verdictReply(admission.full());
    const why = access.mayReport(vendor, request.headers, body);
    if (why !== undefined) return said(401, RPC.unauthenticated, why);
    const report = webhookReport(vendor, jsonOf(body));
    // Vendors send other events to the same address: all is well.
    if (report === undefined) return { status: 200, body: '{"stored":0}' };
    if (!report.ok)
      return said(
        400,
        RPC.invalidArgument,
        `no report of a call: ${report.path}: ${report.problem}`,
      );
    const spans = spansOfReport(report.value);
    const bytes = new Uint8Array(Buffer.from(JSON.stringify(otlpRequest(spans))));
    const verdict = await admission.store({ bytes, encoding: 'json', signal: 'traces' });
    return verdictReply(verdict, report.value.id);
  } catch (problem) {
    if (!(problem instanceof BodyError)) throw problem;
    counts.refusedBody(problem.reason);
    return said(problem.status, RPC.invalidArgument, problem.message);
  }
}

function verdictReply(verdict: Verdict, session = ''): Reply {
  if (verdict.kind === 'taken')
    return { status: 200, body: JSON.stringify({ stored: 1, session }) };
  if (verdict.kind === 'malformed') return said(400, RPC.invalidArgument, verdict.message);
  const isFull = verdict.kind === 'full';
  return {
    ...said(isFull ? 429 : 503, isFull ? RPC.resourceExhausted : RPC.unavailable, verdict.message),
    retryAfterSeconds: verdict.retryAfterSeconds,
  };
}

/** @throws {BodyError} */
function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString()) as unknown;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    throw new BodyError(400, 'report', `the body is no JSON: ${why}`);
  }
}
