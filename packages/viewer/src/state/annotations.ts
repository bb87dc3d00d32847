// Deploys, incidents and notes on the time axis: which are in a range, and the two
// sides that one of them parts for a comparison. Pure.

import type { Annotation } from '@framescope/protocol';
import type { CompareView } from './route.ts';

export const KINDS = ['deploy', 'incident', 'note'] as const;

const DAY_NS = 86_400_000_000_000n;

/** Those that touch [from, to), earliest first. */
export function inRange(
  all: readonly Annotation[],
  fromUnixNs: string,
  toUnixNs: string,
): Annotation[] {
  const [from, to] = [BigInt(fromUnixNs), BigInt(toUnixNs)];
  return all
    .filter(one => BigInt(one.atUnixNs) < to && BigInt(one.endUnixNs ?? one.atUnixNs) >= from)
    .toSorted((a, b) => (BigInt(a.atUnixNs) < BigInt(b.atUnixNs) ? -1 : 1));
}

/**
 * The time before a mark against the time behind it, as long as each other: a day, or
 * as long as there is behind it. An incident is left out itself: behind it means behind its end.
 */
export function beforeAndAfter(
  mark: Pick<Annotation, 'atUnixNs' | 'endUnixNs'>,
  nowUnixNs: bigint,
  rest: { readonly measure: string | undefined; readonly filter: string | undefined },
): CompareView {
  const at = BigInt(mark.atUnixNs);
  const end = BigInt(mark.endUnixNs ?? mark.atUnixNs);
  const behind = nowUnixNs - end;
  const length = behind <= 0n || behind > DAY_NS ? DAY_NS : behind;
  const { measure, filter } = rest;
  return {
    measure,
    a: { fromUnixNs: String(at - length), toUnixNs: String(at), filter },
    b: { fromUnixNs: String(end), toUnixNs: String(end + length), filter },
  };
}
