// The frames of a session for a chart: its stored records read, joined and
// judged by the same code as the ledgers, and kept for the next window.
//
// A page that scrolls asks many times a second; a live call grows by a record a
// second and process. So the last few sessions stay in memory and only what came
// since is read.

import { budgetOf } from './measure-info.ts';
import type { QueryContext } from './queries.types.ts';
import { framesOf, type StreamFrames } from '../assemble/frames/stream-frames.ts';
import { ClockBook } from '../assemble/clock/clock-book.ts';
import { SessionData } from '../assemble/session-data.ts';
import type { StoreReader } from '../store/store.ts';

export interface SessionFrames {
  readonly zeroUnixNs: bigint;
  readonly durationNs: number;
  readonly streams: readonly StreamFrames[];
}

interface Held {
  readonly zeroUnixNs: bigint;
  readonly data: SessionData;
  /** The last commit read: a flush may come minutes after others that were written later. */
  commit: number;
  /** Revision of `data` that `streams` shows. */
  revision: number;
  judgedUnixNs: bigint;
  streams: readonly StreamFrames[];
}

/** 40 bytes a mark with its latency and flags: a quarter of a gigabyte. */
const MARKS_MAX = 6_000_000;
const caches = new WeakMap<StoreReader, Map<string, Held>>();

/** Undefined when there is no such session. */
export async function sessionFrames(
  context: QueryContext,
  sessionKey: string,
): Promise<SessionFrames | undefined> {
  const detail = await context.reader.session(sessionKey);
  if (detail === undefined) return undefined;
  const zeroUnixNs = BigInt(detail.zeroUnixNs);
  const cache = cacheOf(context.reader);
  const known = cache.get(sessionKey);
  const held = known?.zeroUnixNs === zeroUnixNs ? known : await newHeld(zeroUnixNs, context);
  cache.delete(sessionKey);
  cache.set(sessionKey, held);
  await readNew(held, sessionKey, context);
  const isDue = detail.status !== 'live' || isAffordable(held, context);
  if (held.revision !== held.data.revision && isDue) judge(held, context);
  forgetOldest(cache);
  return { zeroUnixNs, durationNs: detail.durationNs, streams: held.streams };
}

function cacheOf(reader: StoreReader): Map<string, Held> {
  let cache = caches.get(reader);
  if (cache === undefined) caches.set(reader, (cache = new Map()));
  return cache;
}

async function newHeld(zeroUnixNs: bigint, { reader }: QueryContext): Promise<Held> {
  const zeros = await reader.collectorClocks();
  return {
    zeroUnixNs,
    // Which of them runs now is of no matter for what is stored: the newest.
    data: new SessionData(new ClockBook(zeros, zeros.at(-1) ?? NO_CLOCK), zeroUnixNs),
    commit: 0,
    revision: -1,
    judgedUnixNs: 0n,
    streams: [],
  };
}

const NO_CLOCK = { domain: '', epoch: 0 };

async function readNew(held: Held, sessionKey: string, { reader }: QueryContext): Promise<void> {
  const flushes = await reader.flushesSince(sessionKey, held.commit);
  // Another request may have read them meanwhile.
  const readUntil = held.commit;
  for (const flush of flushes) {
    if (flush.commit <= readUntil) continue;
    held.data.addFlush(flush);
    held.commit = flush.commit;
  }
}

/**
 * Joining all frames costs 0.15 µs a mark. A live call of an hour is joined every other second,
 * so that one open page does not take the thread that answers all others.
 */
const MARKS_ALWAYS = 1_000_000;
const JUDGE_EVERY_NS_A_MARK = 1_000n;

const isAffordable = ({ judgedUnixNs, data }: Held, { nowUnixNs }: QueryContext): boolean =>
  data.markCount < MARKS_ALWAYS ||
  nowUnixNs() - judgedUnixNs >= BigInt(data.markCount) * JUDGE_EVERY_NS_A_MARK;

function judge(held: Held, { budgets, nowUnixNs }: QueryContext): void {
  held.judgedUnixNs = nowUnixNs();
  const clocks = held.data.clockMaps();
  const budgetNs = budgetOf(budgets, 'frame');
  held.streams = [...held.data.streams.values()].map(marks =>
    framesOf(marks, { clocks, budgetNs }),
  );
  held.revision = held.data.revision;
}

function forgetOldest(cache: Map<string, Held>): void {
  let marks = 0;
  for (const held of cache.values()) marks += held.data.markCount;
  for (const [key, held] of cache) {
    if (marks <= MARKS_MAX || cache.size === 1) return;
    marks -= held.data.markCount;
    cache.delete(key);
  }
}
