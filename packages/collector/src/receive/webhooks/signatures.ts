// How each vendor signs the webhooks that it sends, as its SDK checks them:
//
//   Retell      x-retell-signature: v={Unix ms},d={hex HMAC-SHA256 of body + v}      API key
//   ElevenLabs  ElevenLabs-Signature: t={Unix s},v0={hex HMAC-SHA256 of t + "." + body}
//   Vapi        what its credential says: a secret (x-vapi-secret, or Authorization: Bearer), or a
//               signature (x-vapi-signature, x-signature: hex HMAC-SHA256 of the body, or of
//               x-timestamp + "." + body where that header is sent)

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { WebhookVendor } from '../../reports/reports.ts';

export type WebhookSecrets = Readonly<Partial<Record<WebhookVendor, string>>>;

export interface SignedRequest {
  readonly headers: IncomingHttpHeaders;
  /** As it came. */
  readonly body: Uint8Array;
  readonly nowUnixMs: number;
}

const RETELL_AGE_MS_MAX = 5 * 60_000;
const ELEVENLABS_AGE_MS_MAX = 30 * 60_000;
const VAPI_AGE_MS_MAX = 5 * 60_000;

/** Undefined: the vendor sent it. Else the reason why that is not known. */
export function signatureProblem(
  vendor: WebhookVendor,
  secret: string,
  request: SignedRequest,
): string | undefined {
  if (vendor === 'retell') return retellProblem(secret, request);
  return vendor === 'elevenlabs'
    ? elevenLabsProblem(secret, request)
    : vapiProblem(secret, request);
}

const header = ({ headers }: SignedRequest, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

const hmac = (secret: string, ...pieces: readonly (string | Uint8Array)[]): string => {
  const its = createHmac('sha256', secret);
  for (const piece of pieces) its.update(piece);
  return its.digest('hex');
};

/** Of equal length always the same time; a length is no secret. */
function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const WRONG = (flag: string): string =>
  `the signature is not of this body by the secret of ${flag}`;

function retellProblem(secret: string, request: SignedRequest): string | undefined {
  const given = header(request, 'x-retell-signature');
  const [, time, digest] = /^v=(\d{1,16}),d=([0-9a-f]{64})$/i.exec(given ?? '') ?? [];
  if (time === undefined || digest === undefined)
    return 'no header x-retell-signature of the form v=TIME,d=DIGEST';
  if (Math.abs(request.nowUnixMs - Number(time)) > RETELL_AGE_MS_MAX)
    return 'the signature is older than 5 minutes, or the clock of this machine is wrong';
  const wanted = hmac(secret, request.body, time);
  return isSame(digest.toLowerCase(), wanted) ? undefined : WRONG('--retell-key');
}

function elevenLabsProblem(secret: string, request: SignedRequest): string | undefined {
  const fields = (header(request, 'elevenlabs-signature') ?? '').split(',');
  const time = fields.find(field => field.startsWith('t='))?.slice(2);
  const digests = fields.filter(field => field.startsWith('v0=')).map(field => field.slice(3));
  if (time === undefined || !/^\d{1,13}$/.test(time) || digests.length === 0)
    return 'no header ElevenLabs-Signature of the form t=TIME,v0=DIGEST';
  if (Math.abs(request.nowUnixMs - Number(time) * 1e3) > ELEVENLABS_AGE_MS_MAX)
    return 'the signature is older than 30 minutes, or the clock of this machine is wrong';
  const wanted = hmac(secret, `${time}.`, request.body);
  const isIts = digests.some(digest => isSame(digest.toLowerCase(), wanted));
  return isIts ? undefined : WRONG('--elevenlabs-secret');
}

function vapiProblem(secret: string, request: SignedRequest): string | undefined {
  const bearer = /^bearer +(\S+) *$/i.exec(header(request, 'authorization') ?? '')?.[1];
  const shown = header(request, 'x-vapi-secret') ?? bearer;
  if (shown !== undefined)
    return isSame(hmac('', shown), hmac('', secret))
      ? undefined
      : 'the secret that was sent is not the one of --vapi-secret';
  const given = header(request, 'x-vapi-signature') ?? header(request, 'x-signature');
  if (given === undefined)
    return 'neither a secret (x-vapi-secret, Authorization: Bearer) nor a signature (x-vapi-signature, x-signature) was sent';
  const time = header(request, 'x-timestamp');
  if (time !== undefined && !isFresh(time, request.nowUnixMs))
    return 'x-timestamp is more than 5 minutes off, or the clock of this machine is wrong';
  const wanted =
    time === undefined ? hmac(secret, request.body) : hmac(secret, `${time}.`, request.body);
  const digest = given.toLowerCase().replace(/^sha256=/, '');
  return isSame(digest, wanted) ? undefined : WRONG('--vapi-secret');
}

/** Unix seconds or ms: which of them Vapi sends its types do not say. */
const isFresh = (time: string, nowUnixMs: number): boolean =>
  /^\d{1,16}$/.test(time) &&
  [1, 1e3].some(scale => Math.abs(nowUnixMs - Number(time) * scale) <= VAPI_AGE_MS_MAX);
