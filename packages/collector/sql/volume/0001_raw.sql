-- A volume: the raw data that arrived in one day, or in less when there was much of it.
-- Times are Unix nanoseconds. Spans are packed by commit; the parts below say where they are.

-- Which commits are in this file. Numbers rise over all volumes.
CREATE TABLE ingest (
  commit_no  INTEGER PRIMARY KEY,
  arrival_ns INTEGER NOT NULL,
  span_count INTEGER NOT NULL,
  -- Null when the commit brought flushes only.
  spans      BLOB
) STRICT;

-- One incarnation of a session.id with data in this file.
CREATE TABLE session (
  id              INTEGER PRIMARY KEY,
  key             TEXT    NOT NULL UNIQUE,
  session_id      TEXT    NOT NULL,
  incarnation     INTEGER NOT NULL,
  last_commit     INTEGER NOT NULL,
  last_arrival_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_id ON session (session_id, incarnation);

-- The spans of one trace in one commit. The prefix is the first 48 bits of the trace ID: an index
-- on 16 random bytes would be three times as large.
CREATE TABLE trace_part (
  id           INTEGER PRIMARY KEY,
  trace_prefix INTEGER NOT NULL,
  trace_id     BLOB    NOT NULL CHECK (length(trace_id) = 16),
  commit_no    INTEGER NOT NULL REFERENCES ingest,
  -- 8 bytes a span: what a span sent again is recognised by.
  span_ids     BLOB    NOT NULL,
  -- 4 bytes a span, little-endian: its place in the pack.
  positions    BLOB    NOT NULL,
  start_ns     INTEGER NOT NULL,
  -- Not checked against start_ns: a span may end before it starts when its clock stepped.
  end_ns       INTEGER NOT NULL,
  error_count  INTEGER NOT NULL,
  -- The root's, else (is_root 0) the earliest span's.
  name         TEXT    NOT NULL,
  service      TEXT    NOT NULL,
  is_root      INTEGER NOT NULL,
  session      INTEGER REFERENCES session
) STRICT;
CREATE INDEX trace_part_by_trace ON trace_part (trace_prefix, id);

-- The spans of one session in one commit.
CREATE TABLE session_part (
  id        INTEGER PRIMARY KEY,
  session   INTEGER NOT NULL REFERENCES session,
  commit_no INTEGER NOT NULL REFERENCES ingest,
  positions BLOB    NOT NULL
) STRICT;
CREATE INDEX session_part_by_session ON session_part (session, id);

-- Who wrote a flush: producer, clock and resource, as JSON; a few per session.
CREATE TABLE source (
  id   INTEGER PRIMARY KEY,
  json TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE producer (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- A record, a state message, both or neither (a heart beat), as one process sent it.
CREATE TABLE flush (
  id          INTEGER PRIMARY KEY,
  session     INTEGER NOT NULL REFERENCES session,
  producer    INTEGER NOT NULL REFERENCES producer,
  seq         INTEGER NOT NULL,
  part        INTEGER NOT NULL,
  source      INTEGER NOT NULL REFERENCES source,
  commit_no   INTEGER NOT NULL REFERENCES ingest,
  -- First and last mark on the sender's own wall clock, uncorrected.
  start_ns    INTEGER NOT NULL,
  end_ns      INTEGER NOT NULL,
  trace_id    BLOB    NOT NULL,
  span_id     BLOB    NOT NULL,
  frame_count INTEGER NOT NULL,
  lost_count  INTEGER NOT NULL,
  record      BLOB,
  state       TEXT
) STRICT;
-- Rises nearly in order within a session: a flush sent again is found here.
CREATE UNIQUE INDEX flush_by_identity ON flush (session, producer, seq, part);
CREATE INDEX flush_by_session ON flush (session, id);
