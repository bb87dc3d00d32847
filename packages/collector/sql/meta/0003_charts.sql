-- What charts read: finished sessions packed in columns, minutes of all calls added up.

-- JSON: attributes, places and figures of a session by which charts filter and group.
ALTER TABLE session ADD COLUMN facets TEXT NOT NULL DEFAULT '{}';
-- 1: its rows of value and rollup stand in wait_pack and rollup_pack instead.
ALTER TABLE session ADD COLUMN is_packed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX session_unpacked ON session (id)
  WHERE is_packed = 0 AND status IN ('ended', 'broken_off');
UPDATE session SET facets = json_object(
  'attributes', json_extract(summary, '$.attributes'),
  'synthetic', json_extract(summary, '$.synthetic'),
  'places', json_array(), 'hops', json_object(), 'counts', json_object());

-- What the wait would fall by if this part took no time; null where the graph cannot say.
ALTER TABLE value ADD COLUMN saves_ns INTEGER;

-- The waits of one finished session, in columns.
CREATE TABLE wait_pack (
  -- Rises and is never used again: what came since a reader last looked has higher ones.
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  session INTEGER NOT NULL UNIQUE REFERENCES session ON DELETE CASCADE,
  -- First and last start of a wait.
  from_ns INTEGER NOT NULL,
  to_ns   INTEGER NOT NULL,
  -- JSON: [[measure, values], …].
  counts  TEXT    NOT NULL,
  data    BLOB    NOT NULL,
  -- Errors and savings, which few charts read: last, so that the others need not pass over them.
  more    BLOB    NOT NULL
) STRICT;
CREATE INDEX wait_pack_by_time ON wait_pack (from_ns, to_ns);

-- The minutes of one measure of one finished session: at most 64 minutes a row.
CREATE TABLE rollup_pack (
  id          INTEGER PRIMARY KEY,
  measure     INTEGER NOT NULL REFERENCES measure,
  session     INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
  from_minute INTEGER NOT NULL,
  to_minute   INTEGER NOT NULL,
  -- Frames in it.
  count       INTEGER NOT NULL,
  -- 1 for the first of its session and measure.
  is_first    INTEGER NOT NULL,
  data        BLOB    NOT NULL
) STRICT;
CREATE INDEX rollup_pack_by_session ON rollup_pack (session);
CREATE INDEX rollup_pack_by_minute ON rollup_pack (measure, from_minute, to_minute);

-- How many values packed sessions have, by the hour in which each begins: counting them would
-- read them all. Kept by the triggers below, also when a session is dropped.
CREATE TABLE packed_count (
  measure  INTEGER NOT NULL REFERENCES measure,
  is_frame INTEGER NOT NULL,
  hour     INTEGER NOT NULL,
  count    INTEGER NOT NULL,
  sessions INTEGER NOT NULL,
  PRIMARY KEY (is_frame, hour, measure)
) STRICT, WITHOUT ROWID;

-- How many packs went away: a reader that kept some reads them all anew when it changed.
CREATE TABLE wait_packs_gone (count INTEGER NOT NULL) STRICT;
INSERT INTO wait_packs_gone VALUES (0);
CREATE TRIGGER wait_pack_gone AFTER DELETE ON wait_pack BEGIN
  UPDATE wait_packs_gone SET count = count + 1;
END;

CREATE TRIGGER wait_packed AFTER INSERT ON wait_pack BEGIN
  INSERT INTO packed_count (measure, is_frame, hour, count, sessions)
  SELECT json_extract(value, '$[0]'), 0, new.from_ns / 3600000000000, json_extract(value, '$[1]'), 1
  FROM json_each(new.counts) WHERE true
  ON CONFLICT DO UPDATE SET count = count + excluded.count, sessions = sessions + 1;
END;
CREATE TRIGGER wait_unpacked AFTER DELETE ON wait_pack BEGIN
  INSERT INTO packed_count (measure, is_frame, hour, count, sessions)
  SELECT json_extract(value, '$[0]'), 0, old.from_ns / 3600000000000, json_extract(value, '$[1]'), 1
  FROM json_each(old.counts) WHERE true
  ON CONFLICT DO UPDATE SET count = count - excluded.count, sessions = sessions - 1;
END;
CREATE TRIGGER rollup_packed AFTER INSERT ON rollup_pack BEGIN
  INSERT INTO packed_count (measure, is_frame, hour, count, sessions)
  VALUES (new.measure, 1, new.from_minute / 60, new.count, new.is_first)
  ON CONFLICT DO UPDATE SET count = count + excluded.count, sessions = sessions + excluded.sessions;
END;
CREATE TRIGGER rollup_unpacked AFTER DELETE ON rollup_pack BEGIN
  INSERT INTO packed_count (measure, is_frame, hour, count, sessions)
  VALUES (old.measure, 1, old.from_minute / 60, old.count, old.is_first)
  ON CONFLICT DO UPDATE SET count = count - excluded.count, sessions = sessions - excluded.sessions;
END;

-- All calls ('' = ''), and those that share a value of a usual dimension.
CREATE TABLE call_group (
  id    INTEGER PRIMARY KEY,
  name  TEXT NOT NULL,
  value TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX call_group_once ON call_group (name, value);

CREATE TABLE group_rollup (
  id         INTEGER PRIMARY KEY,
  measure    INTEGER NOT NULL REFERENCES measure,
  call_group INTEGER NOT NULL REFERENCES call_group,
  minute     INTEGER NOT NULL,
  sessions   INTEGER NOT NULL,
  data       BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX group_rollup_by_minute ON group_rollup (measure, minute, call_group);

-- Minutes whose group rollups are older than the sessions' rows: read from those until made again.
CREATE TABLE dirty_minute (
  measure INTEGER NOT NULL REFERENCES measure,
  minute  INTEGER NOT NULL,
  PRIMARY KEY (measure, minute)
) STRICT, WITHOUT ROWID;
INSERT INTO dirty_minute SELECT DISTINCT measure, minute FROM rollup;

-- Deploys, incidents, notes.
CREATE TABLE annotation (
  id     INTEGER PRIMARY KEY,
  at_ns  INTEGER NOT NULL,
  end_ns INTEGER,
  -- JSON: kind, text, attributes.
  json   TEXT    NOT NULL
) STRICT;
CREATE INDEX annotation_by_time ON annotation (at_ns);
