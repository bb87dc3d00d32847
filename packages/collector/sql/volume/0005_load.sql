-- How busy processes were: a row a second and process, for all of its calls together.

-- Who told it: producer, clock domain and resource, as JSON.
CREATE TABLE load_source (
  id   INTEGER PRIMARY KEY,
  json TEXT NOT NULL UNIQUE
) STRICT;

-- What a sender could not tell is null.
CREATE TABLE load_sample (
  source       INTEGER NOT NULL REFERENCES load_source,
  -- End of the interval on the sender's wall clock.
  at_ns        INTEGER NOT NULL,
  commit_no    INTEGER NOT NULL REFERENCES ingest,
  length_ns    INTEGER NOT NULL CHECK (length_ns >= 0),
  calls        INTEGER,
  lag_max_ns   INTEGER,
  lag_mean_ns  INTEGER,
  -- Shares in thousandths; cpu of one core.
  busy_permil  INTEGER,
  cpu_permil   INTEGER,
  rss_bytes    INTEGER,
  -- Deepest of all queues, and all of them as JSON.
  waiting_most INTEGER,
  waiting      TEXT,
  PRIMARY KEY (source, at_ns)
) STRICT, WITHOUT ROWID;  -- rows are small and come in the order of their key
