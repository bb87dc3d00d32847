// Calls that are kept, each in a file of its own: kept/<key>.db, with the schema of a volume.
//
// As long as its volumes are there a pinned call costs nothing: its data stay where they are. Before
// retention takes something out of a volume, what this volume and older ones hold of pinned calls
// is copied, in order and with the numbers of its commits. So up to the last commit of its file a
// call is read from there, and behind it from the volumes: no row is ever read twice.
//
//   volumes/000001.db  commits 1…40   going away      kept/3f0c….db  commits 1…40 of this call
//   volumes/000002.db  commits 41…    stays           (41… are still read from the volume)
//
// One file a call, not one for all: a commit's spans are one block, which several calls would have
// to share, and letting go of a call is an unlink.

import type { StoredFlush, StoredSpan } from '../store.ts';
import { SpanColumns } from '../../decode/span-columns.ts';
import { TraceGroups, type CommitRows } from './commit-rows.ts';
import type { DataFolder } from './volume-files.ts';
import { VolumeWriter, type Commit } from './volume-writer.ts';

/** Number of a file that is no volume. */
const NO_VOLUME = 0;

/** What a volume holds of a call in one commit. */
interface Piece {
  readonly commit: Commit;
  readonly spans: StoredSpan[];
  readonly flushes: StoredFlush[];
}

export interface KeptOptions {
  readonly logBytes: number;
  /** Keys of the pinned calls. */
  readonly pinned: () => readonly string[];
  /** A file came or went: readers look again. */
  readonly onFiles: () => void;
}

export class KeptCalls {
  readonly #folder: DataFolder;
  readonly #options: KeptOptions;
  readonly #files = new Map<string, VolumeWriter>();
  /** What was copied: volume, key, last commit. Retention asks four times a second. */
  readonly #copied = new Set<string>();

  constructor(folder: DataFolder, options: KeptOptions) {
    this.#folder = folder;
    this.#options = options;
    for (const key of folder.keptKeys()) this.#open(key);
  }

  #open(key: string): VolumeWriter {
    const file = new VolumeWriter(NO_VOLUME, this.#folder.keptPath(key), {
      isNewest: false,
      logBytes: this.#options.logBytes,
    });
    this.#files.set(key, file);
    return file;
  }

  get(key: string): VolumeWriter | undefined {
    return this.#files.get(key);
  }

  /** The last commit that is read from the file of a call; 0 when it has none. */
  keptTo(key: string): number {
    return this.#files.get(key)?.queries.lastCommit()?.commit ?? 0;
  }

  all(): readonly VolumeWriter[] {
    return [...this.#files.values()];
  }

  /**
   * Call before anything is taken out of the last of `volumes` (oldest first): when it returns,
   * what they hold of pinned calls stands on disk in the calls' own files.
   */
  keep(volumes: readonly VolumeWriter[]): void {
    let hasNew = false;
    for (const key of this.#options.pinned())
      for (const volume of volumes) {
        const isNew = !this.#files.has(key);
        if (this.#copy(volume, key) && isNew) hasNew = true;
      }
    if (hasNew) this.#options.onFiles();
  }

  /** False when there was nothing to copy. */
  #copy(from: VolumeWriter, key: string): boolean {
    const session = from.queries.sessionByKey(key);
    const name = `${from.number} ${key} ${session?.lastCommit}`;
    if (!session || this.#copied.has(name)) return false;
    const pieces = piecesOf(from, { ...session, key }, this.keptTo(key));
    if (pieces.length === 0) {
      this.#copied.add(name);
      return false;
    }
    const to = this.#files.get(key) ?? this.#open(key);
    const owner = { key, id: session.sessionId, incarnation: session.incarnation };
    to.transaction(() => {
      for (const { commit, spans, flushes } of pieces) {
        const row = to.touchSession(owner, commit);
        if (spans.length > 0) {
          const columns = new SpanColumns();
          for (const span of spans) columns.add(span);
          to.writeSpans(columns, rowsOf(columns, row), commit);
          to.writeSessionPart(row, commit, spans.length);
        } else to.writeCommit(commit, 0);
        for (const flush of flushes) to.writeFlush(flush, row, commit);
      }
    });
    // Out of the log and onto the disk: the volume goes next.
    to.finish();
    this.#copied.add(name);
    return true;
  }

  /** Lets go of a call's file. */
  drop(key: string): void {
    this.#files.get(key)?.close();
    this.#files.delete(key);
    this.#folder.dropKept(key);
    this.#copied.clear();
    this.#options.onFiles();
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }
}

function piecesOf(
  { spans, queries }: VolumeWriter,
  session: { readonly id: bigint; readonly key: string; readonly sessionId: string },
  after: number,
): Piece[] {
  const pieces = new Map<number, Piece>();
  const pieceOf = (number: number, arrivalUnixNs: bigint): Piece => {
    let piece = pieces.get(number);
    if (!piece)
      pieces.set(number, (piece = { commit: { number, arrivalUnixNs }, spans: [], flushes: [] }));
    return piece;
  };
  spans.eachBlock(session.id, ({ block, rows }) => {
    const { commit, arrivalUnixNs } = block.row;
    if (commit > after)
      for (const row of rows) pieceOf(commit, arrivalUnixNs).spans.push(spans.spanAt(block, row));
    return true;
  });
  const owner = { key: session.key, id: session.sessionId };
  for (const flush of queries.flushesSince(session.id, owner, after))
    pieceOf(flush.commit, flush.arrivalUnixNs).flushes.push(flush);
  return [...pieces.values()].toSorted((a, b) => a.commit.number - b.commit.number);
}

/** All rows, all of one session. */
function rowsOf(columns: SpanColumns, session: number): CommitRows {
  const groups = new TraceGroups();
  const words = columns.idWords();
  groups.begin(columns.length);
  groups.sessionRow.fill(session, 0, columns.length);
  for (let row = 0; row < columns.length; row++) groups.keep(groups.traceOf(words, row));
  return groups.rows(columns.length);
}
