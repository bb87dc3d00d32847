// Marks in the browser's own timeline, for the bench and for whoever profiles the
// page: from here on a picture is whole, with all the data it asked for.

/** Marks once a page; the first picture is what people wait for. */
export function markWhole(page: 'session' | 'tail' | 'trace'): void {
  const name = `framescope ${page} whole`;
  if (performance.getEntriesByName(name).length === 0) performance.mark(name);
}
