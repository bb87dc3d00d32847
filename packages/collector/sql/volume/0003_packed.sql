-- Spans as blocks of columns (span-block.ts), and where their traces are.
-- The directory of a commit lists its traces; a run is the sorted list of the traces of many commits:
-- one row a trace with an index on random IDs takes 62,000 rows a second at most, and 60 bytes each.

-- The traces of a commit with spans. Apart from the block: behind it in one row, each would be
-- reached through all pages of the block.
CREATE TABLE directory (
  commit_no INTEGER PRIMARY KEY REFERENCES ingest,
  traces    BLOB NOT NULL
) STRICT;

-- Parts of version 1 are packed anew when the file is opened (repack.ts).
DROP INDEX trace_part_by_trace;
DROP TABLE trace_part;
DROP INDEX session_part_by_session;
DROP TABLE session_part;

-- The spans of one session in one commit.
CREATE TABLE session_part (
  session    INTEGER NOT NULL REFERENCES session,
  commit_no  INTEGER NOT NULL REFERENCES ingest,
  span_count INTEGER NOT NULL,
  PRIMARY KEY (session, commit_no)
) STRICT, WITHOUT ROWID;

-- (hash of the trace, commit) of all commits from one to another, sorted by hash. Page n of p holds
-- the hashes from n/p to (n+1)/p of all: a page is found without a search.
CREATE TABLE trace_run (
  id          INTEGER PRIMARY KEY,
  -- 0: of commits; 1: of runs of level 0.
  level       INTEGER NOT NULL,
  from_commit INTEGER NOT NULL,
  to_commit   INTEGER NOT NULL,
  first_page  INTEGER NOT NULL,
  page_count  INTEGER NOT NULL,
  entry_count INTEGER NOT NULL
) STRICT;

CREATE TABLE trace_page (
  id      INTEGER PRIMARY KEY,
  entries BLOB NOT NULL
) STRICT;

-- Texts of 4 kB and more, each content once a file: deflated, by the first 16 bytes of its SHA-256.
CREATE TABLE large_text (
  key  BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 16),
  text BLOB NOT NULL
) STRICT, WITHOUT ROWID;
