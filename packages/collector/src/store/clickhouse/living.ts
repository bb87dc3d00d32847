// Which collectors live, by what each says of itself once a second, and which of them something falls to:
// the one with the greatest hash of both names (rendezvous). When one dies, only what was its own moves,
// and nobody has to agree on anything.
//
// `role` tells apart what is shared out: '' all sessions, `forward <target>` what goes to one target.

import type { Client } from './client.ts';

const BEAT_MS = 1_000;
/** Not heard of for so long: dead. */
const DEAD_MS = 5_000;
/** A new one waits for so long, until all know it. */
const JOIN_MS = 3_000;

export interface LivingPorts {
  readonly client: Client;
  readonly collector: string;
  readonly role: string;
  readonly nowMs: () => number;
}

export class Living {
  readonly #ports: LivingPorts;
  readonly #startMs: number;
  #beatMs = -Infinity;

  constructor(ports: LivingPorts) {
    this.#ports = ports;
    this.#startMs = ports.nowMs();
  }

  /** True once a second: it was said again that this one lives. */
  async beat(): Promise<boolean> {
    const { client, collector, role, nowMs } = this.#ports;
    const now = nowMs();
    if (now - this.#beatMs < BEAT_MS) return false;
    await client.insert(client.table('framescope_collector'), [
      { collector, role, age_ms: Math.round(now - this.#startMs) },
    ]);
    this.#beatMs = now;
    return true;
  }

  /** Those that share it out, this one included as soon as all know it. */
  async all(): Promise<readonly string[]> {
    const { client, collector, role, nowMs } = this.#ports;
    const rows = await client.rows<{ collector: string; age: string }>(
      `SELECT collector, toString(max(age_ms)) AS age FROM ${client.table('framescope_collector')}
       WHERE at > now64(3) - toIntervalMillisecond({dead:UInt32}) AND role = {role:String}
       GROUP BY collector`,
      { dead: DEAD_MS, role },
    );
    const others = rows.filter(one => one.collector !== collector);
    const known = others.filter(one => Number(one.age) >= JOIN_MS).map(one => one.collector);
    // All of them new: somebody has to begin.
    const isIn = known.length === 0 || nowMs() - this.#startMs >= JOIN_MS;
    return (isIn ? [...known, collector] : known).toSorted();
  }
}

/** The collector that `key` falls to; undefined without any. */
export function ownerOf(key: string, collectors: readonly string[]): string | undefined {
  let best: string | undefined;
  let most = -1;
  for (const collector of collectors) {
    const weight = weightOf(`${collector} ${key}`);
    if (weight <= most) continue;
    most = weight;
    best = collector;
  }
  return best;
}

/** FNV-1a, mixed: names that differ in one letter should not lie together. */
function weightOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
