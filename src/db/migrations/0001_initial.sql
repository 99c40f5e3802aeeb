-- Times are milliseconds since 1970 UTC. Documents are JSON text.

CREATE TABLE jobs (
  id               TEXT PRIMARY KEY,             -- UUIDv7: sorts by creation
  kind             TEXT NOT NULL,                -- what worker code runs it: 'download'
  tenant           TEXT NOT NULL DEFAULT '',     -- whose it is
  priority         INTEGER NOT NULL,             -- 1 (lowest) .. 10
  state            TEXT NOT NULL,                -- jobs/state.h
  phase            TEXT NOT NULL,                -- waiting, extracting, downloading, post_processing, storing, finished
  epoch            BIGINT NOT NULL DEFAULT 0,    -- the fence: +1 at each claim
  failures         INTEGER NOT NULL DEFAULT 0,   -- attempts that ended with a retryable error
  crashes          INTEGER NOT NULL DEFAULT 0,   -- attempts whose worker vanished
  owner            TEXT,                         -- the worker that holds the lease
  lease_until      BIGINT,
  not_before       BIGINT NOT NULL DEFAULT 0,    -- not to be claimed earlier
  request          TEXT NOT NULL,                -- what was asked for
  checkpoint       TEXT NOT NULL DEFAULT '{}',   -- what a later attempt can go on from
  progress         TEXT NOT NULL DEFAULT '{}',
  result           TEXT NOT NULL DEFAULT '{}',
  error_code       TEXT,
  error_message    TEXT,
  created_at       BIGINT NOT NULL,
  updated_at       BIGINT NOT NULL,
  started_at       BIGINT,
  completed_at     BIGINT
);
CREATE INDEX jobs_ready ON jobs (priority DESC, id) WHERE state IN ('queued', 'retry_wait');
CREATE INDEX jobs_leased ON jobs (lease_until) WHERE state IN ('running', 'cancelling');
CREATE INDEX jobs_by_state ON jobs (state, id);

-- The durable record behind WebSocket replay and job logs.
CREATE TABLE events (
  seq    INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  type   TEXT NOT NULL,                          -- status, log
  at     BIGINT NOT NULL,
  data   TEXT NOT NULL
);
CREATE INDEX events_by_job ON events (job_id, seq);

CREATE TABLE artifacts (
  id         TEXT PRIMARY KEY,
  job_id     TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  kind       TEXT NOT NULL,
  path       TEXT NOT NULL UNIQUE,               -- its name in the API
  location   TEXT NOT NULL,                      -- where the storage keeps it
  mime_type  TEXT NOT NULL,
  language   TEXT NOT NULL DEFAULT '',
  size       BIGINT NOT NULL,
  sha256     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT
);
CREATE INDEX artifacts_by_job ON artifacts (job_id);
CREATE INDEX artifacts_expiring ON artifacts (expires_at) WHERE expires_at IS NOT NULL;
