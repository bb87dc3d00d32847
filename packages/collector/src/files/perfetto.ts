// A session in Chrome's trace-event JSON, which Perfetto opens: turns, the parts of their waits,
// stages, ordinary spans by service, and the worst frame latency of each hop as a track.

import { shownAttributes } from '../decode/bytes-value.ts';
import type { Timeline, Turn } from '@framescope/protocol';
import { timeline } from '../query/timeline.ts';
import type { QueryContext } from '../query/queries.types.ts';
import { serviceOfSpan } from '../jaeger/jaeger-trace.ts';

type Event = Readonly<Record<string, unknown>>;

/** Microseconds from the session's zero; Perfetto reads fractions. */
const us = (ns: number): number => ns / 1e3;

const CALL = 1;
const LANES = { turns: 1, parts: 2, stages: 3 } as const;
const TURNS_MAX = 10_000;
const SPANS_MAX = 200_000;
const TRACK_POINTS = 8_192;

export async function sessionPerfetto(
  context: QueryContext,
  key: string,
): Promise<object | undefined> {
  const { reader } = context;
  const detail = await reader.session(key);
  if (detail === undefined) return undefined;
  const turns = await reader.turns(key, { limit: TURNS_MAX });
  const frames = await timeline(context, key, { buckets: TRACK_POINTS });
  const zeroUnixNs = BigInt(detail.zeroUnixNs);
  const spans = (await reader.sessionSpans(key, SPANS_MAX)).map(span => ({
    service: serviceOfSpan(span),
    name: span.name,
    startNs: Number(span.startUnixNs - zeroUnixNs),
    durationNs: Math.max(0, Number(span.endUnixNs - span.startUnixNs)),
    args: { ...shownAttributes(span.attributes), trace_id: span.traceId, span_id: span.spanId },
  }));
  return {
    displayTimeUnit: 'ms',
    otherData: { session: detail.id, zeroUnixNs: detail.zeroUnixNs },
    traceEvents: [
      named('process_name', CALL, 0, `call ${detail.id}`),
      ...Object.entries(LANES).map(([name, lane]) => named('thread_name', CALL, lane, name)),
      ...turns.items.flatMap(turnEvents),
      ...spanEvents(spans),
      ...(frames === undefined ? [] : trackEvents(frames)),
    ],
  };
}

const named = (name: string, pid: number, tid: number, text: string): Event => ({
  ph: 'M',
  name,
  pid,
  tid,
  args: { name: text },
});

const slice = (
  tid: number,
  name: string,
  { fromNs, toNs }: { readonly fromNs: number; readonly toNs: number },
  args: object = {},
): Event => ({
  ph: 'X',
  pid: CALL,
  tid,
  name,
  ts: us(fromNs),
  dur: us(Math.max(0, toNs - fromNs)),
  args,
});

function turnEvents(turn: Turn): Event[] {
  const words = turn.words.map(one => `${one.who}: ${one.text}`).join('\n');
  const endNs = turn.endNs ?? turn.startNs;
  return [
    slice(
      LANES.turns,
      `turn ${turn.outcome}`,
      { fromNs: turn.startNs, toNs: endNs },
      { tick: turn.tick, words },
    ),
    ...turn.waits.flatMap(wait =>
      wait.parts.map(part =>
        slice(
          LANES.parts,
          part.name,
          { fromNs: part.startNs, toNs: part.endNs },
          { owner: part.owner, exposed_ms: part.exposedNs / 1e6, wait_ms: wait.waitNs / 1e6 },
        ),
      ),
    ),
    ...turn.stages.map(stage =>
      slice(
        LANES.stages,
        stage.discarded ? `${stage.name} (discarded)` : stage.name,
        { fromNs: stage.startNs, toNs: stage.endNs ?? stage.startNs },
        stage.attributes,
      ),
    ),
  ];
}

interface Spanned {
  readonly service: string;
  readonly name: string;
  readonly startNs: number;
  readonly durationNs: number;
  readonly args: object;
}

/** A process a service; spans that overlap without nesting go to lanes of their own. */
function spanEvents(spans: readonly Spanned[]): Event[] {
  const services = [...new Set(spans.map(span => span.service))];
  return services.flatMap((service, i) => {
    const pid = CALL + 1 + i;
    const lanes: number[][] = [];
    const own = spans
      .filter(span => span.service === service)
      .toSorted((a, b) => a.startNs - b.startNs || b.durationNs - a.durationNs);
    const events = own.map(span => ({
      ph: 'X',
      pid,
      tid: laneOf(lanes, span),
      name: span.name,
      ts: us(span.startNs),
      dur: us(span.durationNs),
      args: span.args,
    }));
    return [named('process_name', pid, 0, service), ...events];
  });
}

/** The first lane in which the span nests; each lane is the stack of the ends that are open. */
function laneOf(lanes: number[][], { startNs, durationNs }: Spanned): number {
  const endNs = startNs + durationNs;
  for (const [i, open] of lanes.entries()) {
    while (open.length > 0 && open.at(-1)! <= startNs) open.pop();
    if (open.length > 0 && open.at(-1)! < endNs) continue;
    open.push(endNs);
    return i + 1;
  }
  return lanes.push([endNs]);
}

const trackEvents = ({ hops, fromNs, bucketNs }: Timeline): Event[] =>
  hops.flatMap(hop =>
    hop.worstNs.flatMap((worstNs, i): Event[] =>
      hop.count[i] === 0
        ? []
        : [
            {
              ph: 'C',
              pid: CALL,
              name: `worst frame ms ${hop.key}`,
              ts: us(fromNs + i * bucketNs),
              args: { ms: worstNs / 1e6 },
            },
          ],
    ),
  );
