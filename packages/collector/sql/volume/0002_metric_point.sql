-- Histograms of other programs (OTLP metrics) whose unit is one of time.
-- A point stands as it was sent: what a cumulative one added to the one before is reckoned when read,
-- so that a point that comes late or twice changes nothing.

-- What tells one line of points from another: metric, attributes, resource, scope.
CREATE TABLE metric_series (
  id         INTEGER PRIMARY KEY,
  -- 8 bytes: a hash of all of it.
  hash       BLOB    NOT NULL UNIQUE CHECK (length(hash) = 8),
  -- `metric.<name>`
  measure    TEXT    NOT NULL,
  -- JSON: attributes, resource.
  attributes TEXT    NOT NULL,
  resource   TEXT    NOT NULL
) STRICT;
CREATE INDEX metric_series_by_measure ON metric_series (measure);

CREATE TABLE metric_point (
  id            INTEGER PRIMARY KEY,
  series        INTEGER NOT NULL REFERENCES metric_series,
  commit_no     INTEGER NOT NULL REFERENCES ingest,
  start_ns      INTEGER NOT NULL,
  at_ns         INTEGER NOT NULL,
  is_cumulative INTEGER NOT NULL CHECK (is_cumulative IN (0, 1)),
  count         INTEGER NOT NULL,
  -- A sum of nanoseconds may pass 2^53; REAL keeps 15 digits of it. Null: the sender did not say.
  sum_ns        REAL,
  min_ns        REAL,
  max_ns        REAL,
  -- A sketch of our own buckets. Not exact when the sender's buckets are wider than ours or of other bounds.
  sketch        BLOB    NOT NULL,
  is_exact      INTEGER NOT NULL CHECK (is_exact IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX metric_point_once ON metric_point (series, at_ns, start_ns);
