// What is picked on the heatmap: a box of time and latency, or the slowest
// twentieth. As text in the address: `from~to~min~max`, times in Unix ms,
// latencies in ns, `~never` behind it for those without an answer.

export interface Picked {
  readonly fromMs: number;
  readonly toMs: number;
  readonly minNs: number;
  readonly maxNs: number;
  readonly isNever: boolean;
}

/** The slowest twentieth of what is shown. */
export const SLOW = 'slow';

export function formatPicked({ fromMs, toMs, minNs, maxNs, isNever }: Picked): string {
  const numbers = [fromMs, toMs, minNs, maxNs].map(value => String(Math.round(value)));
  return `${numbers.join('~')}${isNever ? '~1' : ''}`;
}

/** Nothing when the text is no box. */
export function parsePicked(text: string | undefined): Picked | undefined {
  const numbers = (text ?? '').split('~').map(Number);
  const [fromMs = Number.NaN, toMs = Number.NaN, minNs = Number.NaN, maxNs = Number.NaN] = numbers;
  if (![fromMs, toMs, minNs, maxNs].every(Number.isFinite) || toMs <= fromMs || maxNs < minNs)
    return undefined;
  return { fromMs, toMs, minNs, maxNs, isNever: numbers[4] === 1 };
}
