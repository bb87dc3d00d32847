// The collector's own counts out of its Prometheus text: what it took, and what it did not.
// Pure.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)(?: .*)?$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Samples of families whose name begins with `prefix`. */
export function readSamples(text: string, prefix: string): Sample[] {
  return text.split('\n').flatMap(line => {
    if (!line.startsWith(prefix)) return [];
    const match = LINE.exec(line);
    const value = Number(match?.[3]);
    if (!match || !Number.isFinite(value)) return [];
    const labels = Object.fromEntries(
      [...(match[2] ?? '').matchAll(LABEL)].map(([, name, one]) => [
        name!,
        one!.replaceAll(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c)),
      ]),
    );
    return [{ name: match[1]!, labels, value }];
  });
}

export interface Loss {
  /** In words, with what to do about it where there is something. */
  readonly what: string;
  readonly count: number;
}

export interface Health {
  readonly isStoring: boolean;
  readonly spans: number;
  readonly records: number;
  readonly dataBytes: number;
  readonly queueBytes: number;
  readonly listeners: number;
  /** Requests that were told to come again: nothing is lost if their senders do. */
  readonly toldToWait: number;
  /** What was refused or not kept, largest first. */
  readonly losses: readonly Loss[];
}

const PREFIX = 'framescope_collector_';
const AGAIN: ReadonlySet<string> = new Set(['429', '503', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE']);
const WORDS: Readonly<Record<string, (label: string) => string>> = {
  refused_bodies_total: label => `requests refused: ${label.replaceAll('_', ' ')}`,
  refused_spans_total: label => `spans and records refused: ${label.replaceAll('_', ' ')}`,
  not_kept_total: label => `taken and not kept: ${label.replaceAll('_', ' ')}`,
};

export function healthOf(text: string): Health {
  const samples = readSamples(text, PREFIX);
  const of = (name: string): number => samples.find(one => one.name === PREFIX + name)?.value ?? 0;
  const losses = samples.flatMap(({ name, labels, value }): Loss[] => {
    const words = WORDS[name.slice(PREFIX.length)];
    return words && value > 0
      ? [{ what: words(Object.values(labels)[0] ?? 'unknown'), count: value }]
      : [];
  });
  const toldToWait = samples
    .filter(one => one.name === `${PREFIX}requests_total` && AGAIN.has(one.labels['status'] ?? ''))
    .reduce((sum, one) => sum + one.value, 0);
  return {
    isStoring: samples.every(one => one.name !== `${PREFIX}storing` || one.value === 1),
    spans: of('spans_total'),
    records: of('flushes_total'),
    dataBytes: of('data_bytes'),
    queueBytes: of('queue_bytes'),
    listeners: of('live_listeners'),
    toldToWait,
    losses: losses.toSorted((a, b) => b.count - a.count),
  };
}
