// Call reports of Vapi, Retell, Deepgram and ElevenLabs: the spans that reports/report-spans.ts makes of
// them, as turns with waits. A wait is as long as the vendor says; where it stands in time is
// by the transcript, which is coarser and never makes a length.

import {
  domainNs,
  durationNs,
  tick,
  type Attributes,
  type DomainNs,
  type MomentState,
  type StageState,
} from '@framescope/protocol';
import { REPORT, reportScope } from '../reports/report-spans.ts';
import type { StoredSpan } from '../store/store.ts';
import { always, rule, type EdgeRule, type PipelineFacts, type Profile } from './edges.ts';
import { REPORT_FORMATS, type ReportedPart, type ReportFormat } from './report-formats.ts';
import type { KnownTurn, Recogniser, RecogniseContext, Recognition } from './source.types.ts';
import { later, numberAt, shown, textAt, timed, unixMs, type TimedSpan } from './span-reader.ts';

export const callReports: readonly Recogniser[] = REPORT_FORMATS.map((format): Recogniser => {
  const scope = reportScope(format.vendor);
  return {
    name: format.vendor,
    owns: span => span.scope === scope,
    recognise: (spans, context) => recognise(spans, context, format),
    profile: facts => profileOf(facts, format),
  };
});

/** One behind the other, as far as they are told; all of them under one name where none can be laid. */
function profileOf({ known, audioFrom }: PipelineFacts, { parts }: ReportFormat): Profile {
  const told = parts.filter(one => known.has(one.moment));
  const chain = told.length > 0 ? told : parts;
  const rules = new Map<string, EdgeRule>();
  let before = 'speech_end_received';
  for (const { part, moment, figures } of chain) {
    // Two parts that end alike (a model that speaks, or a voice): by whose figure it is.
    const isOther =
      moment === 'first_audio' && audioFrom !== undefined && !figures.includes(audioFrom);
    if (isOther || rules.has(moment)) continue;
    rules.set(moment, rule(part, always(before)));
    before = moment;
  }
  return rules.set('first_frame_sent', rule('unattributed', always(before)));
}

interface Place {
  readonly format: ReportFormat;
  readonly zeroUnixNs: bigint;
  readonly isUnitSure: boolean;
  readonly counts: { overlapping: number; unplaced: number; totalless: number };
}

function recognise(
  spans: readonly StoredSpan[],
  { zeroUnixNs }: RecogniseContext,
  format: ReportFormat,
): Recognition {
  const all = spans.map(span => timed(span, zeroUnixNs));
  const isTurn = ({ span }: TimedSpan): boolean => span.name === `${format.vendor}.turn`;
  const roots = all.filter(({ span }) => span.name === `${format.vendor}.call`);
  const told = all.filter(isTurn).toSorted((a, b) => a.startAt - b.startAt);
  const totals = told.flatMap(({ span }) => totalOf(span.attributes, format)?.value ?? []);
  const place: Place = {
    format,
    zeroUnixNs,
    isUnitSure: isSane(totals, format),
    counts: { overlapping: 0, unplaced: 0, totalless: 0 },
  };
  const turns = apart(
    told.map(turn => {
      const tools = all.filter(
        ({ span }) => span.parentSpanId === turn.span.spanId && REPORT.tool in span.attributes,
      );
      return turnOf(turn, tools, place);
    }),
  );
  return {
    turns,
    attributes: attributesOf(roots, format),
    notes: [...notesOf(place, totals), ...roots.flatMap(({ span }) => textsAt(span.attributes))],
    isOver: roots.length > 0,
  };
}

/** Times of a report may be whole seconds: two turns of one would have one name. */
function apart(turns: readonly KnownTurn[]): KnownTurn[] {
  let last = -Infinity;
  return turns.map(turn => {
    last = Math.max(turn.tick, last + 1);
    return last === turn.tick ? turn : { ...turn, tick: tick(last) };
  });
}

/** Half of them or more in the range of an answer; in another unit hardly any is. */
function isSane(totals: readonly number[], { sane: [least, most] }: ReportFormat): boolean {
  const inside = totals.filter(value => value >= least && value <= most).length;
  return inside * 2 >= totals.length;
}

interface Figure {
  readonly name: string;
  readonly value: number;
}

function figureOf(attributes: Attributes, names: readonly string[]): Figure | undefined {
  for (const name of names) {
    const value = numberAt(attributes, `${REPORT.figure}${name}`);
    if (value !== undefined && value >= 0) return { name, value };
  }
  return undefined;
}

/** 0 and −1 are how vendors say "not known". */
function totalOf(attributes: Attributes, { totals }: ReportFormat): Figure | undefined {
  const total = figureOf(attributes, totals);
  return total !== undefined && total.value > 0 ? total : undefined;
}

function turnOf(one: TimedSpan, tools: readonly TimedSpan[], place: Place): KnownTurn {
  const { span, startAt, endAt } = one;
  const { format, zeroUnixNs } = place;
  const at = (key: string): DomainNs | undefined => {
    const ms = numberAt(span.attributes, key);
    return ms === undefined
      ? undefined
      : domainNs(Number(BigInt(Math.round(ms * 1e3)) * 1_000n - zeroUnixNs));
  };
  const isInterrupted = span.attributes[REPORT.interrupted] === true;
  const [userAt, agentAt] = [at(REPORT.userStartMs), at(REPORT.agentStartMs)];
  const agentEndAt = at(REPORT.agentEndMs);
  const waits = waitsOf(one, { userAt, userEndAt: at(REPORT.userEndMs), agentAt }, place);
  const said = (who: 'user' | 'agent', key: string, when: DomainNs | undefined) => {
    const text = textAt(span.attributes, key);
    const cut = who === 'agent' && isInterrupted;
    return text === undefined ? [] : [{ who, text: shown(text), at: when ?? startAt, cut }];
  };
  return {
    tick: tick(unixMs(startAt, zeroUnixNs)),
    stream: format.vendor,
    traceId: span.traceId,
    spanId: span.spanId,
    rev: 0,
    startedAt: startAt,
    endedAt: endAt,
    outcome: isInterrupted ? 'interrupted' : 'completed',
    waits,
    stages: tools.map(toolStage),
    words: [...said('user', REPORT.userText, userAt), ...said('agent', REPORT.agentText, agentAt)],
    ...speechesOf(waits[0], { userAt, agentAt, agentEndAt }),
    features: featuresOf(span.attributes, tools),
  };
}

interface Times {
  readonly userAt: DomainNs | undefined;
  readonly agentAt: DomainNs | undefined;
  readonly agentEndAt: DomainNs | undefined;
}

function speechesOf(
  wait: KnownTurn['waits'][number] | undefined,
  { userAt, agentAt, agentEndAt }: Times,
): Pick<KnownTurn, 'user' | 'agent'> {
  const opens = wait?.opens;
  const heardUntil = opens !== undefined && 'at' in opens ? opens.at : undefined;
  return {
    ...(userAt !== undefined &&
      heardUntil !== undefined &&
      heardUntil > userAt && { user: { startsAt: userAt, endsAt: heardUntil } }),
    ...(agentAt !== undefined &&
      agentEndAt !== undefined &&
      agentEndAt >= agentAt && { agent: { startsAt: agentAt, endsAt: agentEndAt } }),
  };
}

function waitsOf(
  { span }: TimedSpan,
  {
    userAt,
    userEndAt,
    agentAt,
  }: Pick<Times, 'userAt' | 'agentAt'> & { readonly userEndAt: DomainNs | undefined },
  { format, isUnitSure, counts }: Place,
): KnownTurn['waits'] {
  const { attributes } = span;
  const isAnswer =
    (REPORT.userText in attributes || userAt !== undefined) &&
    (REPORT.agentText in attributes || agentAt !== undefined);
  if (!isAnswer || !isUnitSure) return [];
  const total = totalOf(attributes, format);
  const [, most] = format.sane;
  if (total === undefined || total.value > most) {
    counts.totalless++;
    return [];
  }
  const totalNs = Math.round(total.value * format.unitNs);
  const closesAt = agentAt ?? (userEndAt === undefined ? undefined : later(userEndAt, totalNs));
  if (closesAt === undefined) {
    counts.unplaced++;
    return [];
  }
  const opensAt = later(closesAt, -totalNs);
  const source = `${format.name} ${total.name}`;
  const errorNs = durationNs(0);
  const moments = momentsOf(attributes, { opensAt, totalNs }, format);
  if (moments === undefined) counts.overlapping++;
  return [
    {
      kind: 'response',
      opens: { at: opensAt, source, errorNs },
      closes: { at: closesAt, source, errorNs },
      moments: moments ?? [],
      reported: [{ name: total.name, valueNs: durationNs(totalNs), meaning: format.meaning }],
    },
  ];
}

/** Where each part ends; undefined: together they are longer than the wait. */
function momentsOf(
  attributes: Attributes,
  { opensAt, totalNs }: { readonly opensAt: DomainNs; readonly totalNs: number },
  { parts, unitNs }: ReportFormat,
): MomentState[] | undefined {
  let sumNs = 0;
  const moments = parts.flatMap((part): MomentState[] => {
    const figure = lengthOf(attributes, part);
    if (figure === undefined) return [];
    sumNs += Math.round(figure.value * unitNs);
    const at = later(opensAt, Math.min(sumNs, totalNs));
    return [{ name: part.moment, at, source: figure.name, errorNs: durationNs(0) }];
  });
  // Each figure may be rounded to a whole unit of ms.
  return sumNs > totalNs + moments.length * 500_000 ? undefined : moments;
}

function lengthOf(
  attributes: Attributes,
  { figures, less, unless = [] }: ReportedPart,
): Figure | undefined {
  if (figureOf(attributes, unless) !== undefined) return undefined;
  const whole = figureOf(attributes, figures);
  if (whole === undefined || less === undefined) return whole;
  const inner = figureOf(attributes, [less]);
  if (inner === undefined) return whole;
  return inner.value > whole.value
    ? undefined
    : { name: whole.name, value: whole.value - inner.value };
}

const toolStage = ({ span, startAt, endAt }: TimedSpan): StageState => ({
  name: 'tool',
  spanId: span.spanId,
  startedAt: startAt,
  endedAt: endAt,
  attributes: { 'gen_ai.tool.name': span.name },
});

function featuresOf(attributes: Attributes, tools: readonly TimedSpan[]): Attributes {
  const own = Object.entries(attributes).flatMap(([key, value]) =>
    key.startsWith(REPORT.feature) ? [[key.slice(REPORT.feature.length), value] as const] : [],
  );
  const names = tools.map(({ span }) => span.name);
  return {
    ...Object.fromEntries(own),
    ...(names.length > 0 && { 'tool.name': names.join(', '), 'tool.calls': names.length }),
  };
}

function attributesOf(roots: readonly TimedSpan[], format: ReportFormat): Attributes {
  const said = Object.assign({}, ...roots.map(({ span }) => span.attributes)) as Attributes;
  const { [REPORT.notes]: _, ...others } = said;
  return { framework: format.vendor, 'framework.tracing': 'call report', ...others };
}

const textsAt = (attributes: Attributes): string[] => {
  const notes = attributes[REPORT.notes];
  return Array.isArray(notes) ? notes.map(String) : [];
};

const answers = (count: number): string => `${count} ${count === 1 ? 'answer' : 'answers'}`;

function notesOf({ format, isUnitSure, counts }: Place, totals: readonly number[]): string[] {
  const { name, types, unit, sane } = format;
  const notes = [
    `${name}: names and units are those of ${types}; no call of ${name} was seen live. Parts are lengths without times: laid one behind the other, the rest last.`,
  ];
  if (!isUnitSure)
    notes.push(
      `${name} tells latencies in ${unit}, and most of these ${totals.length} lie outside ${sane[0]} to ${sane[1]} ${unit}: their unit cannot be told, and they are not plotted.`,
    );
  if (counts.overlapping > 0)
    notes.push(
      `In ${answers(counts.overlapping)} the parts are longer than the whole: they ran side by side, and are shown as one.`,
    );
  if (counts.totalless > 0)
    notes.push(
      `${answers(counts.totalless)} without ${format.totals[0]}, or with one over a minute: not plotted.`,
    );
  if (counts.unplaced > 0) notes.push(`${answers(counts.unplaced)} without any time: not plotted.`);
  return notes;
}
