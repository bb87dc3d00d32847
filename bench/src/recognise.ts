// What it costs to make turns of a framework's spans: a call of Pipecat as it was captured,
// drawn out to an hour of five hundred turns.

import { readFileSync } from 'node:fs';
import { bestNsEach, limited, type Row, type SuiteOptions } from './row.ts';

const SUITE = 'recognise';
const TURNS = 500;
const FIXTURE = new URL(
  '../../packages/collector/test/recognise/fixtures/pipecat-1.14.0-tool.json',
  import.meta.url,
);
const OUT = new URL('../../packages/collector/out/', import.meta.url);

interface Span {
  readonly name: string;
  readonly scope: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startUnixNs: bigint;
  readonly endUnixNs: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** What is used of the collector's built files. */
interface Collector {
  readonly decodeTraces: (
    bytes: Uint8Array,
    encoding: 'protobuf',
  ) => { readonly ok: true; readonly value: { readonly spans: readonly Span[] } };
  readonly recogniserOf: (span: Span) => {
    recognise(
      spans: readonly Span[],
      context: { readonly zeroUnixNs: bigint; readonly isOver: boolean },
    ): { readonly turns: readonly unknown[] };
  };
}

async function collector(): Promise<Collector> {
  const from = async (file: string): Promise<Record<string, unknown>> =>
    (await import(new URL(file, OUT).href)) as Record<string, unknown>;
  return {
    ...(await from('decode/decode.js')),
    ...(await from('recognise/sources.js')),
  } as unknown as Collector;
}

export async function run({ quick }: SuiteOptions): Promise<Row[]> {
  const { decodeTraces, recogniserOf } = await collector();
  const { bodies } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { bodies: string[] };
  const call = bodies.flatMap(
    body => decodeTraces(Buffer.from(body, 'base64'), 'protobuf').value.spans,
  );
  const spans = hourOf(call);
  const recogniser = recogniserOf(spans[0]!);
  const context = { zeroUnixNs: call[0]!.startUnixNs, isOver: true };
  const found = recogniser.recognise(spans, context).turns.length;
  if (found !== TURNS) throw new Error(`${found} turns of ${TURNS}`);
  const ns = bestNsEach(quick ? 5 : 30, spans.length, () => recogniser.recognise(spans, context));
  const name = `a span, of ${spans.length} in a call of ${TURNS} turns`;
  return [limited({ suite: SUITE, name, value: ns / 1_000, unit: 'µs' }, 'lower', 3)];
}

/** The call's turns again and again, one after the other, under one root. */
function hourOf(call: readonly Span[]): Span[] {
  const root = call.find(span => span.name === 'conversation')!;
  const rest = call.filter(span => span !== root);
  const turnCount = rest.filter(span => span.name === 'turn').length;
  const lengthNs = root.endUnixNs - root.startUnixNs;
  const copies = Array.from({ length: TURNS / turnCount }, (_, i) => {
    const shiftNs = BigInt(i) * lengthNs;
    const idOf = (id: string): string => i.toString(16).padStart(4, '0') + id.slice(4);
    return rest.map((span): Span => ({
      ...span,
      spanId: idOf(span.spanId),
      ...(span.parentSpanId !== undefined && {
        parentSpanId: span.name === 'turn' ? root.spanId : idOf(span.parentSpanId),
      }),
      startUnixNs: span.startUnixNs + shiftNs,
      endUnixNs: span.endUnixNs + shiftNs,
    }));
  });
  return [root, ...copies.flat()];
}
