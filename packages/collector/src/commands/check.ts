// framescope check: a session, a range or a file against budgets and against a baseline, for CI.
//
// A budget is met when its quantile is at most the limit. With --certain only a quantile whose lower
// bound lies above the limit fails: what a few more calls might put right is no failure. Against a
// baseline a measure fails when it is slower beyond doubt (the bounds of the change lie above 0) and
// by more than --tolerance.

import type { Comparison, Heatmap, MeasureInfo } from '@framescope/protocol';
import type { Api } from './api.ts';
import type { Done } from './commands.ts';

export interface CheckOptions {
  readonly from?: string;
  readonly to?: string;
  readonly filter?: string;
  /** Measure or family → limit in ms; empty: the collector's own budgets. */
  readonly budgets: Readonly<Record<string, number>>;
  readonly quantile: 'p50' | 'p95' | 'p99';
  readonly isCertain: boolean;
  readonly baseline?: { readonly from?: string; readonly to?: string; readonly filter?: string };
  /** Share of the baseline's value. */
  readonly tolerance: number;
}

export interface CheckRow {
  readonly check: 'budget' | 'baseline';
  readonly measure: string;
  readonly quantile: string;
  readonly n: number;
  readonly sessions: number;
  readonly valueMs: number | null;
  readonly lowMs: number | null;
  readonly highMs: number | null;
  /** Budget, or the baseline's value. */
  readonly limitMs: number;
  readonly verdict: 'pass' | 'fail' | 'too few';
}

/** At least so many turns for a verdict against a baseline. */
const TURNS_MIN = 30;

export async function check(api: Api, options: CheckOptions): Promise<CheckRow[]> {
  const { items } = (await api.get('/api/v1/measures')) as { items: readonly MeasureInfo[] };
  const rows: CheckRow[] = [];
  for (const measure of items) {
    const limitMs = limitOf(measure, options.budgets);
    if (limitMs !== null) rows.push(await budgetRow(api, measure, limitMs, options));
    if (options.baseline !== undefined && isCompared(measure))
      rows.push(await baselineRow(api, measure, options));
  }
  return rows.filter(row => row.n > 0);
}

const isCompared = ({ name, kind }: MeasureInfo): boolean =>
  kind === 'wait' && (name.startsWith('voice_to_voice.') || name.startsWith('time_to_answer.'));

function limitOf(measure: MeasureInfo, budgets: Readonly<Record<string, number>>): number | null {
  if (Object.keys(budgets).length === 0)
    return measure.budgetNs === null ? null : measure.budgetNs / 1e6;
  const family = measure.name.split('.', 1)[0]!;
  return budgets[measure.name] ?? budgets[family] ?? null;
}

const ms = (ns: number | null): number | null => (ns === null ? null : ns / 1e6);

function queryOf(measure: string, options: Pick<CheckOptions, 'from' | 'to' | 'filter'>): string {
  const query = new URLSearchParams({ measure, columns: '1', from: options.from ?? '0' });
  if (options.to !== undefined) query.set('to', options.to);
  if (options.filter !== undefined) query.set('filter', options.filter);
  return query.toString();
}

async function budgetRow(
  api: Api,
  { name }: MeasureInfo,
  limitMs: number,
  options: CheckOptions,
): Promise<CheckRow> {
  const map = (await api.get(`/api/v1/heatmap?${queryOf(name, options)}`)) as Heatmap;
  const valueMs = ms(map.total[`${options.quantile}Ns`]);
  const interval = map.intervals[options.quantile];
  const lowMs = ms(interval?.lowNs ?? null);
  const judged = options.isCertain ? lowMs : valueMs;
  return {
    check: 'budget',
    measure: name,
    quantile: options.quantile,
    n: map.total.n,
    sessions: map.coverage.sessions,
    valueMs,
    lowMs,
    highMs: ms(interval?.highNs ?? null),
    limitMs,
    verdict: judged === null ? 'too few' : judged > limitMs ? 'fail' : 'pass',
  };
}

async function baselineRow(
  api: Api,
  { name }: MeasureInfo,
  options: CheckOptions,
): Promise<CheckRow> {
  const { baseline = {} } = options;
  const query = new URLSearchParams({
    measure: name,
    aFrom: baseline.from ?? '0',
    bFrom: options.from ?? '0',
  });
  for (const [key, value] of Object.entries({
    aTo: baseline.to,
    aFilter: baseline.filter,
    bTo: options.to,
    bFilter: options.filter,
  }))
    if (value !== undefined) query.set(key, value);
  const found = (await api.get(`/api/v1/compare?${query.toString()}`)) as Comparison;
  const change = found.changes.find(one => one.quantile === options.quantile)!;
  const isSlower =
    change.lowNs !== null &&
    change.lowNs > 0 &&
    change.deltaNs! > options.tolerance * (change.aNs ?? 0);
  const isFew =
    change.deltaNs === null || Math.min(found.a.count.turns, found.b.count.turns) < TURNS_MIN;
  return {
    check: 'baseline',
    measure: name,
    quantile: options.quantile,
    n: found.b.count.turns,
    sessions: found.b.count.sessions,
    valueMs: ms(change.bNs),
    lowMs: change.aNs === null || change.lowNs === null ? null : (change.aNs + change.lowNs) / 1e6,
    highMs:
      change.aNs === null || change.highNs === null ? null : (change.aNs + change.highNs) / 1e6,
    limitMs: (change.aNs ?? 0) / 1e6,
    verdict: isFew ? 'too few' : isSlower ? 'fail' : 'pass',
  };
}

/** Exit code 1 when anything fails; 3 when nothing could be judged. */
export function reportOf(rows: readonly CheckRow[]): Done {
  const lines = rows.map(lineOf);
  const failed = rows.filter(row => row.verdict === 'fail').length;
  const judged = rows.filter(row => row.verdict !== 'too few').length;
  if (judged === 0)
    return {
      lines: [...lines, 'nothing could be judged: too few turns, or no budget for what there is'],
      errors: [],
      code: 3,
    };
  const word = failed === 0 ? 'all within' : `${failed} beyond`;
  return { lines: [...lines, `${judged} judged, ${word}`], errors: [], code: failed > 0 ? 1 : 0 };
}

function lineOf(row: CheckRow): string {
  const shown = (value: number | null): string => (value === null ? '–' : `${Math.round(value)}`);
  const against = row.check === 'budget' ? 'limit' : 'was';
  return `${row.verdict.padEnd(8)}${row.measure.padEnd(34)} ${row.quantile} ${shown(row.valueMs)} ms (${shown(row.lowMs)}–${shown(row.highMs)}), ${against} ${shown(row.limitMs)} ms, ${row.n} in ${row.sessions} calls`;
}
