// What a token of one session may write: everything else in its body is
// refused, span by span, with the reason.

import type { DecodedRequest, Refusal } from './types.ts';

const PROBLEM = 'belongs to another session than the one that the ingest token is for';

export function restrict(request: DecodedRequest, sessionId: string): DecodedRequest {
  const refused: Refusal[] = [...request.refused];
  const keep = <T extends { readonly sessionId?: string }>(
    items: readonly T[],
    name: string,
  ): T[] =>
    items.filter((item, index) => {
      const isIn = item.sessionId === sessionId;
      if (!isIn)
        refused.push({ path: `${name}[${index}]`, problem: PROBLEM, reason: 'other_session' });
      return isIn;
    });
  const spans = keep(request.spans, 'spans');
  const flushes = keep(request.flushes, 'flushes');
  // Histograms and load name no session: a page in the wild has none to send.
  const { points = [], loads = [], ...rest } = request;
  for (const [index] of points.entries())
    refused.push({ path: `points[${index}]`, problem: PROBLEM, reason: 'other_session' });
  for (const [index] of loads.entries())
    refused.push({ path: `loads[${index}]`, problem: PROBLEM, reason: 'other_session' });
  return { ...rest, spans, flushes, refused };
}
