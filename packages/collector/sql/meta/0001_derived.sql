-- What assembly made of the raw data: can be made again from the volumes.
-- Times are Unix nanoseconds; durations nanoseconds.

CREATE TABLE session (
  id             INTEGER PRIMARY KEY,
  key            TEXT    NOT NULL UNIQUE,
  session_id     TEXT    NOT NULL,
  status         TEXT    NOT NULL CHECK (status IN ('live', 'idle', 'ended', 'broken_off')),
  start_ns       INTEGER NOT NULL,
  end_ns         INTEGER NOT NULL,
  -- The last commit of raw data that these rows contain.
  covered_commit INTEGER NOT NULL,
  -- Clock revision they were computed with.
  revision       INTEGER NOT NULL,
  -- JSON: a SessionSummary, and the rest of its SessionDetail.
  summary        TEXT    NOT NULL,
  detail         TEXT    NOT NULL
) STRICT;
CREATE INDEX session_by_start ON session (start_ns, id);
CREATE INDEX session_by_status ON session (status, start_ns, id);
CREATE INDEX session_by_session_id ON session (session_id);

CREATE TABLE turn (
  id      INTEGER PRIMARY KEY,
  session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
  tick    INTEGER NOT NULL,
  -- 32 hex digits, to find a turn by its trace; null when it has none.
  trace   TEXT,
  -- Lower case, for search.
  words   TEXT    NOT NULL,
  json    TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX turn_by_tick ON turn (session, tick);
CREATE INDEX turn_by_trace ON turn (trace);

CREATE TABLE measure (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- A wait, a part of one, or a stage: one point of a chart.
CREATE TABLE value (
  id             INTEGER PRIMARY KEY,
  measure        INTEGER NOT NULL REFERENCES measure,
  session        INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
  tick           INTEGER NOT NULL,
  wait_index     INTEGER NOT NULL,
  at_ns          INTEGER NOT NULL,
  value_ns       INTEGER NOT NULL,
  is_censored    INTEGER NOT NULL,
  outcome        TEXT    NOT NULL,
  error_ns       INTEGER NOT NULL,
  resolved       REAL    NOT NULL,
  worst_part     TEXT,
  worst_part_ns  INTEGER,
  is_over_budget INTEGER NOT NULL,
  -- JSON: dimensions for grouping.
  attributes     TEXT    NOT NULL
) STRICT;
CREATE INDEX value_by_time ON value (measure, at_ns);
CREATE INDEX value_by_turn ON value (session, tick);

-- Frames of one session, measure and minute.
CREATE TABLE rollup (
  id                INTEGER PRIMARY KEY,
  measure           INTEGER NOT NULL REFERENCES measure,
  session           INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
  minute            INTEGER NOT NULL,
  count             INTEGER NOT NULL,
  expected_count    INTEGER NOT NULL,
  lost_count        INTEGER NOT NULL,
  late_count        INTEGER NOT NULL,
  concealed_count   INTEGER NOT NULL,
  over_budget_count INTEGER NOT NULL,
  -- A sum of nanoseconds may pass 2^53; REAL keeps 15 digits of it.
  sum_ns            REAL    NOT NULL,
  min_ns            INTEGER NOT NULL,
  max_ns            INTEGER NOT NULL,
  sketch            BLOB    NOT NULL,
  -- JSON: [[valueNs, ref], …], slowest first.
  worst             TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX rollup_by_session ON rollup (session, measure, minute);
CREATE INDEX rollup_by_minute ON rollup (measure, minute);

CREATE TABLE clock_sample (
  id         INTEGER PRIMARY KEY,
  session    INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
  domain     TEXT    NOT NULL,
  epoch      INTEGER NOT NULL,
  peer       TEXT    NOT NULL,
  peer_epoch INTEGER NOT NULL,
  t1         INTEGER NOT NULL,
  t2         INTEGER NOT NULL,
  t3         INTEGER NOT NULL,
  t4         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX clock_sample_once ON clock_sample (session, domain, epoch, peer, peer_epoch, t1);
