// `/metrics`: the collector's own health, in Prometheus' text format.

import type { ReceiveCounts } from '../receive/admission.ts';
import type { WriterCounts } from '../writer/messages.ts';

interface Gauges {
  readonly queuedBytes: number;
  readonly dataBytes: number;
  readonly listeners: number;
}

export class Health implements ReceiveCounts {
  readonly #requests = new Map<string, number>();
  readonly #refusedBodies = new Map<string, number>();
  readonly #refusedSpans = new Map<string, number>();
  readonly #notKept = new Map<string, number>();
  readonly #recordings = new Map<string, number>();
  #points = 0;
  #bodyBytes = 0;
  #spans = 0;
  #flushes = 0;
  #repeated = 0;
  #commits = 0;
  #commitNs = 0;
  #isStoring = true;

  requests(status: number | string): void {
    bump(this.#requests, String(status), 1);
  }

  refusedBody(reason: string): void {
    bump(this.#refusedBodies, reason, 1);
  }

  /** An upload of a recording, by what came of it. */
  recording(outcome: string): void {
    bump(this.#recordings, outcome, 1);
  }

  bodyBytes(count: number): void {
    this.#bodyBytes += count;
  }

  storing(isStoring: boolean): void {
    this.#isStoring = isStoring;
  }

  isStoring(): boolean {
    return this.#isStoring;
  }

  writer(counts: WriterCounts): void {
    this.#spans += counts.spans;
    this.#flushes += counts.flushes;
    this.#repeated += counts.repeated;
    this.#commits += counts.commits;
    this.#commitNs += counts.commitNs;
    if (counts.malformedBodies > 0) bump(this.#refusedBodies, 'malformed', counts.malformedBodies);
    for (const [reason, count] of Object.entries(counts.refused))
      bump(this.#refusedSpans, reason, count);
    for (const [kind, count] of Object.entries(counts.ignored)) bump(this.#notKept, kind, count);
    this.#points += counts.points;
  }

  text(gauges: Gauges): string {
    return [
      metric(
        'requests_total',
        'counter',
        'OTLP requests by HTTP status, or the word of gRPC.',
        this.#requests,
        'status',
      ),
      metric(
        'refused_bodies_total',
        'counter',
        'OTLP bodies that were not taken, by reason.',
        this.#refusedBodies,
        'reason',
      ),
      metric(
        'refused_spans_total',
        'counter',
        'Single spans and records that were refused, by reason; record_crc: a wrong checksum.',
        this.#refusedSpans,
        'reason',
      ),
      metric(
        'not_kept_total',
        'counter',
        'Log records without a trace or session, and data points that are no histogram of time.',
        this.#notKept,
        'kind',
      ),
      metric(
        'recordings_total',
        'counter',
        'Uploads of recordings: kept, unkept (no --recordings keep), silent (without sound), refused.',
        this.#recordings,
        'outcome',
      ),
      metric('points_total', 'counter', 'Histogram points stored.', this.#points),
      metric('body_bytes_total', 'counter', 'Bytes of OTLP bodies, decompressed.', this.#bodyBytes),
      metric('spans_total', 'counter', 'Spans stored.', this.#spans),
      metric('flushes_total', 'counter', 'Flushes (records, states) stored.', this.#flushes),
      metric(
        'repeated_total',
        'counter',
        'Spans and flushes that were stored before.',
        this.#repeated,
      ),
      metric('commits_total', 'counter', 'Group commits.', this.#commits),
      metric('commit_seconds_total', 'counter', 'Time in commits.', this.#commitNs / 1e9),
      metric('storing', 'gauge', '1 while commits succeed.', this.#isStoring ? 1 : 0),
      metric('queue_bytes', 'gauge', 'Bodies that wait for their commit.', gauges.queuedBytes),
      metric('data_bytes', 'gauge', 'Size of the data folder.', gauges.dataBytes),
      metric('live_listeners', 'gauge', 'Pages that listen to changes.', gauges.listeners),
    ].join('');
  }
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** One family. `values`: a number, or numbers by the value of `label`. Labels are words of ours. */
function metric(
  ...[name, type, help, values, label]: readonly [
    string,
    'counter' | 'gauge',
    string,
    number | ReadonlyMap<string, number>,
    string?,
  ]
): string {
  const full = `framescope_collector_${name}`;
  const head = `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n`;
  if (typeof values === 'number') return `${head}${full} ${values}\n`;
  const lines = [...values].map(([value, count]) => `${full}{${label}="${value}"} ${count}\n`);
  return head + lines.join('');
}
