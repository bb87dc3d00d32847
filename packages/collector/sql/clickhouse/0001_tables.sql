-- The tables of Framescope in ClickHouse, one statement a table; ddl.ts turns each into the replicated and
-- distributed pair where there is a cluster. `{db}` is the database of the URL.
--
-- Raw tables are written once and never changed. Derived ones are ReplacingMergeTree: the row of the
-- highest version counts (FINAL), whoever wrote it, so that two collectors that make the same rows at once
-- do no harm. A row that is no more is one with is_deleted = 1.
--
-- `kept` marks rows of pinned calls (pins.ts): their TTL is the end of time.
--
-- Blobs stand as base64: JSON carries no bytes, and ZSTD takes the third that base64 adds away again.

-- Spans, in the layout of the OpenTelemetry Collector's ClickHouse exporter (0.150): what reads that reads
-- ours. Columns of our own stand behind it, each with a default, so that the exporter can write here too.
CREATE TABLE {db}.{spans} (
  Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  ParentSpanId String CODEC(ZSTD(1)),
  TraceState String CODEC(ZSTD(1)),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),
  Duration UInt64 CODEC(T64, ZSTD(1)),
  StatusCode LowCardinality(String) CODEC(ZSTD(1)),
  StatusMessage String CODEC(ZSTD(1)),
  Events Nested (
    Timestamp DateTime64(9),
    Name LowCardinality(String),
    Attributes Map(LowCardinality(String), String)
  ) CODEC(ZSTD(1)),
  Links Nested (
    TraceId String,
    SpanId String,
    TraceState String,
    Attributes Map(LowCardinality(String), String)
  ) CODEC(ZSTD(1)),
  -- The session the span named, itself or by its trace at the time; empty: none.
  FramescopeSession LowCardinality(String) DEFAULT '' CODEC(ZSTD(1)),
  FramescopeCommit UInt64 DEFAULT 0 CODEC(Delta(8), ZSTD(1)),
  FramescopeArrival DateTime64(9) DEFAULT Timestamp CODEC(Delta(8), ZSTD(1)),
  -- Assembly has to see it whole.
  FramescopeWanted UInt8 DEFAULT 1 CODEC(T64, ZSTD(1)),
  -- JSON: what maps of text cannot say, the types of attributes above all. Empty: nothing.
  FramescopeExact String DEFAULT '' CODEC(ZSTD(1)),
  FramescopeKept UInt8 DEFAULT 0,
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_session FramescopeSession TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_commit FramescopeCommit TYPE minmax GRANULARITY 1,
  INDEX idx_duration Duration TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
PRIMARY KEY (ServiceName, SpanName, toDateTime(Timestamp))
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), Timestamp)
{ttl spans toDateTime(Timestamp) unless FramescopeKept}
SETTINGS index_granularity = 8192;

-- Where a trace lies in time, as the exporter keeps it, so that a trace by its ID reads few parts.
CREATE TABLE {db}.{spans}_trace_id_ts (
  TraceId String CODEC(ZSTD(1)),
  Start SimpleAggregateFunction(min, DateTime) CODEC(ZSTD(1)),
  End SimpleAggregateFunction(max, DateTime) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toStartOfWeek(Start)
ORDER BY (TraceId)
{ttl spans Start}
-- Small: with each commit it is asked for thousands of traces, most of which it does not have.
SETTINGS index_granularity = 512, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW {db}.{spans}_trace_id_ts_mv TO {db}.{spans}_trace_id_ts AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM {db}.{spans} WHERE TraceId != '' GROUP BY TraceId;

-- A line of the list of traces, made up as spans come.
CREATE TABLE {db}.framescope_traces (
  trace_id String CODEC(ZSTD(1)),
  start SimpleAggregateFunction(min, Int64) CODEC(ZSTD(1)),
  end SimpleAggregateFunction(max, Int64) CODEC(ZSTD(1)),
  spans SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  errors SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  -- (start, name, service) of the root, else of the first span.
  root SimpleAggregateFunction(min, Tuple(UInt8, Int64, String, String)) CODEC(ZSTD(1)),
  last_commit SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
ORDER BY trace_id
{ttl spans fromUnixTimestamp64Nano(end)};

CREATE MATERIALIZED VIEW {db}.framescope_traces_mv TO {db}.framescope_traces AS
SELECT TraceId AS trace_id, min(toUnixTimestamp64Nano(Timestamp)) AS start,
  max(toUnixTimestamp64Nano(Timestamp) + toInt64(Duration)) AS end, count() AS spans,
  countIf(StatusCode = 'Error') AS errors,
  min((toUInt8(ParentSpanId != ''), toUnixTimestamp64Nano(Timestamp), toString(SpanName), toString(ServiceName))) AS root,
  max(FramescopeCommit) AS last_commit
FROM {db}.{spans} GROUP BY trace_id;

-- Which session a trace belongs to, since the first span that named one.
CREATE TABLE {db}.framescope_trace_session (
  trace_id String CODEC(ZSTD(1)),
  session_key String CODEC(ZSTD(1)),
  session_id String CODEC(ZSTD(1)),
  commit UInt64 CODEC(ZSTD(1)),
  arrival DateTime64(9) CODEC(ZSTD(1)),
  version UInt64 CODEC(ZSTD(1)),
  kept UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(version)
ORDER BY trace_id
{ttl spans arrival unless kept}
SETTINGS index_granularity = 512;

-- When a session was last heard of: which call a `session.id` names now, and what is to be assembled.
CREATE TABLE {db}.framescope_heard (
  session_id String,
  session_key String,
  incarnation UInt32,
  commit UInt64,
  arrival DateTime64(9),
  collector LowCardinality(String),
  kept UInt8 DEFAULT 0
) ENGINE = MergeTree
PARTITION BY toDate(arrival)
ORDER BY (session_id, arrival)
{ttl frames arrival unless kept};

-- Commits whose data is there: what assembly, whichever collector's it is, reads behind.
CREATE TABLE {db}.framescope_commit (
  collector LowCardinality(String),
  commit UInt64,
  arrival DateTime64(9),
  -- (key, session.id, incarnation)
  sessions Array(Tuple(String, String, UInt32)),
  at DateTime64(3) DEFAULT now64(3)
) ENGINE = MergeTree
ORDER BY at
TTL toDateTime(at) + toIntervalHour(1);

-- Collectors that live, by a line a second of each and of what it shares in.
CREATE TABLE {db}.framescope_collector (
  collector String,
  -- Empty: sessions. `forward <target>`: what is handed on to one.
  role LowCardinality(String) DEFAULT '',
  age_ms UInt64,
  at DateTime64(3) DEFAULT now64(3)
) ENGINE = MergeTree
ORDER BY at
TTL toDateTime(at) + toIntervalHour(1);

-- What changed, for the viewers at other collectors.
CREATE TABLE {db}.framescope_change (
  collector LowCardinality(String),
  seq UInt64,
  json String,
  at DateTime64(3) DEFAULT now64(3)
) ENGINE = MergeTree
ORDER BY at
TTL toDateTime(at) + toIntervalHour(1);

-- A record, a state message, both or neither (a heart beat), as one process sent it.
CREATE TABLE {db}.framescope_flush (
  session_key String,
  session_id String,
  producer String,
  seq UInt64,
  part UInt32,
  commit UInt64 CODEC(Delta(8), ZSTD(1)),
  -- Which one of its commit: the order in which they came.
  place UInt32 CODEC(Delta(4), ZSTD(1)),
  arrival DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  start Int64 CODEC(Delta(8), ZSTD(1)),
  end Int64 CODEC(Delta(8), ZSTD(1)),
  -- JSON of clock and resource: a few a session.
  source LowCardinality(String),
  trace_id LowCardinality(String),
  span_id String,
  frame_count UInt32,
  lost_count UInt32,
  -- base64; empty: none.
  record String CODEC(ZSTD(1)),
  state String CODEC(ZSTD(1)),
  -- Of two of one identity the one that came first counts.
  age UInt64 MATERIALIZED 18446744073709551615 - commit,
  kept UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(age)
PARTITION BY toDate(arrival)
ORDER BY (session_key, producer, seq, part)
{ttl frames arrival unless kept}
SETTINGS index_granularity = 1024;

-- One line a session. `row` is the number by which charts name it.
CREATE TABLE {db}.framescope_session (
  key String,
  session_id String,
  row UInt64,
  status LowCardinality(String),
  start Int64,
  end Int64,
  covered_commit UInt64,
  revision UInt32,
  summary String CODEC(ZSTD(3)),
  detail String CODEC(ZSTD(3)),
  facets String CODEC(ZSTD(3)),
  version UInt64,
  -- Revision of the limits that people set, by which turns over budget are counted in summary and facets.
  judged UInt64 DEFAULT 0,
  is_deleted UInt8 DEFAULT 0,
  kept UInt8 DEFAULT 0,
  INDEX idx_start start TYPE minmax GRANULARITY 1,
  INDEX idx_row row TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_session_id session_id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY key
{ttl turns fromUnixTimestamp64Nano(end) unless kept}
SETTINGS index_granularity = 256;

-- A turn with its values: the points of charts. They are replaced together.
CREATE TABLE {db}.framescope_turn (
  session_key String,
  session_row UInt64,
  tick Int64,
  trace_id String,
  -- Lower case, for search.
  words String CODEC(ZSTD(3)),
  json String CODEC(ZSTD(3)),
  first_at Int64,
  last_at Int64,
  values Nested (
    measure LowCardinality(String),
    wait_index UInt8,
    at Int64,
    value Int64,
    flags UInt8,
    outcome LowCardinality(String),
    error Int64,
    resolved Float32,
    worst LowCardinality(String),
    worst_ns Int64,
    -- -1: the graph cannot say.
    saves Int64
  ),
  version UInt64,
  is_deleted UInt8 DEFAULT 0,
  kept UInt8 DEFAULT 0,
  INDEX idx_at (first_at, last_at) TYPE minmax GRANULARITY 1,
  INDEX idx_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (session_key, tick)
{ttl turns fromUnixTimestamp64Nano(last_at) unless kept}
SETTINGS index_granularity = 1024;

-- A wait by one definition with its parts in columns: what is added up over millions of them. Rows whose
-- wait is no more, or begins in another hour now, are marked deleted.
CREATE TABLE {db}.framescope_wait (
  measure LowCardinality(String),
  -- Of its start: Unix time in hours.
  hour UInt32 CODEC(ZSTD(1)),
  session_key String CODEC(ZSTD(1)),
  session_row UInt64 CODEC(ZSTD(1)),
  tick Int64 CODEC(ZSTD(1)),
  wait_index UInt8,
  at Int64,
  value Int64,
  -- 1: the wait has parts.
  known UInt8,
  p_signalling Int64,
  p_ice Int64,
  p_dtls Int64,
  p_dispatch Int64,
  p_cold_start Int64,
  p_uplink Int64,
  p_endpointing Int64,
  p_transcription Int64,
  p_preparation Int64,
  p_inference Int64,
  p_tool Int64,
  p_failed_attempt Int64,
  p_aggregation Int64,
  p_synthesis Int64,
  p_floor Int64,
  p_delivery Int64,
  p_leading_silence Int64,
  p_downlink Int64,
  p_jitter_buffer Int64,
  p_playout Int64,
  p_unattributed Int64,
  -- Parts of other names.
  others Map(LowCardinality(String), Int64),
  version UInt64 CODEC(ZSTD(1)),
  is_deleted UInt8 DEFAULT 0,
  kept UInt8 DEFAULT 0,
  INDEX idx_session session_key TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toDate(toDateTime(hour * 3600, 'UTC'))
ORDER BY (measure, hour, session_key, tick, wait_index)
{ttl turns toDateTime(hour * 3600) unless kept};

-- Frames of one session, measure and minute; sketches are merged by the engine (sumMap).
CREATE TABLE {db}.framescope_minute (
  measure LowCardinality(String),
  minute UInt32,
  session_key String,
  session_row UInt64,
  -- Usual dimensions of the session: region, release, …
  groups Map(LowCardinality(String), String),
  count UInt64,
  lost UInt64,
  late UInt64,
  concealed UInt64,
  over_budget UInt64,
  refused UInt64,
  zero UInt64,
  sum Float64,
  min Float64,
  max Float64,
  buckets Map(Int32, UInt64),
  -- (value, session row, tick), slowest first.
  worst Array(Tuple(Float64, UInt64, Float64)),
  version UInt64,
  is_deleted UInt8 DEFAULT 0,
  kept UInt8 DEFAULT 0,
  INDEX idx_session session_key TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (measure, minute, session_key)
{ttl turns toDateTime(minute * 60) unless kept}
SETTINGS index_granularity = 1024;

CREATE TABLE {db}.framescope_clock_sample (
  session_key String,
  domain String,
  epoch UInt32,
  peer String,
  peer_epoch UInt32,
  t1 Int64,
  t2 Int64,
  t3 Int64,
  t4 Int64,
  version UInt64,
  kept UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(version)
ORDER BY (session_key, domain, epoch, peer, peer_epoch, t1)
{ttl turns fromUnixTimestamp64Micro(toInt64(version)) unless kept};

CREATE TABLE {db}.framescope_collector_clock (
  domain String,
  epoch UInt32,
  zero Int64,
  since_commit UInt64,
  version UInt64
) ENGINE = ReplacingMergeTree(version)
ORDER BY (domain, epoch, zero);

CREATE TABLE {db}.framescope_annotation (
  id UInt64,
  at Int64,
  end Nullable(Int64),
  json String
) ENGINE = ReplacingMergeTree
ORDER BY (at, id);

-- Calls that are kept.
CREATE TABLE {db}.framescope_pin (
  session_key String,
  session_id String,
  at Int64,
  note String,
  is_whole UInt8,
  -- Data that came up to here is marked.
  kept_commit UInt64,
  version UInt64,
  is_deleted UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY session_key;

-- Limits that people set: one row, the one of the highest revision.
CREATE TABLE {db}.framescope_budget (
  id UInt8 DEFAULT 0,
  revision UInt64,
  changed Int64,
  -- JSON: [{measure, limitNs}].
  items String,
  -- Tells which of two that were set at once it is.
  token String
) ENGINE = ReplacingMergeTree(revision)
ORDER BY id;

-- How busy processes were, a row a second and process.
CREATE TABLE {db}.framescope_load (
  -- JSON of producer, domain and resource.
  source LowCardinality(String),
  at Int64 CODEC(Delta(8), ZSTD(1)),
  length Int64 CODEC(ZSTD(1)),
  calls Nullable(Float64) CODEC(ZSTD(1)),
  lag_max Nullable(Float64) CODEC(ZSTD(1)),
  lag_mean Nullable(Float64) CODEC(ZSTD(1)),
  -- Shares in thousandths; cpu of one core.
  busy Nullable(Float64) CODEC(ZSTD(1)),
  cpu Nullable(Float64) CODEC(ZSTD(1)),
  rss Nullable(Float64) CODEC(ZSTD(1)),
  -- The deepest queue, and JSON of all; empty: none told.
  waiting_most Float64 CODEC(ZSTD(1)),
  waiting String CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree
PARTITION BY toDate(fromUnixTimestamp64Nano(at))
ORDER BY (source, at)
{ttl frames fromUnixTimestamp64Nano(at)};

-- What is noted once: how far `framescope import` came, the ages that TTLs were made for.
CREATE TABLE {db}.framescope_note (
  topic String,
  name String,
  -- JSON.
  value String,
  version UInt64
) ENGINE = ReplacingMergeTree(version)
ORDER BY (topic, name);

-- Histograms of other programs (OTLP metrics), as sent.
CREATE TABLE {db}.framescope_metric_point (
  measure LowCardinality(String),
  series String,
  start Int64,
  at Int64,
  attributes String CODEC(ZSTD(1)),
  resource String CODEC(ZSTD(1)),
  is_cumulative UInt8,
  count UInt64,
  sum Nullable(Float64),
  min Nullable(Float64),
  max Nullable(Float64),
  -- base64
  sketch String CODEC(ZSTD(1)),
  is_exact UInt8
) ENGINE = ReplacingMergeTree
ORDER BY (measure, series, at, start)
{ttl turns fromUnixTimestamp64Nano(at)};

-- Which schema this is, and whose.
CREATE TABLE {db}.framescope_schema (
  version UInt32,
  made_by String,
  at DateTime64(9) DEFAULT now64(9)
) ENGINE = ReplacingMergeTree
ORDER BY version;
