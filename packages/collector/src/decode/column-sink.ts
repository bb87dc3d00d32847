// Where spans go as rows: the columns, and the quick readers that fill them.

import { ColumnWords } from './column-words.ts';
import { SpanProblem } from './problem.ts';
import { QuickJsonSpan } from './quick-json-span.ts';
import { QuickProtobuf, type QuickPlace } from './quick-protobuf.ts';
import type { SpanColumns } from './span-columns.ts';
import type { DecodedResource } from './types.ts';

/** What is around the spans that are read. */
interface Around {
  readonly resource: DecodedResource;
  readonly scope: string;
}

export class ColumnSink {
  readonly columns: SpanColumns;
  readonly words: ColumnWords;
  readonly #protobuf: QuickProtobuf;
  readonly #json: QuickJsonSpan;
  #resource: DecodedResource | undefined;
  #scope: string | undefined;
  #place: QuickPlace | undefined;

  constructor(columns: SpanColumns) {
    this.columns = columns;
    this.words = new ColumnWords(columns);
    this.#protobuf = new QuickProtobuf(columns, this.words);
    this.#json = new QuickJsonSpan(columns, this.words);
  }

  begin(bytes: Uint8Array): void {
    this.#resource = this.#scope = undefined;
    this.words.refresh();
    this.#protobuf.begin(bytes);
    this.#json.begin(bytes);
  }

  /** Reads the span at `[from, to)` into a row; false, and no row, when it is not a usual one. */
  readProtobuf(from: number, to: number, around: Around): boolean {
    const place = this.#placeOf(around);
    return place !== undefined && this.#protobuf.read(from, to, place);
  }

  /** The same in JSON, for the span that starts at `from`: where it ends, or -1. */
  readJson(from: number, around: Around): number {
    const place = this.#placeOf(around);
    return place === undefined ? -1 : this.#json.read(from, place);
  }

  /** Undefined when the resource is one that its spans are refused for. */
  #placeOf({ resource, scope }: Around): QuickPlace | undefined {
    if (resource === this.#resource && scope === this.#scope) return this.#place;
    this.#resource = resource;
    this.#scope = scope;
    this.#place = this.#newPlace({ resource, scope });
    return this.#place;
  }

  #newPlace({ resource, scope }: Around): QuickPlace | undefined {
    const { columns } = this;
    try {
      const number = columns.resourceNumber(resource);
      const { session, sessionRank } = columns.resources[number]!;
      return { scope: columns.texts.internText(scope), resource: number, session, sessionRank };
    } catch (problem) {
      if (problem instanceof SpanProblem) return undefined;
      throw problem;
    }
  }
}
