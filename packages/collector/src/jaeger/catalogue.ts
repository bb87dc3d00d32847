// Which services and operations there are. Nothing in the store lists them: they are read off the
// spans once, and then off what came since.

import type { DecodedSpan } from '../decode/types.ts';
import { isWhole } from '../query/fold.ts';
import type { StoreReader } from '../store/store.ts';
import { serviceOfSpan, SPAN_KINDS } from './jaeger-trace.ts';

export interface Operation {
  readonly name: string;
  readonly spanKind: string;
}

const SPANS_A_STEP = 20_000;
/** Of a large store the newest commits tell: about ten million spans. */
const COMMITS_MAX = 5_000;
/** One question reads on for so many spans; the next goes on from there. */
const SPANS_A_LOOK = 200_000;
/** A program that puts IDs into span names would fill the memory. */
const OPERATIONS_MAX = 10_000;

export class Catalogue {
  readonly #reader: StoreReader;
  readonly #services = new Map<string, Map<string, Operation>>();
  #commit: number | undefined;

  constructor(reader: StoreReader) {
    this.#reader = reader;
  }

  async services(): Promise<string[]> {
    await this.#update();
    return [...this.#services.keys()];
  }

  /** Of one service; of one kind of span when given. */
  async operations(service: string, spanKind?: string): Promise<Operation[]> {
    await this.#update();
    return [...(this.#services.get(service)?.values() ?? [])].filter(
      one => spanKind === undefined || spanKind === '' || one.spanKind === spanKind,
    );
  }

  async #update(): Promise<void> {
    const last = await this.#reader.lastCommit();
    if (last === undefined) return;
    this.#commit ??= Math.max(0, last.commit - COMMITS_MAX);
    for (let read = 0; this.#commit < last.commit && read < SPANS_A_LOOK;) {
      const run = await this.#reader.spansAfter(this.#commit, SPANS_A_STEP);
      if (run.last === undefined) return;
      for (const span of run.spans) if (isWhole(span)) this.#add(span);
      read += run.spans.length + 1;
      this.#commit = run.last.commit;
    }
  }

  #add(span: DecodedSpan): void {
    const service = serviceOfSpan(span);
    let operations = this.#services.get(service);
    if (operations === undefined) this.#services.set(service, (operations = new Map()));
    const spanKind = SPAN_KINDS[span.kind] ?? '';
    const key = `${spanKind} ${span.name}`;
    if (operations.size < OPERATIONS_MAX) operations.set(key, { name: span.name, spanKind });
  }
}

const catalogues = new WeakMap<StoreReader, Catalogue>();

/** The one of a reader: what it has read is kept. */
export function catalogueOf(reader: StoreReader): Catalogue {
  let catalogue = catalogues.get(reader);
  if (catalogue === undefined) catalogues.set(reader, (catalogue = new Catalogue(reader)));
  return catalogue;
}
