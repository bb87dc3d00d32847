// What other programs tell of a session's turns: their spans, kept by source, and what
// the recogniser of each makes of them. Asked anew when spans came; a call has some
// thousand at most.

import type { Attributes, SourceDetail } from '@framescope/protocol';
import { recogniserOf } from '../../recognise/sources.ts';
import type {
  KnownTurn,
  Recogniser,
  Recognition,
  SourceName,
} from '../../recognise/source.types.ts';
import type { StoredSpan } from '../../store/store.ts';
import type { ClockKey } from '../clock/clock-graph.ts';
import type { Process, SessionData, TurnFacts } from '../session-data.ts';

/** Of one session; an hour of a talkative agent has five thousand. */
const SPANS_MAX = 50_000;

interface Source {
  readonly recogniser: Recogniser;
  readonly spans: StoredSpan[];
  /** What was recognised, of how many spans, on which clock. */
  known: Known | undefined;
}

interface Known {
  readonly count: number;
  readonly clock: ClockKey;
  readonly zeroUnixNs: bigint;
  readonly isOver: boolean;
  readonly recognition: Recognition;
  /** DomainNs of the last thing told. */
  readonly lastRawNs: number;
}

export class SessionSources {
  readonly #sources = new Map<SourceName, Source>();
  /** Revision of each turn, and what it was. */
  readonly #told = new Map<string, { rev: number; text: string }>();

  /** True when a recogniser owns it. */
  add(span: StoredSpan, data: SessionData): boolean {
    const recogniser = recogniserOf(span);
    if (recogniser === undefined) return false;
    let source = this.#sources.get(recogniser.name);
    if (source === undefined) {
      source = { recogniser, spans: [], known: undefined };
      this.#sources.set(recogniser.name, source);
    }
    if (source.spans.length < SPANS_MAX) source.spans.push(span);
    else data.refuse('spans beyond what is read of a session');
    return true;
  }

  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  /** The root of a call has ended: nothing more is expected of it. */
  get isOver(): boolean {
    for (const { known } of this.#sources.values()) if (known?.recognition.isOver) return true;
    return false;
  }

  /** Reads what came since. `isOver`: nothing more is expected of the session. */
  recognise(data: SessionData, isOver: boolean): void {
    for (const source of this.#sources.values()) {
      const { clock, zeroUnixNs } = clockOf(source, data);
      const { known, spans } = source;
      const isSame =
        known?.count === spans.length &&
        known.clock === clock &&
        known.zeroUnixNs === zeroUnixNs &&
        known.isOver === isOver;
      if (isSame) continue;
      const recognition = source.recogniser.recognise(spans, { zeroUnixNs, isOver });
      let lastUnixNs = 0n;
      for (const { endUnixNs } of spans) if (endUnixNs > lastUnixNs) lastUnixNs = endUnixNs;
      const lastRawNs = Number(lastUnixNs - zeroUnixNs);
      source.known = { count: spans.length, clock, zeroUnixNs, isOver, recognition, lastRawNs };
    }
  }

  /** As last recognised: one list a source. */
  turns(): TurnFacts[][] {
    return [...this.#sources.values()].map(({ recogniser, known }) =>
      (known?.recognition.turns ?? []).map(turn => ({
        state: { ...turn, rev: this.#revision(turn) },
        clock: known!.clock,
        producer: undefined,
        source: recogniser.name,
        knownToRawNs: known!.lastRawNs,
      })),
    );
  }

  #revision(turn: KnownTurn): number {
    const id = `${turn.stream} ${turn.tick}`;
    const text = JSON.stringify(turn);
    const told = this.#told.get(id);
    if (told?.text === text) return told.rev;
    const rev = (told?.rev ?? 0) + 1;
    this.#told.set(id, { rev, text });
    return rev;
  }

  attributes(): Attributes {
    const all = [...this.#sources.values()].map(({ known }) => known?.recognition.attributes);
    return Object.assign({}, ...all) as Attributes;
  }

  details(): SourceDetail[] {
    return [...this.#sources.values()].flatMap(({ recogniser, known }) =>
      known === undefined
        ? []
        : {
            name: recogniser.name,
            turnCount: known.recognition.turns.length,
            notes: known.recognition.notes,
          },
    );
  }
}

/**
 * Which clock its times are read on: that of the process in which our own probes run too,
 * if they do, since that one is compared with others; else the host's wall clock.
 */
function clockOf(
  { recogniser, spans, known }: Source,
  data: SessionData,
): { clock: ClockKey; zeroUnixNs: bigint } {
  const { resource, startUnixNs } = spans[0]!;
  const process = processOf(resource.attributes, data) ?? insideOf(recogniser.name, data);
  if (process !== undefined) {
    const { zeroUnixNs } = data.clocks.nameOf(process.clock);
    return { clock: process.clock, zeroUnixNs };
  }
  const domain = `wall clock of ${recogniser.name}`;
  if (known !== undefined) return known;
  const clock = data.clocks.note({ domain, epoch: 0, zeroUnixNs: startUnixNs });
  return { clock, zeroUnixNs: data.clocks.nameOf(clock).zeroUnixNs };
}

/** The one process of ours that says it runs inside that framework: what Pipecat calls itself is `unknown`. */
function insideOf(framework: SourceName, { processes }: SessionData): Process | undefined {
  const inside = [...processes.values()].filter(
    one => one.session?.attributes['framework'] === framework,
  );
  return inside.length === 1 ? inside[0] : undefined;
}

/** By instance, else by host: one host has one clock, and on Linux our domains are those of hosts. */
function processOf(resource: Attributes, { processes }: SessionData): Process | undefined {
  const same = (key: string): Process | undefined => {
    const value = resource[key];
    if (typeof value !== 'string' || value === '' || value === 'unknown') return undefined;
    return [...processes.values()].find(one => one.resource[key] === value);
  };
  return same('service.instance.id') ?? same('host.name');
}
