-- Calls that are kept: retention and the size cap pass over their rows here, and move their raw
-- data into a file of its own (kept/<key>.db) before a volume loses it.
CREATE TABLE pin (
  session_key TEXT    PRIMARY KEY,
  session_id  TEXT    NOT NULL,
  at_ns       INTEGER NOT NULL,
  note        TEXT    NOT NULL,
  -- 0: frames or spans were gone already.
  is_whole    INTEGER NOT NULL CHECK (is_whole IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Limits set in the page; they go before those of --budgets and the collector's own.
CREATE TABLE budget (
  measure  TEXT PRIMARY KEY,
  -- Null: switched off.
  limit_ns INTEGER CHECK (limit_ns > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE budget_state (
  -- Rises with each change in the page.
  revision   INTEGER NOT NULL,
  changed_ns INTEGER,
  -- Rises when other limits apply than before, a file's included: sessions with a lower number
  -- count their turns over budget again.
  judge      INTEGER NOT NULL,
  -- JSON: the limits that `judge` stands for; empty until they are first known.
  limits     TEXT    NOT NULL
) STRICT;
INSERT INTO budget_state VALUES (0, NULL, 0, '');
ALTER TABLE session ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;
CREATE INDEX session_by_judged ON session (judged);
