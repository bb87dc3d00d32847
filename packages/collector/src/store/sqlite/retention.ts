// What goes, and when: by size at once, by age a little at a time.
//
//   --max-size    after each commit: the oldest volume is unlinked, with what was derived
//                 from it alone; when one volume is left, the rows of the oldest calls
//   --retention   frames go out of an old volume, then spans; a volume with neither is
//                 unlinked; turns and minutes (meta.db) live longest
//
// Pinned calls are passed over: what goes away of theirs is copied first (kept-calls.ts).
//
// Rows are deleted some thousand at a time and their pages handed back to the file
// system: the writer takes bodies in between.

import type { Retention } from '../store.ts';
import type { MetaWriter } from './meta-writer.ts';
import type { DataFolder } from './volume-files.ts';
import type { VolumeWriter } from './volume-writer.ts';

/** Of the cap that rows of meta.db may take when they are not all that is left. */
const META_SHARE = 0.5;

/** Sessions whose rows go at a time: some milliseconds. */
const SESSIONS_AT_ONCE = 20;

export interface RetentionPorts {
  readonly folder: DataFolder;
  readonly meta: MetaWriter;
  /** Oldest first; those that are dropped are taken out. */
  readonly volumes: VolumeWriter[];
  readonly maxBytes: number;
  readonly ages: Retention;
  readonly onVolumes: () => void;
  /** Called before the last of these volumes loses something: pinned calls are copied out. */
  readonly keep: (volumes: readonly VolumeWriter[]) => void;
}

export class RetentionKeeper {
  readonly #ports: RetentionPorts;
  /** Bytes of the volumes that are not written any more, by number. */
  readonly #closedBytes = new Map<number, number>();

  constructor(ports: RetentionPorts) {
    this.#ports = ports;
  }

  /** Bytes of all files, asking the file system only for those that change. */
  totalBytes(): number {
    const { folder, volumes } = this.#ports;
    const newest = volumes.at(-1);
    let bytes = folder.metaBytes() + (newest ? folder.volumeBytes(newest.number) : 0);
    for (const { number } of volumes.slice(0, -1)) {
      let closed = this.#closedBytes.get(number);
      if (closed === undefined) {
        closed = folder.volumeBytes(number);
        this.#closedBytes.set(number, closed);
      }
      bytes += closed;
    }
    return bytes;
  }

  /** Call after each commit: the files are within the cap when it returns, but for the newest. */
  keepCap(): void {
    const { maxBytes, volumes, meta, folder } = this.#ports;
    while (this.totalBytes() > maxBytes) {
      const isMetaLarge = folder.metaBytes() > maxBytes * META_SHARE;
      // Rows of pinned calls stay, however many: then it is the volumes' turn.
      if (isMetaLarge && meta.dropOldestSessions(SESSIONS_AT_ONCE)) continue;
      if (volumes.length > 1) this.#dropOldest(true);
      else if (!meta.dropOldestSessions(SESSIONS_AT_ONCE)) return;
    }
  }

  /**
   * After a batch that is durable: a failure here must not call it refused, or its sender comes
   * again with what counts as known, and nobody assembles it. Derived rows come next and tell it.
   */
  tryKeepCap(): void {
    try {
      this.keepCap();
    } catch {
      return;
    }
  }

  #dropOldest(withDerived: boolean): void {
    const { folder, volumes, meta, onVolumes, keep } = this.#ports;
    keep(volumes.slice(0, 1));
    const oldest = volumes.shift()!;
    const last = oldest.queries.lastCommit();
    oldest.close();
    folder.dropVolume(oldest.number);
    this.#closedBytes.delete(oldest.number);
    if (withDerived && last) meta.dropCovered(last.commit);
    onVolumes();
  }

  /** Some of what is too old; true when there is more of it. */
  age(nowUnixNs: bigint): boolean {
    const { ages, meta } = this.#ports;
    const before = (ageNs: bigint | undefined): bigint | undefined =>
      ageNs === undefined ? undefined : nowUnixNs - ageNs;
    const limits = { frames: before(ages.framesNs), spans: before(ages.spansNs) };
    for (const volume of this.#ports.volumes.slice(0, -1))
      if (this.#ageVolume(volume, limits)) return true;
    const turns = before(ages.turnsNs);
    return turns !== undefined && meta.dropSessionsBefore(turns, SESSIONS_AT_ONCE);
  }

  #keepTo(volume: VolumeWriter): void {
    const { volumes, keep } = this.#ports;
    keep(volumes.slice(0, volumes.indexOf(volume) + 1));
  }

  #ageVolume(
    volume: VolumeWriter,
    limits: { readonly frames: bigint | undefined; readonly spans: bigint | undefined },
  ): boolean {
    const last = volume.queries.lastCommit();
    const isOld = (limit: bigint | undefined): boolean =>
      limit !== undefined && (last === undefined || last.arrivalUnixNs < limit);
    const isSpansOld = isOld(limits.spans);
    const isFramesOld = isOld(limits.frames);
    if (isSpansOld && isFramesOld && volume === this.#ports.volumes[0]) {
      this.#dropOldest(false);
      return true;
    }
    if (isFramesOld || isSpansOld) this.#keepTo(volume);
    const isMore = (isFramesOld && volume.dropFrames()) || (isSpansOld && volume.dropSpans());
    if (isMore) this.#closedBytes.delete(volume.number);
    return isMore;
  }
}
