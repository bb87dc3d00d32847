// A store as it stands after a long time, made without waiting for it: the collector's own codecs
// write what its writer would have packed, and its writer adds the minutes up. A process of its own:
//
//   node fill.js '{"folder":…,"calls":14400,"turns":1000000}'

import Database from 'better-sqlite3';

export interface FillOptions {
  readonly folder: string;
  /** Calls of ten minutes over the last 24 h. */
  readonly calls: number;
  /** Turns in calls of twenty, over the ten days before. */
  readonly turns: number;
}

/** What is used of the collector's built files; a test of the collector holds them to be the same rows. */
interface Codecs {
  readonly encodeMinutes: (entries: readonly unknown[]) => Uint8Array;
  readonly encodeWaits: (
    values: readonly unknown[],
    fromUnixNs: bigint,
  ) => { readonly data: Uint8Array; readonly more: Uint8Array };
  readonly openWriter: (folder: string) => Tidying;
}
interface Tidying {
  tidy(nowUnixNs: bigint): boolean;
  close(): void;
}

const OUT = new URL('../../../packages/collector/out/', import.meta.url);

async function codecs(): Promise<Codecs> {
  const from = async (file: string): Promise<Record<string, unknown>> =>
    (await import(new URL(file, OUT).href)) as Record<string, unknown>;
  const minutes = await from('rollup/minute-codec.js');
  const waits = await from('rollup/wait-codec.js');
  const writer = await from('store/sqlite/writer.js');
  const Writer = writer['SqliteWriter'] as new (options: object) => Tidying;
  return {
    encodeMinutes: minutes['encodeMinutes'] as Codecs['encodeMinutes'],
    encodeWaits: waits['encodeWaits'] as Codecs['encodeWaits'],
    openWriter: folder => new Writer({ folder, maxBytes: 1e12 }),
  };
}

const MINUTE_NS = 60_000_000_000n;
const CALL_MINUTES = 10;
const CALLS_AT_ONCE = 100;
const TURNS_A_CALL = 20;
const FRAMES_A_MINUTE = 3_000;
const MEASURE = 'frame.mic.agent/receive';
const PARTS = ['uplink', 'endpointing', 'transcription', 'preparation', 'inference', 'aggregation'];
const MORE = ['synthesis', 'leading_silence', 'delivery', 'downlink', 'jitter_buffer', 'playout'];
const V2V = 'voice_to_voice.client';
const MEASURES = [MEASURE, V2V, ...[...PARTS, ...MORE].map(name => `part.${name}`)];
const REGIONS = ['eu-west-1', 'eu-north-1', 'us-east-1', 'ap-south-1'];

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

/** A minute of frames of some network: 60 to 90 buckets, as a mobile call has. */
function minuteOf(minute: number, random: () => number): object {
  const counts = new Map<number, number>();
  const worst: { valueNs: number; ref: number; session: number }[] = [];
  const base = 30 + 40 * random();
  for (let i = 0; i < 300; i++) {
    const valueNs = Math.round((base - 12 * Math.log(random())) * 1e6);
    const index = Math.ceil(Math.log2(valueNs / 1e9) * 32) - 1;
    counts.set(index, (counts.get(index) ?? 0) + 10);
    worst.push({ valueNs, ref: i * 320, session: 0 });
  }
  worst.sort((a, b) => b.valueNs - a.valueNs);
  return {
    minute,
    count: FRAMES_A_MINUTE,
    lostCount: 3,
    lateCount: 0,
    concealedCount: 0,
    overBudgetCount: 1,
    refusedCount: 0,
    zeroCount: 0,
    sumNs: base * 1e6 * FRAMES_A_MINUTE,
    minNs: worst.at(-1)!.valueNs,
    maxNs: worst[0]!.valueNs,
    buckets: [...counts].toSorted((a, b) => a[0] - b[0]),
    worst: worst.slice(0, 32),
  };
}

class Filler {
  readonly #codecs: Codecs;
  readonly #database: Database.Database;
  readonly #session: Database.Statement;
  readonly #random = seeded(9);
  #number = 0;

  constructor(own: Codecs, path: string) {
    this.#codecs = own;
    this.#database = new Database(path);
    this.#database.pragma('synchronous = OFF');
    for (const name of MEASURES)
      this.#database.prepare('INSERT OR IGNORE INTO measure (name) VALUES (?)').run(name);
    this.#session = this.#database.prepare(`
      INSERT INTO session (key, session_id, status, start_ns, end_ns, covered_commit, revision,
        summary, detail, facets, is_packed)
      VALUES (?, ?, 'ended', ?, ?, 1, 1, ?, '{}', ?, 1) RETURNING id`);
  }

  #idOf(measure: string): number {
    const row = this.#database.prepare('SELECT id FROM measure WHERE name = ?').get(measure);
    return (row as { id: number }).id;
  }

  #addSession(startUnixNs: bigint, endUnixNs: bigint): number {
    const n = this.#number++;
    const key = n.toString(32).padStart(13, '0').toUpperCase();
    const attributes = {
      region: REGIONS[n % REGIONS.length]!,
      release: n % 3 === 0 ? '2.5.0' : '2.4.0',
      client: n % 5 === 0 ? 'phone' : 'browser',
      customer: `customer ${n % 977}`,
    };
    const places = [{ service: 'agent', host: `agent-${n % 12}`, region: attributes.region }];
    const facets = { attributes, synthetic: null, places, hops: {}, counts: { turns: 20 } };
    const summary = summaryOf(key, { startUnixNs, endUnixNs, attributes });
    const row = this.#session.get(
      key,
      `call ${n}`,
      startUnixNs,
      endUnixNs,
      JSON.stringify(summary),
      JSON.stringify(facets),
    );
    return (row as { id: number }).id;
  }

  /** A hundred calls at once: each slot begins another call every ten minutes. */
  frames(calls: number, endMinute: number): void {
    const insert = this.#database.prepare(`
      INSERT INTO rollup_pack (measure, session, from_minute, to_minute, count, is_first, data)
      VALUES (?, ?, ?, ?, ?, 1, ?)`);
    const measure = this.#idOf(MEASURE);
    const kinds = Array.from({ length: 64 }, () => minuteOf(0, this.#random));
    const first = endMinute - Math.ceil(calls / CALLS_AT_ONCE) * CALL_MINUTES;
    this.#database.transaction(() => {
      for (let call = 0; call < calls; call++) {
        const from = first + Math.floor(call / CALLS_AT_ONCE) * CALL_MINUTES;
        const startUnixNs = BigInt(from) * MINUTE_NS;
        const session = this.#addSession(startUnixNs, startUnixNs + 10n * MINUTE_NS);
        const entries = Array.from({ length: CALL_MINUTES }, (_, i) => ({
          ...kinds[Math.floor(this.#random() * kinds.length)]!,
          minute: from + i,
        }));
        const data = this.#codecs.encodeMinutes(entries);
        insert.run(measure, session, from, from + 9, CALL_MINUTES * FRAMES_A_MINUTE, data);
      }
      const mark = this.#database.prepare(
        'INSERT INTO dirty_minute (measure, minute) VALUES (?, ?)',
      );
      for (let minute = first; minute < endMinute; minute++) mark.run(measure, minute);
    })();
  }

  waits(turns: number, endUnixNs: bigint): void {
    const insert = this.#database.prepare(
      'INSERT INTO wait_pack (session, from_ns, to_ns, counts, data, more) VALUES (?, ?, ?, ?, ?, ?)',
    );
    const ids = new Map(MEASURES.map(name => [name, this.#idOf(name)]));
    const counts = JSON.stringify(
      [...ids].filter(([name]) => name !== MEASURE).map(([, id]) => [id, TURNS_A_CALL]),
    );
    const calls = Math.floor(turns / TURNS_A_CALL);
    const stepNs = (240n * 3_600_000_000_000n) / BigInt(Math.max(1, calls));
    this.#database.transaction(() => {
      for (let call = 0; call < calls; call++) {
        const startUnixNs = endUnixNs - stepNs * BigInt(calls - call);
        const session = this.#addSession(startUnixNs, startUnixNs + 5n * MINUTE_NS);
        const values = this.#turnsOf(startUnixNs, ids);
        const toUnixNs = startUnixNs + BigInt(TURNS_A_CALL - 1) * 12_000_000_000n;
        const { data, more } = this.#codecs.encodeWaits(values, startUnixNs);
        insert.run(session, startUnixNs, toUnixNs, counts, data, more);
      }
    })();
  }

  #turnsOf(startUnixNs: bigint, ids: ReadonlyMap<string, number>): object[] {
    const values: object[] = [];
    for (let turn = 0; turn < TURNS_A_CALL; turn++) {
      const parts = [...PARTS, ...MORE].map((name, i) => ({
        measure: ids.get(`part.${name}`)!,
        valueNs: Math.round(
          -Math.log(this.#random()) * (name === 'inference' ? 300e6 : 20e6 + i * 3e6),
        ),
      }));
      const valueNs = parts.reduce((sum, one) => sum + one.valueNs, 0);
      const isCensored = this.#random() < 0.01;
      const shared = {
        tick: turn * 192_000,
        waitIndex: 0,
        atUnixNs: startUnixNs + BigInt(turn) * 12_000_000_000n,
        isCensored,
        outcome: isCensored ? 'abandoned' : 'answered',
        errorNs: 2_000_000,
        resolved: 1,
        worst: ids.get('part.inference')!,
        worstPartNs: parts[4]!.valueNs,
        isOverBudget: valueNs > 800e6,
      };
      values.push({ ...shared, measure: ids.get(V2V)!, valueNs });
      for (const part of parts) values.push({ ...shared, ...part, savesNs: part.valueNs });
    }
    return values;
  }

  close(): void {
    this.#database.close();
  }
}

/** As large as one of a call of a hundred turns. */
function summaryOf(
  key: string,
  call: { readonly startUnixNs: bigint; readonly endUnixNs: bigint; readonly attributes: object },
): object {
  return {
    key,
    id: `call ${key}`,
    status: 'ended',
    startUnixNs: String(call.startUnixNs),
    endUnixNs: String(call.endUnixNs),
    attributes: call.attributes,
    services: ['agent', 'edge', 'client'],
    synthetic: 'bench',
    spanCount: 400,
    turnCount: TURNS_A_CALL,
    voiceToVoice: null,
    worstTurn: null,
    overBudgetCount: 2,
    bargeInCount: 1,
    frames: { expected: 30_000, lost: 30, late: 0, concealed: 0 },
    strip: Array.from({ length: TURNS_A_CALL }, (_, i) => ({
      tick: i * 192_000,
      startNs: i * 12e9,
      waitNs: 700e6,
      outcome: 'answered',
    })),
  };
}

async function main(options: FillOptions): Promise<void> {
  const codec = await codecs();
  codec.openWriter(options.folder).close();
  const nowMinute = Math.floor(Date.now() / 60_000);
  const filler = new Filler(codec, `${options.folder}/meta.db`);
  const dayAgo = BigInt(nowMinute - 1_440) * MINUTE_NS;
  filler.waits(options.turns, dayAgo);
  // The last two minutes are left free: live calls are there.
  filler.frames(options.calls, nowMinute - 2);
  filler.close();
  const writer = codec.openWriter(options.folder);
  while (writer.tidy(BigInt(nowMinute) * MINUTE_NS));
  writer.close();
}

await main(JSON.parse(process.argv[2]!) as FillOptions);
