-- What the wall clock showed at the zero of the collector's monotonic clock:
-- measured once for each boot of the machine, and again when the wall clock was
-- set. Never changed: times of stored sessions are counted from these.
CREATE TABLE collector_clock (
  id           INTEGER PRIMARY KEY,
  -- 16 hex digits, made from the boot ID.
  domain       TEXT    NOT NULL,
  epoch        INTEGER NOT NULL,
  zero_unix_ns INTEGER NOT NULL,
  -- Sessions whose first data came in a later commit count from it.
  since_commit INTEGER NOT NULL
) STRICT;
