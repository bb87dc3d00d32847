// The token that LiveKit Agents sends with its telemetry: a JWT of the project's API key (HS256),
// with the grant to write observability.
//
//   {"alg":"HS256"} . {"iss": KEY, "exp": …, "nbf": …, "observability": {"write": true}} . HMAC(SECRET)
//
// Where writing is open (this machine, no --token) any token is taken, since none is needed. Where
// it is not, the token has to be of the key that --livekit-key and --livekit-secret name.

import { createHmac, timingSafeEqual } from 'node:crypto';

export interface LiveKitKey {
  readonly key: string;
  readonly secret: string;
}

/** Clocks of two machines differ. */
const LEEWAY_S = 60;

interface Claims {
  readonly iss?: unknown;
  readonly exp?: unknown;
  readonly nbf?: unknown;
  readonly observability?: unknown;
}

/** Undefined: it may write. Else the reason why not. */
export function tokenProblem(
  token: string,
  { key, secret }: LiveKitKey,
  nowUnixS: number,
): string | undefined {
  const [head, body, signature, ...more] = token.split('.');
  if (head === undefined || body === undefined || signature === undefined || more.length > 0)
    return 'the token is not a LiveKit token (a JWT with three parts)';
  if (jsonOf<{ alg?: unknown }>(head)?.alg !== 'HS256')
    return 'the token is not signed with HS256, as LiveKit tokens are';
  const wanted = createHmac('sha256', secret).update(`${head}.${body}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    return 'the token is not signed with the secret of --livekit-secret (LIVEKIT_API_SECRET of the agent)';
  const claims = jsonOf<Claims>(body);
  if (claims?.iss !== key)
    return 'the token is not of the key of --livekit-key (LIVEKIT_API_KEY of the agent)';
  if (typeof claims.exp !== 'number' || claims.exp + LEEWAY_S < nowUnixS)
    return 'the token has expired';
  if (typeof claims.nbf === 'number' && claims.nbf - LEEWAY_S > nowUnixS)
    return 'the token is not valid yet: the clocks of the two machines differ by more than a minute';
  const grant = claims.observability as { write?: unknown } | undefined;
  if (grant?.write !== true) return 'the token has no grant to write observability';
  return undefined;
}

function jsonOf<T>(part: string): T | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
