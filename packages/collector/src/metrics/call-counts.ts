// What assembly tells of calls, counted once for /metrics. Runs beside the writer.
//
// A wait is counted when it first has a value, a minute of frames when it is over; what a later
// look corrects is not counted again: a counter only rises. Waits older than this collector (an
// import, a rebuilt store) are no news and are left out.

import { Sketch } from '@framescope/protocol';
import { hopOfMeasure } from '../query/measure-info.ts';
import { isFeature } from '../rollup/turn-features.ts';
import type { DerivedRows, RollupRow, ValueRow } from '../store/store.ts';
import { SeriesDraft, type CounterDelta, type MeasureReport } from './buckets.ts';

/** Waits that began so long before the start still count: their turn was going on. */
const BEFORE_START_NS = 60_000_000_000n;
const MINUTE_NS = 60_000_000_000n;
/** A label with more values than this is left out: /metrics is no place for IDs. */
const LABEL_VALUES_MAX = 30;

/** Of sessions that broke off some come back: the oldest are forgotten. */
const SESSIONS_MAX = 10_000;

const LABELS: Readonly<Record<string, readonly string[]>> = {
  region: ['region', 'cloud.region'],
  release: ['release', 'service.version'],
};

type Labels = Readonly<Record<string, string>>;

interface Told {
  readonly waits: Set<string>;
  /** The last minute of each measure, not counted yet. */
  readonly minutes: Map<string, RollupRow>;
}

export class CallCounts {
  readonly #fromUnixNs: bigint;
  readonly #sessions = new Map<string, Told>();
  readonly #labelValues = new Map<string, Set<string>>();
  #series = new Map<
    string,
    { readonly name: string; readonly labels: Labels; readonly draft: SeriesDraft }
  >();
  #counters = new Map<string, { readonly name: string; readonly labels: Labels; by: number }>();

  constructor(startedUnixNs: bigint) {
    this.#fromUnixNs = startedUnixNs - BEFORE_START_NS;
  }

  take(rows: DerivedRows): void {
    let told = this.#sessions.get(rows.sessionKey);
    if (told === undefined)
      this.#sessions.set(rows.sessionKey, (told = { waits: new Set(), minutes: new Map() }));
    if (this.#sessions.size > SESSIONS_MAX)
      this.#sessions.delete(this.#sessions.keys().next().value!);
    const labels = this.#labelsOf(rows);
    for (const value of rows.values) this.#takeValue(value, rows, told, labels);
    for (const rollup of rows.rollups) this.#takeRollup(rollup, told, labels);
    const { status } = rows.session;
    if (status !== 'ended' && status !== 'broken_off') return;
    for (const row of told.minutes.values()) this.#countMinute(row, labels);
    told.minutes.clear();
    if (status === 'ended') this.#sessions.delete(rows.sessionKey);
  }

  #labelsOf({ session }: DerivedRows): Labels {
    const labels: Record<string, string> = {};
    for (const [label, names] of Object.entries(LABELS)) {
      const value = names
        .map(name => session.attributes[name])
        .find(one => typeof one === 'string');
      if (typeof value !== 'string') continue;
      let values = this.#labelValues.get(label);
      if (values === undefined) this.#labelValues.set(label, (values = new Set()));
      if (values.size < LABEL_VALUES_MAX) values.add(value);
      labels[label] = values.has(value) ? value : 'other';
    }
    return labels;
  }

  #takeValue(value: ValueRow, rows: DerivedRows, told: Told, labels: Labels): void {
    if (isFeature(value.measure)) return;
    const id = `${value.tick} ${value.waitIndex} ${value.measure}`;
    if (value.atUnixNs < this.#fromUnixNs || told.waits.has(id)) return;
    told.waits.add(id);
    const [family = '', rest = ''] = splitAtDot(value.measure);
    if (value.isCensored) {
      if (family === 'voice_to_voice')
        this.#count(
          'framescope_waits_unanswered',
          { ...labels, measure: value.measure, outcome: value.outcome },
          1,
        );
      return;
    }
    const draft =
      family === 'part'
        ? this.#draft('framescope_part_seconds', { ...labels, part: rest })
        : this.#draft('framescope_wait_seconds', { ...labels, measure: value.measure });
    draft.add(value.valueNs);
    if (value.isOverBudget)
      this.#count('framescope_waits_over_budget', { ...labels, measure: value.measure }, 1);
    const traceId = rows.turns.find(turn => turn.tick === value.tick)?.traceId;
    draft.offer({
      valueNs: value.valueNs,
      atUnixNs: value.atUnixNs,
      labels: {
        ...(traceId != null && { trace_id: traceId }),
        session: value.sessionKey,
        tick: String(value.tick),
      },
    });
  }

  #takeRollup(row: RollupRow, told: Told, labels: Labels): void {
    if (nameOf(row) === undefined) return;
    if (BigInt(row.minute + 1) * MINUTE_NS < this.#fromUnixNs) return;
    const before = told.minutes.get(row.measure);
    if (before !== undefined && before.minute > row.minute) return;
    if (before !== undefined && before.minute < row.minute) this.#countMinute(before, labels);
    told.minutes.set(row.measure, row);
  }

  #countMinute(row: RollupRow, labels: Labels): void {
    const sketch = Sketch.fromBytes(row.sketch);
    if (!sketch.ok) return;
    const own = { ...labels, hop: hopOfMeasure(row.measure) };
    const draft = this.#draft(nameOf(row)!, own);
    draft.count += row.count;
    // Slack may be below 0, and what a counter says may not fall.
    draft.sumNs += Math.max(0, row.sumNs);
    draft.zeroCount += sketch.value.zeroCount;
    sketch.value.forEach((index, count) => draft.addBucket(index, count));
    if (row.measure.startsWith('frame.')) {
      this.#count('framescope_frames_lost', own, row.lostCount);
      this.#count('framescope_frames_late', own, row.lateCount);
    }
    const [worst] = row.worst;
    if (worst !== undefined)
      draft.offer({
        valueNs: worst.valueNs,
        atUnixNs: BigInt(row.minute) * MINUTE_NS,
        labels: { session: row.sessionKey, tick: String(worst.ref) },
      });
  }

  #draft(name: string, labels: Labels): SeriesDraft {
    const id = name + JSON.stringify(labels);
    let series = this.#series.get(id);
    if (series === undefined)
      this.#series.set(id, (series = { name, labels, draft: new SeriesDraft() }));
    return series.draft;
  }

  #count(name: string, labels: Labels, by: number): void {
    if (by === 0) return;
    const id = name + JSON.stringify(labels);
    const counter = this.#counters.get(id);
    if (counter === undefined) this.#counters.set(id, { name, labels, by });
    else counter.by += by;
  }

  /** What came since the last report; undefined when nothing did. */
  report(): MeasureReport | undefined {
    if (this.#series.size + this.#counters.size === 0) return undefined;
    const series = [...this.#series.values()].map(({ name, labels, draft }) => ({
      name,
      labels,
      count: draft.count,
      sumNs: draft.sumNs,
      zeroCount: draft.zeroCount,
      buckets: [...draft.buckets],
      ...(!FRAME_NAMES.has(name) && { classic: draft.classic }),
      ...(draft.exemplar && { exemplar: draft.exemplar }),
    }));
    const counters: CounterDelta[] = [...this.#counters.values()];
    this.#series = new Map();
    this.#counters = new Map();
    return { series, counters };
  }
}

/** What each family of measures of frames is called here. */
const NAME_OF_FAMILY: Readonly<Record<string, string>> = {
  frame: 'framescope_frame_age_seconds',
  oldest: 'framescope_frame_oldest_seconds',
  slack: 'framescope_frame_slack_seconds',
  underrun: 'framescope_frame_underrun_seconds',
  lead: 'framescope_frame_lead_seconds',
  gap: 'framescope_chunk_gap_seconds',
  rtf: 'framescope_chunk_pace_seconds',
};
const FRAME_NAMES: ReadonlySet<string> = new Set(Object.values(NAME_OF_FAMILY));

const nameOf = ({ measure }: RollupRow): string | undefined =>
  NAME_OF_FAMILY[splitAtDot(measure)[0]];

function splitAtDot(measure: string): [string, string] {
  const dot = measure.indexOf('.');
  return dot === -1 ? [measure, ''] : [measure.slice(0, dot), measure.slice(dot + 1)];
}
