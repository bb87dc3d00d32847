// Who may write and who may read: tokens, and what a browser has instead.
//
//   --token       sends telemetry; also reads, unless there is a read token
//   --read-token  reads the API, the pages and /metrics
//   ingest token  sends the telemetry of one session until it expires: for pages in the wild.
//                 Signed, not stored:  base64url({"s": session, "e": Unix s}) . base64url(HMAC-SHA256)
//   LiveKit       a token of the key of --livekit-key, on LiveKit's upload paths only
//   webhooks      what a vendor signed with the secret of --vapi-secret, …, on its path only
//   link          printed at start, works once: gives a browser the cookie that reads
//
// Without any token everything is open, which is why the collector then listens
// on this machine only.

import { tokenProblem, type LiveKitKey } from '../receive/livekit/token.ts';
import type { IncomingHttpHeaders } from 'node:http';
import { signatureProblem, type WebhookSecrets } from '../receive/webhooks/signatures.ts';
import type { WebhookVendor } from '../reports/reports.ts';
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface AccessOptions {
  /** At least 16 characters. */
  readonly token?: string;
  readonly readToken?: string;
  readonly liveKit?: LiveKitKey;
  readonly webhookSecrets?: WebhookSecrets;
  /** Signs ingest tokens: 32 bytes that outlive a restart. */
  readonly secret: Uint8Array;
  readonly nowUnixMs: () => number;
}

/** What a request may write: everything, one session, or nothing (and why). */
export type WriteRight =
  | { readonly kind: 'all' }
  | { readonly kind: 'session'; readonly sessionId: string }
  | { readonly kind: 'none'; readonly why: string };

export const COOKIE_NAME = 'framescope_read';

/** A page in the wild keeps its token for the length of a call. */
export const INGEST_TOKEN_SECONDS_MAX: number = 24 * 3600;

export class Access {
  readonly #options: AccessOptions;
  readonly #cookies = new Set<string>();
  #link: string | undefined;

  constructor(options: AccessOptions) {
    this.#options = options;
    if (this.isReadGuarded()) this.#link = randomBytes(24).toString('base64url');
  }

  isWriteGuarded(): boolean {
    return this.#options.token !== undefined;
  }

  isReadGuarded(): boolean {
    return this.#readToken() !== undefined;
  }

  #readToken(): string | undefined {
    return this.#options.readToken ?? this.#options.token;
  }

  /** `authorization`: the header, or gRPC's metadata of that name. */
  mayWrite(authorization: string | undefined): WriteRight {
    const { token } = this.#options;
    const given = bearer(authorization);
    if (given?.includes('.') === true) {
      const sessionId = this.#sessionOf(given);
      if (sessionId !== undefined) return { kind: 'session', sessionId };
      if (token !== undefined && !isSame(given, token))
        return { kind: 'none', why: 'the ingest token is not of this collector, or has expired' };
    }
    if (token === undefined || (given !== undefined && isSame(given, token)))
      return { kind: 'all' };
    return {
      kind: 'none',
      why: `${given === undefined ? 'no token was sent' : 'the token is not the one of --token'}; send "Authorization: Bearer TOKEN" (OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN)`,
    };
  }

  /**
   * On LiveKit's upload paths. Its agents can show nothing but a token of their own key, so that is
   * what is checked where a key is known; where writing is open, any will do.
   */
  mayUpload(authorization: string | undefined): WriteRight {
    const { liveKit, token, nowUnixMs } = this.#options;
    const given = bearer(authorization);
    if (token !== undefined && given !== undefined && isSame(given, token)) return { kind: 'all' };
    if (liveKit === undefined && token === undefined) return { kind: 'all' };
    if (liveKit === undefined)
      return {
        kind: 'none',
        why: 'this collector has a --token, which LiveKit Agents cannot send; start it with --livekit-key and --livekit-secret too, the LIVEKIT_API_KEY and LIVEKIT_API_SECRET of the agents',
      };
    if (given === undefined) return { kind: 'none', why: 'no LiveKit token was sent' };
    const why = tokenProblem(given, liveKit, Math.floor(nowUnixMs() / 1_000));
    return why === undefined ? { kind: 'all' } : { kind: 'none', why };
  }

  /** Whether a vendor's report may be taken: undefined, or the reason why not. */
  mayReport(
    vendor: WebhookVendor,
    headers: IncomingHttpHeaders,
    body: Uint8Array,
  ): string | undefined {
    const { webhookSecrets = {}, nowUnixMs } = this.#options;
    const secret = webhookSecrets[vendor];
    if (secret !== undefined)
      return signatureProblem(vendor, secret, { headers, body, nowUnixMs: nowUnixMs() });
    const right = this.mayWrite(headers.authorization);
    if (right.kind === 'all') return undefined;
    const flag = vendor === 'retell' ? '--retell-key' : `--${vendor}-secret`;
    return `this collector has a --token, which a webhook cannot send; start it with ${flag} too`;
  }

  mayRead(authorization: string | undefined, cookies: string | undefined): boolean {
    const token = this.#readToken();
    if (token === undefined) return true;
    const given = bearer(authorization);
    if (given !== undefined && isSame(given, token)) return true;
    const cookie = cookieOf(cookies);
    return cookie !== undefined && this.#cookies.has(digest(cookie));
  }

  /** What a browser with the cookie may change: nothing where reading has a token of its own. */
  mayChange(cookies: string | undefined): boolean {
    return this.#options.readToken === undefined && this.mayRead(undefined, cookies);
  }

  /** A token that writes one session. `seconds` is cut to a day. */
  ingestToken(sessionId: string, seconds: number): { token: string; expiresUnixS: number } {
    const lifetime = Math.min(Math.max(1, Math.floor(seconds)), INGEST_TOKEN_SECONDS_MAX);
    const expiresUnixS = Math.floor(this.#options.nowUnixMs() / 1_000) + lifetime;
    const claim = Buffer.from(JSON.stringify({ s: sessionId, e: expiresUnixS }));
    const body = claim.toString('base64url');
    return { token: `${body}.${this.#sign(body)}`, expiresUnixS };
  }

  #sessionOf(token: string): string | undefined {
    const [body = '', signature = '', ...more] = token.split('.');
    if (more.length > 0 || !isSame(signature, this.#sign(body))) return undefined;
    // Ours, since we signed it.
    const claim = JSON.parse(Buffer.from(body, 'base64url').toString()) as { s: string; e: number };
    return claim.e * 1_000 > this.#options.nowUnixMs() ? claim.s : undefined;
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#options.secret).update(body).digest('base64url');
  }

  /** The word of the one-time link; undefined when reading is open, or once it was used. */
  link(): string | undefined {
    return this.#link;
  }

  /** Uses the link up, and answers the cookie it is worth; undefined: not, or no more, the link. */
  redeem(word: string): string | undefined {
    if (this.#link === undefined || !isSame(word, this.#link)) return undefined;
    this.#link = undefined;
    const cookie = randomBytes(32).toString('base64url');
    this.#cookies.add(digest(cookie));
    return cookie;
  }
}

function bearer(authorization: string | undefined): string | undefined {
  const match = /^bearer +(\S+) *$/i.exec(authorization ?? '');
  return match?.[1];
}

function cookieOf(cookies: string | undefined): string | undefined {
  for (const pair of (cookies ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === COOKIE_NAME && value !== undefined) return value;
  }
  return undefined;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64');

/** Takes the same time wherever the two differ, and whatever their lengths. */
const isSame = (given: string, wanted: string): boolean =>
  timingSafeEqual(Buffer.from(digest(given)), Buffer.from(digest(wanted)));
