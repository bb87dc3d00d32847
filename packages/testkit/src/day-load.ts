// How busy the agent hosts of a simulated day were: calls at once, and what so
// many do to an event loop. Told as processes tell it (`process.load`), ten seconds
// at a time, while there are calls.

import type { LoadFigures } from '@framescope/protocol';
import type { Scenario } from './scenario.ts';

const STEP_MS = 10_000;
/** Calls that a host bears without being late. */
const EASY_CALLS = 6;
const SPANS_A_BODY = 2_000;

interface Stay {
  readonly fromMs: number;
  readonly toMs: number;
}

export class DayLoad {
  readonly #stays = new Map<string, { region: string; all: Stay[] }>();

  add({ hosts, startUnixMs }: Scenario, endNs: number): void {
    const { 'host.name': host = 'agent', 'cloud.region': region = '' } = hosts.agent.resource ?? {};
    const known = this.#stays.get(host) ?? { region, all: [] };
    this.#stays.set(host, known);
    known.all.push({ fromMs: startUnixMs, toMs: startUnixMs + endNs / 1e6 });
  }

  /** OTLP bodies in JSON. */
  *bodies(): Generator<string> {
    let number = 0;
    for (const [host, { region, all }] of this.#stays) {
      const spans: object[] = [];
      for (const [atMs, calls] of callsByStep(all))
        spans.push(spanOf(host, atMs, figuresOf(calls), ++number));
      for (let from = 0; from < spans.length; from += SPANS_A_BODY)
        yield bodyOf(host, region, spans.slice(from, from + SPANS_A_BODY));
    }
  }
}

/** The most calls at once in each step that has any, by its start. */
function callsByStep(stays: readonly Stay[]): Map<number, number> {
  const steps = new Map<number, number>();
  const from = (ms: number): number => Math.floor(ms / STEP_MS) * STEP_MS;
  for (const stay of stays)
    for (let at = from(stay.fromMs); at < stay.toMs; at += STEP_MS)
      steps.set(at, (steps.get(at) ?? 0) + 1);
  return new Map([...steps].toSorted((a, b) => a[0] - b[0]));
}

function figuresOf(calls: number): LoadFigures {
  const over = Math.max(0, calls - EASY_CALLS);
  return {
    calls,
    lagMaxNs: 2e6 + over ** 2 * 9e6,
    lagMeanNs: 0.3e6 + over * 2e6,
    busy: Math.min(1, 0.04 + 0.06 * calls),
    cpu: Math.min(1.2, 0.03 + 0.06 * calls),
    rssBytes: 90e6 + calls * 4e6,
    waiting: { llm_queue: over },
  };
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });

function spanOf(host: string, atMs: number, figures: LoadFigures, number: number): object {
  const id = [...host].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) >>> 0, 7);
  return {
    traceId: hex(id, 32),
    spanId: hex(number, 16),
    name: 'process.load',
    kind: 1,
    startTimeUnixNano: `${atMs}000000`,
    endTimeUnixNano: `${atMs + STEP_MS}000000`,
    attributes: [
      text('framescope.producer', hex(id, 16)),
      text('framescope.clock.domain', hex(id, 16)),
      text('framescope.load', JSON.stringify(figures)),
    ],
  };
}

const bodyOf = (host: string, region: string, spans: readonly object[]): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: [
            text('service.name', 'voice-agent'),
            text('service.instance.id', host),
            text('host.name', host),
            text('cloud.region', region),
          ],
        },
        scopeSpans: [{ spans }],
      },
    ],
  });
