// OTLP log records → spans of no length, where they have a place.
//
// A record that belongs to a trace or a session is an event of it. It is kept
// as a span of its own ID, a hash of what it says, under the span it was
// written in: so it is stored, found and deduplicated as spans are, and
// reading (query/fold.ts) turns it into an event again. A record with neither
// has no place in any page of ours: it is counted, and the sender is told.
//
// Span processors that tell of running spans write such records too:
// `partial.event` = start, heartbeat or stop, with the span as OTLP/JSON in the
// body. A start or heartbeat becomes a pending span, a stop the span itself.

import {
  ATTR,
  murmur3x128,
  sessionStartSpanId,
  sessionTraceId,
  toHex,
  encodeUtf8,
  type AttributeValue,
  type Attributes,
} from '@framescope/protocol';
import {
  anyValue,
  attributesOf,
  frameList,
  objectOf,
  textOf,
  wholeOf,
  type JsonObject,
} from './any-value.ts';
import { checkSpan, emptySpan, type RawSpan } from './check-span.ts';
import { decodeTraces, type Encoding } from './decode.ts';
import { SPANS_PER_REQUEST_MAX } from './limits.ts';
import { BodyProblem, SpanProblem } from './problem.ts';
import { readRequest } from './read-request.ts';
import type { DecodedRequest, DecodedResource, DecodedSpan, Refusal } from './types.ts';

/** @throws {BodyProblem | WireProblem | SpanProblem} when the body cannot be read as a whole. */
export function readLogs(bytes: Uint8Array, encoding: Encoding): DecodedRequest {
  const body = readRequest(bytes, encoding, 'logs');
  const draft = new Draft();
  for (const [i, resourceLogs] of frameList(body, 'resourceLogs', '').entries()) {
    const at = `resourceLogs[${i}]`;
    const resource = {
      attributes: attributesOf(
        objectOf(resourceLogs['resource'] ?? {}, `${at}.resource`)['attributes'],
        `${at}.resource.attributes`,
      ),
    };
    for (const [j, scopeLogs] of frameList(resourceLogs, 'scopeLogs', at).entries()) {
      const within = `${at}.scopeLogs[${j}]`;
      const scope = objectOf(scopeLogs['scope'] ?? {}, `${within}.scope`);
      const name = textOf(scope['name'], `${within}.scope.name`);
      for (const [k, record] of frameList(scopeLogs, 'logRecords', within).entries())
        draft.add(`${within}.logRecords[${k}]`, () => read(record, name, resource));
    }
  }
  return draft.finish();
}

class Draft {
  readonly #spans: DecodedSpan[] = [];
  readonly #refused: Refusal[] = [];
  #count = 0;
  #withoutContext = 0;

  add(path: string, work: () => readonly DecodedSpan[]): void {
    if (++this.#count > SPANS_PER_REQUEST_MAX)
      throw new BodyProblem(
        path,
        `more than ${SPANS_PER_REQUEST_MAX} records; send less at a time`,
      );
    try {
      const spans = work();
      if (spans.length === 0) this.#withoutContext++;
      this.#spans.push(...spans);
    } catch (problem) {
      if (!(problem instanceof SpanProblem)) throw problem;
      const { reason, message } = problem;
      this.#refused.push({ path: `${path}.${problem.path}`, problem: message, reason });
    }
  }

  finish(): DecodedRequest {
    return {
      spans: this.#spans,
      flushes: [],
      refused: this.#refused,
      ...(this.#withoutContext > 0 && { ignored: { log_without_context: this.#withoutContext } }),
    };
  }
}

/** None when the record has no place. */
function read(json: JsonObject, scope: string, resource: DecodedResource): readonly DecodedSpan[] {
  const attributes = attributesOf(json['attributes'], 'attributes');
  const told = attributes['partial.event'];
  if (typeof told === 'string') return partial(told, json, resource);
  const traceId = traceOf(json, attributes, resource.attributes);
  if (traceId === undefined) return [];
  const said = textOf(json['spanId'], 'spanId');
  const at = wholeOf(json['timeUnixNano'], 'timeUnixNano');
  const atUnixNs = at || wholeOf(json['observedTimeUnixNano'], 'observedTimeUnixNano');
  const body = anyValue(json['body'], 'body');
  const name = textOf(json['eventName'], 'eventName') || shortText(body) || 'log';
  const identity = JSON.stringify([traceId, said, String(atUnixNs), name, body, attributes]);
  return [
    checkSpan(
      {
        ...emptySpan(),
        traceId,
        spanId: hashOf(`log\n${identity}`),
        // Never a root, which would name the trace.
        parentSpanId: /^0*$/.test(said) ? sessionStartSpanId(traceId) : said,
        name,
        startUnixNs: atUnixNs,
        endUnixNs: atUnixNs,
        attributes: {
          ...attributes,
          [ATTR.log]: severityOf(json),
          ...(body !== null && { [ATTR.logBody]: body }),
        },
      },
      scope,
      resource,
    ),
  ];
}

/** Where a record belongs: its trace, else that of the session it names. */
function traceOf(json: JsonObject, own: Attributes, resource: Attributes): string | undefined {
  const traceId = textOf(json['traceId'], 'traceId');
  if (!/^0*$/.test(traceId)) return traceId.toLowerCase();
  const session = own[ATTR.sessionId] ?? resource[ATTR.sessionId];
  return typeof session === 'string' && session !== '' ? sessionTraceId(session) : undefined;
}

/** OTLP's numbers: four of each word, from 1. */
const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

function severityOf(json: JsonObject): string {
  const number = Number(wholeOf(json['severityNumber'], 'severityNumber'));
  return (
    SEVERITIES[Math.floor((number - 1) / 4)] ??
    (textOf(json['severityText'], 'severityText').toLowerCase() || 'unspecified')
  );
}

const NAME_LENGTH_MAX = 120;

function shortText(body: AttributeValue): string {
  if (typeof body !== 'string') return '';
  return body.length > NAME_LENGTH_MAX ? `${body.slice(0, NAME_LENGTH_MAX)}…` : body;
}

// ---- spans that still run -----------------------------------------------------------------

function partial(
  told: string,
  json: JsonObject,
  resource: DecodedResource,
): readonly DecodedSpan[] {
  const body = anyValue(json['body'], 'body');
  if (typeof body !== 'string')
    throw new SpanProblem('body', 'partial_span', 'expected the span as OTLP/JSON in a string');
  const result = decodeTraces(Buffer.from(withHexIds(body)), 'json');
  if (!result.ok) throw new SpanProblem(`body.${result.path}`, 'partial_span', result.problem);
  const nowUnixNs = wholeOf(json['timeUnixNano'] ?? json['observedTimeUnixNano'], 'timeUnixNano');
  const spans = result.value.spans.map(span => ({
    ...span,
    resource: Object.keys(span.resource.attributes).length > 0 ? span.resource : resource,
  }));
  return told === 'stop' ? spans : spans.map(span => pendingOf(span, nowUnixNs));
}

/** Told again with each heart beat, under one ID: the first is kept. */
function pendingOf(span: DecodedSpan, nowUnixNs: bigint): DecodedSpan {
  const raw: RawSpan = {
    ...emptySpan(),
    ...span,
    spanId: hashOf(`pending\n${span.traceId}\n${span.spanId}`),
    parentSpanId: span.spanId,
    endUnixNs: nowUnixNs > span.startUnixNs ? nowUnixNs : span.startUnixNs,
    attributes: { ...span.attributes, [ATTR.pending]: span.parentSpanId ?? '' },
    events: [...span.events],
    links: [...span.links],
  };
  return checkSpan(raw, span.scope, span.resource);
}

/** Protobuf's own JSON writes IDs in base64, OTLP's in hex; these records come in both. */
const withHexIds = (json: string): string =>
  json.replaceAll(
    /"(traceId|spanId|parentSpanId)"\s*:\s*"([A-Za-z0-9+/]{11}=|[A-Za-z0-9+/]{22}==)"/g,
    (_all, key: string, base64: string) =>
      `"${key}":"${Buffer.from(base64, 'base64').toString('hex')}"`,
  );

function hashOf(text: string): string {
  const hex = toHex(murmur3x128(encodeUtf8(text)).subarray(0, 8));
  return /^0+$/.test(hex) ? '0000000000000001' : hex;
}
