// Which columns of waits a chart asked for: by name, or by how names begin (`part.*`).

/** True for a measure that is wanted. */
export function wantsOf(wanted: readonly string[]): (measure: string) => boolean {
  const names = new Set(wanted);
  const starts = wanted.filter(name => name.endsWith('*')).map(name => name.slice(0, -1));
  return measure => names.has(measure) || starts.some(start => measure.startsWith(start));
}
