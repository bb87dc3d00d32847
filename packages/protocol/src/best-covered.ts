// Which definition of voice-to-voice is shown when none was asked for.

const FAMILY = 'voice_to_voice.';

/** Widest first: at like coverage the wider one tells more. */
const DEFINITIONS: readonly string[] = ['client', 'carrier', 'server', 'framework', 'recording'];

/** Of a live call the client's word comes last: so much of the best coverage is as good. */
const LIKE_COVERAGE = 0.9;

/**
 * The widest of the definitions that nearly as many turns have as have the best covered one;
 * undefined when no turn has any. Definitions are never mixed in one chart.
 */
export function bestCovered<T>(
  measures: readonly T[],
  { name, count }: { readonly name: (one: T) => string; readonly count: (one: T) => number },
): T | undefined {
  const rank = (one: T): number => {
    const at = DEFINITIONS.indexOf(name(one).slice(FAMILY.length));
    return at < 0 ? DEFINITIONS.length : at;
  };
  const known = measures.filter(one => name(one).startsWith(FAMILY) && count(one) > 0);
  const most = Math.max(0, ...known.map(count));
  return known
    .filter(one => count(one) >= LIKE_COVERAGE * most)
    .toSorted((a, b) => rank(a) - rank(b) || count(b) - count(a))[0];
}
