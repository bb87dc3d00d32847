// How SQLite finds what is asked: pinned, so that a changed question or index shows.

import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { readMigrations, type FileKind } from '../../src/store/sqlite/migrate.ts';
import { CHART_READ } from '../../src/store/sqlite/chart-reader.ts';
import { CHART_WRITE } from '../../src/store/sqlite/chart-writer.ts';
import { META_READ } from '../../src/store/sqlite/meta-reader.ts';
import { POINTS } from '../../src/store/sqlite/metric-points.ts';
import { TRACE_INDEX } from '../../src/store/sqlite/trace-index.ts';
import { VOLUME_READ } from '../../src/store/sqlite/volume-queries.ts';
import { SPAN_READ } from '../../src/store/sqlite/volume-spans.ts';

/** How SQLite answers each statement, without the words that say which rows it takes. */
function plans(
  kind: FileKind,
  statements: Readonly<Record<string, string>>,
): Record<string, string[]> {
  const database = new Database(':memory:');
  for (const { sql } of readMigrations(kind)) database.exec(sql);
  const planOf = (sql: string): string[] => {
    const names = Object.fromEntries([...sql.matchAll(/@(\w+)/g)].map(([, name]) => [name, 1]));
    const count = sql.split('?').length - 1;
    const values = count > 0 ? Array.from({ length: count }, () => 1) : [names];
    const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(values as [])) as {
      detail: string;
    }[];
    return rows.map(row => row.detail);
  };
  const result = Object.fromEntries(
    Object.entries(statements).map(([name, sql]) => [name, planOf(sql)]),
  );
  database.close();
  return result;
}

test('points of other programs are found by measure and time', () => {
  expect(plans('volume', POINTS)).toMatchObject({
    inRange: [
      'SEARCH metric_series USING INDEX metric_series_by_measure (measure=?)',
      'SEARCH metric_point USING INDEX metric_point_once (series=? AND at_ns>? AND at_ns<?)',
    ],
    known: [
      'SEARCH metric_series USING COVERING INDEX sqlite_autoindex_metric_series_1 (hash=?)',
      'SEARCH metric_point USING COVERING INDEX metric_point_once (series=? AND at_ns=? AND start_ns=?)',
    ],
  });
});

test('every question to a volume is answered as it was when it was fast', () => {
  expect(plans('volume', VOLUME_READ)).toMatchInlineSnapshot(`
    {
      "arrivalOf": [
        "SEARCH ingest USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "firstCommit": [
        "SCAN ingest",
      ],
      "flushBehind": [
        "SEARCH flush USING INTEGER PRIMARY KEY (rowid>?)",
      ],
      "flushByIdentity": [
        "SEARCH producer USING COVERING INDEX sqlite_autoindex_producer_1 (name=?)",
        "SEARCH flush USING COVERING INDEX flush_by_identity (session=? AND producer=? AND seq=? AND part=?)",
      ],
      "flushFrom": [
        "SEARCH flush USING INTEGER PRIMARY KEY (rowid>?)",
      ],
      "flushIds": [
        "SEARCH flush",
        "SCALAR SUBQUERY 1",
        "SEARCH flush",
      ],
      "flushes": [
        "SEARCH flush USING INDEX flush_by_session (session=?)",
        "SEARCH source USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH ingest USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "flushesIn": [
        "SEARCH flush USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
      ],
      "flushesSince": [
        "SEARCH flush USING INDEX flush_by_session (session=? AND id>?)",
        "SEARCH source USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH ingest USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "idsOfFlushes": [
        "SEARCH flush USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
      ],
      "lastCommit": [
        "SCAN ingest",
      ],
      "lastSeq": [
        "SEARCH flush USING COVERING INDEX flush_by_identity (session=? AND producer=?)",
        "SCALAR SUBQUERY 1",
        "SEARCH producer USING COVERING INDEX sqlite_autoindex_producer_1 (name=?)",
      ],
      "sessionById": [
        "SEARCH session USING INDEX session_by_id (session_id=?)",
      ],
      "sessionByKey": [
        "SEARCH session USING INDEX sqlite_autoindex_session_1 (key=?)",
      ],
      "sessionOfRow": [
        "SEARCH session USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "sessions": [
        "SCAN session",
      ],
      "sourceOfRow": [
        "SEARCH source USING INTEGER PRIMARY KEY (rowid=?)",
      ],
    }
  `);
});

test('spans are found by commit, by session and by page, never by looking at all', () => {
  expect(plans('volume', { ...SPAN_READ, ...TRACE_INDEX })).toMatchInlineSnapshot(`
    {
      "addPage": [],
      "addRun": [],
      "adopted": [
        "SEARCH adopted USING PRIMARY KEY (session=?)",
      ],
      "block": [
        "SEARCH directory USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH ingest USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "blocksAfter": [
        "SEARCH ingest USING INTEGER PRIMARY KEY (rowid>?)",
        "SEARCH directory USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
      ],
      "blocksBefore": [
        "SEARCH ingest USING INTEGER PRIMARY KEY (rowid<?)",
        "SEARCH directory USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
      ],
      "commitsAfter": [
        "SEARCH directory USING INTEGER PRIMARY KEY (rowid>?)",
      ],
      "commitsBefore": [
        "SEARCH directory USING INTEGER PRIMARY KEY (rowid<?)",
      ],
      "directory": [
        "SEARCH directory USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "dropPages": [
        "SEARCH trace_page USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
      ],
      "dropRun": [
        "SEARCH trace_run USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "largeText": [
        "SEARCH large_text USING PRIMARY KEY (key=?)",
      ],
      "lastPage": [
        "SCAN trace_page",
      ],
      "page": [
        "SEARCH trace_page USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "runs": [
        "SCAN trace_run",
      ],
      "sessionCommits": [
        "SEARCH session_part USING PRIMARY KEY (session=?)",
      ],
      "sessionKey": [
        "SEARCH session USING INTEGER PRIMARY KEY (rowid=?)",
      ],
    }
  `);
});

test('every question to meta.db is answered as it was when it was fast', () => {
  expect(plans('meta', META_READ)).toMatchInlineSnapshot(`
    {
      "clockSamples": [
        "SEARCH session USING COVERING INDEX sqlite_autoindex_session_1 (key=?)",
        "SEARCH clock_sample USING INDEX clock_sample_once (session=?)",
        "USE TEMP B-TREE FOR ORDER BY",
      ],
      "collectorClocks": [
        "SCAN collector_clock",
      ],
      "searchSessions": [
        "COMPOUND QUERY",
        "LEFT-MOST SUBQUERY",
        "MULTI-INDEX OR",
        "INDEX 1",
        "SEARCH session USING INDEX sqlite_autoindex_session_1 (key=?)",
        "INDEX 2",
        "SEARCH session USING INDEX session_by_session_id (session_id=?)",
        "UNION ALL",
        "CO-ROUTINE (subquery-2)",
        "SCAN session USING INDEX session_by_start",
        "SCAN (subquery-2)",
      ],
      "searchTurns": [
        "CO-ROUTINE recent",
        "SCAN turn",
        "SCAN recent",
        "SEARCH session USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "session": [
        "SEARCH session USING INDEX sqlite_autoindex_session_1 (key=?)",
      ],
      "sessions": [
        "SEARCH session USING INDEX session_by_start (start_ns>? AND start_ns<?)",
      ],
      "sessionsByStatus": [
        "SEARCH session USING INDEX session_by_status (status=? AND start_ns>? AND start_ns<?)",
      ],
      "summary": [
        "SEARCH session USING INDEX sqlite_autoindex_session_1 (key=?)",
      ],
      "turn": [
        "SEARCH session USING COVERING INDEX sqlite_autoindex_session_1 (key=?)",
        "SEARCH turn USING INDEX turn_by_tick (session=? AND tick=?)",
      ],
      "turnByTrace": [
        "SEARCH turn USING INDEX turn_by_trace (trace=?)",
        "SEARCH session USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "turns": [
        "SEARCH session USING COVERING INDEX sqlite_autoindex_session_1 (key=?)",
        "SEARCH turn USING INDEX turn_by_tick (session=? AND tick>?)",
      ],
    }
  `);
});

test('every question of charts is answered as it was when it was fast', () => {
  expect(plans('meta', CHART_READ)).toMatchInlineSnapshot(`
    {
      "annotations": [
        "SEARCH annotation USING INDEX annotation_by_time (at_ns>? AND at_ns<?)",
      ],
      "dirty": [
        "SEARCH dirty_minute USING PRIMARY KEY (measure=? AND minute>? AND minute<?)",
      ],
      "facets": [
        "SEARCH session USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "group": [
        "SEARCH call_group USING COVERING INDEX call_group_once (name=? AND value=?)",
      ],
      "groupRollups": [
        "SEARCH group_rollup USING INDEX group_rollup_by_minute (measure=? AND minute>? AND minute<?)",
      ],
      "groupValues": [
        "SEARCH call_group USING COVERING INDEX call_group_once (name=?)",
      ],
      "measures": [
        "SCAN measure",
      ],
      "packedCounts": [
        "SEARCH packed_count USING PRIMARY KEY (is_frame=? AND hour>? AND hour<?)",
        "SEARCH measure USING INTEGER PRIMARY KEY (rowid=?)",
        "USE TEMP B-TREE FOR GROUP BY",
      ],
      "packsGone": [
        "SCAN wait_packs_gone",
      ],
      "rollupCounts": [
        "SCAN measure",
        "SEARCH rollup USING INDEX rollup_by_minute (measure=? AND minute>? AND minute<?)",
        "USE TEMP B-TREE FOR count(DISTINCT)",
      ],
      "rollupPacks": [
        "SEARCH rollup_pack USING INDEX rollup_pack_by_minute (measure=? AND from_minute>? AND from_minute<?)",
      ],
      "rollups": [
        "SEARCH rollup USING INDEX rollup_by_minute (measure=? AND minute>? AND minute<?)",
      ],
      "sessionByRow": [
        "SEARCH session USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "sessionsByTime": [
        "SEARCH session USING INDEX session_by_start (start_ns>? AND start_ns<?)",
      ],
      "turnWords": [
        "SEARCH turn USING INDEX turn_by_tick (session=? AND tick=?)",
      ],
      "valueCounts": [
        "SCAN measure",
        "SEARCH value USING INDEX value_by_time (measure=? AND at_ns>? AND at_ns<?)",
        "USE TEMP B-TREE FOR count(DISTINCT)",
      ],
      "values": [
        "SEARCH value USING INDEX value_by_time (measure=? AND at_ns>? AND at_ns<?)",
      ],
      "waitPacks": [
        "SEARCH wait_pack USING INDEX wait_pack_by_time (from_ns>? AND from_ns<?)",
      ],
      "waitPacksWithMore": [
        "SEARCH wait_pack USING INDEX wait_pack_by_time (from_ns>? AND from_ns<?)",
      ],
      "words": [
        "SEARCH turn USING INDEX turn_by_tick (session=?)",
      ],
    }
  `);
});

test('packing and adding up find their rows by an index', () => {
  const reads = Object.entries(CHART_WRITE).filter(([, sql]) => /^\s*(SELECT|DELETE)/.test(sql));
  expect(plans('meta', Object.fromEntries(reads))).toMatchInlineSnapshot(`
    {
      "clean": [
        "SEARCH dirty_minute USING PRIMARY KEY (measure=? AND minute=?)",
      ],
      "deleteGroups": [
        "SEARCH group_rollup USING COVERING INDEX group_rollup_by_minute (measure=? AND minute=?)",
      ],
      "deleteRollupPacks": [
        "SEARCH rollup_pack USING COVERING INDEX rollup_pack_by_session (session=?)",
      ],
      "deleteRollups": [
        "SEARCH rollup USING COVERING INDEX rollup_by_session (session=?)",
      ],
      "deleteValues": [
        "SEARCH value USING COVERING INDEX value_by_turn (session=?)",
      ],
      "deleteWaitPack": [
        "SEARCH wait_pack USING INDEX sqlite_autoindex_wait_pack_1 (session=?)",
      ],
      "dirty": [
        "SCAN dirty_minute",
      ],
      "dirtyOf": [
        "SEARCH dirty_minute USING PRIMARY KEY (measure=? AND minute>? AND minute<?)",
      ],
      "facets": [
        "SEARCH session USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "measureName": [
        "SEARCH measure USING INTEGER PRIMARY KEY (rowid=?)",
      ],
      "minutePacks": [
        "SEARCH rollup_pack USING INDEX rollup_pack_by_minute (measure=? AND from_minute>? AND from_minute<?)",
      ],
      "minuteRows": [
        "SEARCH rollup USING INDEX rollup_by_minute (measure=? AND minute>? AND minute<?)",
      ],
      "rollupPacks": [
        "SEARCH rollup_pack USING INDEX rollup_pack_by_session (session=?)",
      ],
      "rollups": [
        "SEARCH rollup USING INDEX rollup_by_session (session=?)",
      ],
      "unpacked": [
        "SCAN session USING INDEX session_unpacked",
      ],
      "values": [
        "SEARCH value USING INDEX value_by_turn (session=?)",
      ],
      "waitPack": [
        "SEARCH wait_pack USING INDEX sqlite_autoindex_wait_pack_1 (session=?)",
      ],
    }
  `);
});
