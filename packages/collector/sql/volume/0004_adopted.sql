-- Rows that came before their trace named its session: parents end last, and often only they say
-- whose call it is. The block stays as it is; these rows count as the session's.
CREATE TABLE adopted (
  session   INTEGER NOT NULL REFERENCES session,
  commit_no INTEGER NOT NULL REFERENCES ingest,
  from_row  INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  -- The commit with which the session became known; it may stand in a later file.
  by_commit INTEGER NOT NULL,
  PRIMARY KEY (session, commit_no, from_row)
) STRICT, WITHOUT ROWID;
