// The calls' measures on /metrics: summed over reports, written as OpenMetrics or Prometheus text
// with classic buckets, or as Prometheus' protobuf with native histograms.

import {
  cumulated,
  FRAME_BOUNDS,
  WAIT_BOUNDS,
  type ExemplarValue,
  type MeasureReport,
  type SeriesDelta,
} from './buckets.ts';

export interface Histogram {
  readonly labels: Readonly<Record<string, string>>;
  count: number;
  sumNs: number;
  zeroCount: number;
  readonly buckets: Map<number, number>;
  readonly classic: number[] | undefined;
  exemplar: ExemplarValue | undefined;
}

export interface Family {
  readonly help: string;
  readonly histograms: Map<string, Histogram>;
}

const HELP: Readonly<Record<string, string>> = {
  framescope_wait_seconds:
    'Waits of callers for the agent, by definition; those never answered are apart.',
  framescope_part_seconds: 'Parts of waits, as far as they show in them.',
  framescope_frame_age_seconds: 'Age of frames at each hop.',
  framescope_frame_oldest_seconds:
    'Age of the oldest sample of frames, where frames were put together.',
  framescope_frame_slack_seconds:
    'How long before its turn to sound a frame came; the lowest bucket holds underruns.',
  framescope_frame_underrun_seconds:
    'How long after its turn to sound a frame came, of those that came too late.',
  framescope_frame_lead_seconds:
    'How far ahead of a listener who began with the first frame a frame left.',
  framescope_chunk_gap_seconds: 'Time from one chunk of synthesised audio to the next.',
  framescope_chunk_pace_seconds:
    'Time since the chunk before, for each second of audio (real-time factor): below 1 it keeps up.',
};

const COUNTER_HELP: Readonly<Record<string, string>> = {
  framescope_waits_unanswered: 'Waits that never came to an answer, by outcome.',
  framescope_waits_over_budget: 'Waits longer than their budget.',
  framescope_frames_lost: 'Frames lost before each hop.',
  framescope_frames_late: 'Frames that passed a hop after their playout deadline.',
};

/** Series of one collector; more than this would be labels gone wrong. */
const SERIES_MAX = 5_000;

export class CallMetrics {
  readonly #families = new Map<string, Family>();
  readonly #counters = new Map<
    string,
    Map<string, { labels: Readonly<Record<string, string>>; value: number }>
  >();
  #seriesCount = 0;

  add({ series, counters }: MeasureReport): void {
    for (const delta of series) this.#addSeries(delta);
    for (const { name, labels, by } of counters) {
      let all = this.#counters.get(name);
      if (all === undefined) this.#counters.set(name, (all = new Map()));
      const id = labelText(labels);
      const counter = all.get(id);
      if (counter !== undefined) counter.value += by;
      else if (this.#seriesCount++ < SERIES_MAX) all.set(id, { labels, value: by });
    }
  }

  #addSeries(delta: SeriesDelta): void {
    let family = this.#families.get(delta.name);
    if (family === undefined)
      this.#families.set(
        delta.name,
        (family = { help: HELP[delta.name] ?? delta.name, histograms: new Map() }),
      );
    const id = labelText(delta.labels);
    let histogram = family.histograms.get(id);
    if (histogram === undefined) {
      if (this.#seriesCount++ >= SERIES_MAX) return;
      histogram = {
        labels: delta.labels,
        count: 0,
        sumNs: 0,
        zeroCount: 0,
        buckets: new Map(),
        classic: delta.classic && WAIT_BOUNDS.map(() => 0),
        exemplar: undefined,
      };
      family.histograms.set(id, histogram);
    }
    addInto(histogram, delta);
  }

  /** Counters alone, as Prometheus text. */
  counterText(): string {
    return this.#counterLines(false).join('');
  }

  #counterLines(isOpenMetrics: boolean): string[] {
    const lines: string[] = [];
    for (const [name, counters] of this.#counters) {
      const shown = isOpenMetrics ? name : `${name}_total`;
      lines.push(`# HELP ${shown} ${COUNTER_HELP[name] ?? name}\n`, `# TYPE ${shown} counter\n`);
      for (const { labels, value } of counters.values())
        lines.push(`${name}_total${braced(labelText(labels))} ${value}\n`);
    }
    return lines;
  }

  families(): ReadonlyMap<string, Family> {
    return this.#families;
  }

  /** Prometheus text; exemplars and the names of counters differ in OpenMetrics. */
  text(isOpenMetrics: boolean): string {
    const lines: string[] = [];
    for (const [name, { help, histograms }] of this.#families) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} histogram`);
      if (isOpenMetrics) lines.push(`# UNIT ${name} seconds`);
      for (const histogram of histograms.values())
        lines.push(...histogramLines(name, histogram, isOpenMetrics));
    }
    const histograms = lines.map(line => `${line}\n`).join('');
    return histograms + this.#counterLines(isOpenMetrics).join('');
  }
}

function addInto(histogram: Histogram, delta: SeriesDelta): void {
  histogram.count += delta.count;
  histogram.sumNs += delta.sumNs;
  histogram.zeroCount += delta.zeroCount;
  for (const [index, count] of delta.buckets)
    histogram.buckets.set(index, (histogram.buckets.get(index) ?? 0) + count);
  delta.classic?.forEach((count, i) => {
    histogram.classic![i]! += count;
  });
  // The slowest of the last report: old ones would point at calls that retention took.
  if (delta.exemplar !== undefined) histogram.exemplar = delta.exemplar;
}

export function classicBuckets(histogram: Histogram): {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
} {
  if (histogram.classic === undefined)
    return {
      bounds: FRAME_BOUNDS,
      counts: cumulated(FRAME_BOUNDS, histogram.zeroCount, histogram.buckets),
    };
  let sum = 0;
  return { bounds: WAIT_BOUNDS, counts: histogram.classic.map(count => (sum += count)) };
}

function histogramLines(name: string, histogram: Histogram, isOpenMetrics: boolean): string[] {
  const labels = labelText(histogram.labels);
  const { bounds, counts } = classicBuckets(histogram);
  const { exemplar } = histogram;
  const place =
    exemplar === undefined ? -1 : bounds.findIndex(bound => exemplar.valueNs <= bound * 1e9);
  const shown = isOpenMetrics && exemplar !== undefined ? exemplarText(exemplar) : '';
  const lines = bounds.map((bound, i) => {
    const le = `le="${boundText(bound)}"`;
    const own = labels === '' ? le : `${labels},${le}`;
    return `${name}_bucket{${own}} ${counts[i]}${i === place ? shown : ''}`;
  });
  const infinite = labels === '' ? 'le="+Inf"' : `${labels},le="+Inf"`;
  return [
    ...lines,
    `${name}_bucket{${infinite}} ${histogram.count}${place === -1 ? shown : ''}`,
    `${name}_sum${braced(labels)} ${histogram.sumNs / 1e9}`,
    `${name}_count${braced(labels)} ${histogram.count}`,
  ];
}

/** Whole numbers as floats: OpenMetrics asks for `1.0`. */
const boundText = (bound: number): string =>
  Number.isInteger(bound) ? `${bound}.0` : String(bound);

const exemplarText = ({ labels, valueNs, atUnixNs }: ExemplarValue): string =>
  ` # {${labelText(labels)}} ${valueNs / 1e9} ${Number(atUnixNs / 1_000_000n) / 1e3}`;

const braced = (labels: string): string => (labels === '' ? '' : `{${labels}}`);

/** Sorted by name, values escaped. */
export const labelText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** Families of Prometheus text as OpenMetrics names them, without the end mark. */
export const asOpenMetrics = (text: string): string =>
  text.replaceAll(/^# (HELP|TYPE) (\S+)_total /gm, '# $1 $2 ');
