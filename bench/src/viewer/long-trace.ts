// A trace of many spans as OTLP/JSON bodies: an agent that calls tools in a loop,
// five levels deep, some failing.

const SPANS_A_BODY = 2_000;
/** Children of a span at each level; the product is the size of one round. */
const SHAPE = [1, 4, 5, 5];

export interface LongTraceOptions {
  readonly traceId: string;
  readonly spans: number;
  readonly startUnixMs: number;
}

interface Made {
  readonly number: number;
  readonly parent: number;
  readonly depth: number;
  readonly startNs: number;
  readonly lengthNs: number;
}

const NAMES = ['conversation', 'round', 'agent step', 'tool call', 'http request'];

export function* traceBodies({ traceId, spans, startUnixMs }: LongTraceOptions): Generator<string> {
  const zero = BigInt(startUnixMs) * 1_000_000n;
  const id = (n: number): string => n.toString(16).padStart(16, '0');
  let body: object[] = [];
  for (const one of treeOf(spans)) {
    body.push({
      traceId,
      spanId: id(one.number + 1),
      ...(one.parent < 0 ? {} : { parentSpanId: id(one.parent + 1) }),
      name: `${NAMES[one.depth]} ${one.number % 13}`,
      kind: 1,
      startTimeUnixNano: String(zero + BigInt(one.startNs)),
      endTimeUnixNano: String(zero + BigInt(one.startNs + one.lengthNs)),
      attributes: [{ key: 'step', value: { intValue: String(one.number) } }],
      status: one.number % 997 === 3 ? { code: 2, message: 'timed out' } : {},
    });
    if (body.length < SPANS_A_BODY) continue;
    yield bodyOf(body);
    body = [];
  }
  if (body.length > 0) yield bodyOf(body);
}

/** One root; under it rounds, each a small tree whose parts follow each other. */
function* treeOf(count: number): Generator<Made> {
  const roundNs = 120e6;
  const perRound = 1 + SHAPE[1]! * (1 + SHAPE[2]! * (1 + SHAPE[3]!));
  const rounds = Math.ceil((count - 1) / perRound);
  yield { number: 0, parent: -1, depth: 0, startNs: 0, lengthNs: rounds * roundNs };
  let number = 1;
  for (let round = 0; round < rounds; round++) {
    const open: Made[] = [
      { number: number++, parent: 0, depth: 1, startNs: round * roundNs, lengthNs: roundNs * 0.95 },
    ];
    for (let one = open.pop(); one; one = open.pop()) {
      if (one.number < count) yield one;
      const children = SHAPE[one.depth] ?? 0;
      for (let child = 0; child < children && one.depth < 4; child++) {
        const slotNs = Math.floor(one.lengthNs / children);
        open.push({
          number: number++,
          parent: one.number,
          depth: one.depth + 1,
          startNs: one.startNs + child * slotNs + 1_000,
          lengthNs: Math.floor(slotNs * 0.9) - 2_000,
        });
      }
    }
  }
}

const bodyOf = (spans: readonly object[]): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: [{ key: 'service.name', value: { stringValue: 'voice-agent' } }],
        },
        scopeSpans: [{ scope: { name: 'tools' }, spans }],
      },
    ],
  });
