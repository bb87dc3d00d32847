// The facets of a session: what charts and lists filter and group by, taken from its detail once,
// so that a chart over 50,000 sessions need not read 50,000 details.

import type { ProcessDetail, SessionDetail, SessionSummary, Turn } from '@framescope/protocol';
import type { Place, SessionFacets } from './store.ts';

const ATTRIBUTES_MAX = 32;
const TEXT_MAX = 200;

export function facetsOf(detail: SessionDetail): SessionFacets {
  const { frames, voiceToVoice } = detail;
  return {
    attributes: shortAttributes(detail.attributes),
    synthetic: detail.synthetic,
    places: detail.processes.map(placeOf),
    hops: Object.fromEntries(
      detail.streams.flatMap(({ hops }) => hops.map(hop => [hop.key, hop.process] as const)),
    ),
    counts: {
      turns: detail.turnCount,
      spans: detail.spanCount,
      lost: frames.lost,
      late: frames.late,
      concealed: frames.concealed,
      bargeins: detail.bargeInCount,
      overbudget: detail.overBudgetCount,
      length: detail.durationNs,
      ...(voiceToVoice?.maxNs != null && { v2v: voiceToVoice.maxNs }),
    },
  };
}

function shortAttributes(all: SessionDetail['attributes']): SessionFacets['attributes'] {
  const short = Object.entries(all).filter(
    (entry): entry is [string, string | number | boolean] =>
      typeof entry[1] === 'boolean' ||
      typeof entry[1] === 'number' ||
      (typeof entry[1] === 'string' && entry[1].length <= TEXT_MAX),
  );
  return Object.fromEntries(short.slice(0, ATTRIBUTES_MAX));
}

function placeOf({ service, instance, host, zone, region }: ProcessDetail): Place {
  const known = Object.entries({ service, instance, host, zone, region }).filter(
    ([, value]) => value !== null && value !== '',
  );
  return Object.fromEntries(known) as Place;
}

/** Dimensions by which minutes are added up ahead of being asked, when a session has them. */
export const USUAL_DIMENSIONS: readonly string[] = [
  'region',
  'release',
  'cloud.region',
  'service.version',
  'deployment.environment.name',
];

/** A SessionDetail as its summary and what it adds. */
export function splitDetail(detail: SessionDetail): { summary: SessionSummary; rest: object } {
  const { zeroUnixNs, durationNs, streams, processes, budgets, traceIds, dropped, ...others } =
    detail;
  const { topology, handovers, ...summary } = others;
  return {
    summary,
    rest: {
      zeroUnixNs,
      durationNs,
      streams,
      processes,
      budgets,
      traceIds,
      dropped,
      ...(topology && { topology }),
      ...(handovers && { handovers }),
    },
  };
}

/** What was said in a turn, as search looks for it: lower case. */
export const wordsOf = (turn: Turn): string =>
  turn.words.map(one => one.text.toLowerCase()).join('\n');
