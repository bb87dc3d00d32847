// JSON Schemas of what the API answers, for its OpenAPI document. A test holds
// real answers against them; the types stand in protocol/query-api.ts.

export interface Schema {
  readonly [keyword: string]: unknown;
}

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const ns: Schema = { type: 'integer', description: 'nanoseconds' };
const share: Schema = { type: 'number', minimum: 0, maximum: 1 };
const number: Schema = { type: 'number' };
const unixNs: Schema = {
  type: 'string',
  pattern: '^-?\\d+$',
  description: 'Unix time in nanoseconds',
};
const attributes: Schema = { type: 'object', additionalProperties: true };

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const list = (items: Schema): Schema => ({ type: 'array', items });
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values });
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
});
const page = (of: string): Schema => object({ items: list(ref(of)), nextCursor: orNull(text) });

const outcome = oneOf(
  'answered',
  'filler_only',
  'interrupted_after',
  'interrupted_before',
  'abandoned',
  'failed',
  'none',
  'open',
);
const definition = oneOf('client', 'carrier', 'server', 'framework', 'recording');

const summary: Readonly<Record<string, Schema>> = {
  key: text,
  id: text,
  status: oneOf('live', 'idle', 'ended', 'broken_off'),
  startUnixNs: unixNs,
  endUnixNs: unixNs,
  attributes,
  services: list(text),
  synthetic: orNull(text),
  spanCount: count,
  turnCount: count,
  voiceToVoice: orNull({
    allOf: [ref('Quantiles'), object({ definition })],
  }),
  worstTurn: orNull(object({ tick: count, waitNs: ns })),
  overBudgetCount: count,
  bargeInCount: count,
  frames: ref('FrameCounts'),
  strip: list(object({ tick: count, startNs: ns, waitNs: orNull(ns), outcome })),
};

const quantile = orNull(ns);

/** Components by name: those of one call first, then measures, then traces. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Problem: object({ type: text, title: text, status: count, code: text, detail: text }),
  Quantiles: object({
    n: count,
    censored: count,
    p50Ns: quantile,
    p95Ns: quantile,
    p99Ns: quantile,
    p999Ns: quantile,
    maxNs: quantile,
  }),
  FrameCounts: object({ expected: count, lost: count, late: count, concealed: count }),
  SessionSummary: object(summary),
  SessionPage: page('SessionSummary'),
  SessionDetail: object({
    ...summary,
    zeroUnixNs: unixNs,
    durationNs: ns,
    streams: list(
      object({
        name: text,
        direction: oneOf('up', 'down'),
        sampleRate: count,
        hops: list(ref('HopDetail')),
      }),
    ),
    processes: list(ref('ProcessDetail')),
    budgets: list(object({ measure: text, limitNs: ns })),
    traceIds: list(text),
    dropped: { type: 'object', additionalProperties: count },
  }),
  HopDetail: object({
    key: text,
    stream: text,
    role: text,
    name: text,
    process: { type: 'integer' },
    watermarkTick: number,
    frameTicks: orNull(count),
    markCount: count,
    frames: ref('FrameCounts'),
    latency: ref('Quantiles'),
    errorNs: ns,
    budgetNs: orNull(ns),
  }),
  ProcessDetail: object({
    service: text,
    instance: orNull(text),
    host: orNull(text),
    zone: orNull(text),
    region: orNull(text),
    clock: object({
      domain: text,
      epoch: count,
      offsetNs: orNull(ns),
      driftPpm: orNull(number),
      errorNs: orNull(ns),
      sampleCount: count,
      source: text,
      faultCount: count,
    }),
  }),
  Turn: object({
    sessionKey: text,
    tick: count,
    traceId: orNull(text),
    spanId: orNull(text),
    startNs: ns,
    endNs: orNull(ns),
    outcome: text,
    user: orNull(object({ startNs: ns, endNs: ns })),
    agent: orNull(object({ startNs: ns, endNs: ns })),
    words: list(object({ who: oneOf('user', 'agent', 'tool'), text, atNs: ns, cut: flag })),
    waits: list(ref('Wait')),
    stages: list(
      object({
        name: text,
        spanId: text,
        startNs: ns,
        firstNs: orNull(ns),
        endNs: orNull(ns),
        discarded: flag,
        truncated: flag,
        attributes,
      }),
    ),
    bargeIn: orNull(
      object({ onsetNs: ns, detectNs: orNull(ns), stopNs: orNull(ns), unheardNs: orNull(ns) }),
    ),
  }),
  TurnPage: page('Turn'),
  Wait: object({
    kind: oneOf('response', 'greeting', 'resume'),
    outcome,
    definition,
    startNs: ns,
    endNs: orNull(ns),
    waitNs: ns,
    errorNs: ns,
    resolved: share,
    parts: list(
      object({
        name: text,
        owner: text,
        startNs: ns,
        endNs: ns,
        exposedNs: ns,
        fullNs: ns,
        savesNs: orNull(ns),
        errorNs: ns,
      }),
    ),
    notSeen: list(text),
    moments: list(object({ name: text, atNs: ns, source: text, errorNs: ns, domain: text })),
    alternatives: list(object({ definition, startNs: ns, endNs: ns })),
    revision: count,
  }),
  Timeline: object({
    fromNs: ns,
    toNs: ns,
    bucketNs: ns,
    hops: list(
      object({
        key: text,
        count: list(count),
        worstNs: list(ns),
        overBudget: list(count),
        lost: list(count),
      }),
    ),
  }),
  FramesWindow: object({
    fromNs: ns,
    toNs: ns,
    truncated: flag,
    hops: list(
      object({
        key: text,
        errorNs: ns,
        rawShiftNs: ns,
        length: count,
        startTick: list(number),
        endTick: list(number),
        atNs: list(ns),
        latencyNs: list(ns),
        flags: list(count),
      }),
    ),
  }),
  MeasureInfo: object({
    name: text,
    title: text,
    definition: text,
    kind: oneOf('wait', 'frame'),
    n: count,
    sessions: count,
    budgetNs: orNull(ns),
  }),
  MeasureList: object({ items: list(ref('MeasureInfo')) }),
  Heatmap: object({
    measure: ref('MeasureInfo'),
    fromUnixNs: unixNs,
    toUnixNs: unixNs,
    columnNs: ns,
    columns: count,
    scale: { type: 'integer' },
    rowMin: { type: 'integer' },
    rows: count,
    cells: object({ column: list(count), row: list(count), count: list(count) }),
    overflow: list(count),
    underflow: list(count),
    neverAnswered: list(count),
    lost: list(count),
    quantiles: list(ref('Quantiles')),
    total: ref('Quantiles'),
    overBudget: list(count),
    exemplars: list(
      object({ column: count, valueNs: ns, sessionKey: text, tick: number, atUnixNs: unixNs }),
    ),
    coverage: object({ covered: count, of: count, sessions: count }),
    intervals: ref('QuantileIntervals'),
    groups: list(object({ value: orNull(text), heatmap: ref('Heatmap') })),
    omittedGroupCount: count,
  }),
  QuantileInterval: object({ lowNs: ns, highNs: orNull(ns) }),
  QuantileIntervals: object({
    p50: orNull(ref('QuantileInterval')),
    p95: orNull(ref('QuantileInterval')),
    p99: orNull(ref('QuantileInterval')),
    p999: orNull(ref('QuantileInterval')),
  }),
  Tail: object({
    n: count,
    items: list(
      object({
        sessionKey: text,
        sessionId: text,
        tick: number,
        hop: orNull(text),
        atUnixNs: unixNs,
        valueNs: ns,
        censored: flag,
        worstPart: orNull(object({ name: text, exposedNs: ns })),
      }),
    ),
  }),
  TraceSummary: object({
    traceId: text,
    rootName: text,
    service: text,
    startUnixNs: unixNs,
    durationNs: ns,
    spanCount: count,
    errorCount: count,
    sessionKey: orNull(text),
  }),
  TracePage: page('TraceSummary'),
  Trace: object({
    traceId: text,
    startUnixNs: unixNs,
    durationNs: ns,
    sessionKey: orNull(text),
    sessionId: orNull(text),
    turnTick: orNull(count),
    spans: list(ref('Span')),
    omittedCount: count,
  }),
  Span: object({
    spanId: text,
    parentSpanId: orNull(text),
    name: text,
    service: text,
    scope: text,
    kind: count,
    startNs: ns,
    durationNs: ns,
    status: object({ code: count, message: text }),
    attributes,
    resource: attributes,
    events: list(object({ name: text, atNs: ns, attributes })),
    links: list(object({ traceId: text, spanId: text, attributes })),
    isOpen: flag,
  }),
  SearchResult: object({
    items: list(
      object({
        kind: oneOf('session', 'turn', 'trace'),
        title: text,
        detail: text,
        sessionKey: orNull(text),
        tick: orNull(number),
        traceId: orNull(text),
      }),
    ),
  }),
};
