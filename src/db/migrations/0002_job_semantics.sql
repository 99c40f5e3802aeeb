-- What a job may be besides waiting, running and ended: scheduled, paused, expired; how often it may
-- fail; and what a fair hand-out needs to know of it. `tenant` is the API key it was made with.

ALTER TABLE jobs ADD COLUMN origin TEXT NOT NULL DEFAULT '';           -- the host it was asked to fetch from
ALTER TABLE jobs ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;            -- the lower, the sooner (jobs/turn.h)
ALTER TABLE jobs ADD COLUMN scheduled_at BIGINT;                       -- not wanted earlier
ALTER TABLE jobs ADD COLUMN deadline BIGINT;                           -- not wanted any more from then on
ALTER TABLE jobs ADD COLUMN max_retries INTEGER;                       -- NULL: download.max_retries
ALTER TABLE jobs ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;         -- attempts whose worker vanished
ALTER TABLE jobs ADD COLUMN replays INTEGER NOT NULL DEFAULT 0;        -- how often a person asked for it again
ALTER TABLE jobs ADD COLUMN pause_asked INTEGER NOT NULL DEFAULT 0;    -- its holder is to stop and pause it
ALTER TABLE jobs ADD COLUMN claimed_at BIGINT;

DROP INDEX jobs_ready;
CREATE INDEX jobs_ready ON jobs (tenant, turn, id) WHERE state = 'queued';
CREATE INDEX jobs_delayed ON jobs (not_before) WHERE state IN ('scheduled', 'retry_wait');
CREATE INDEX jobs_deadline ON jobs (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX jobs_by_tenant ON jobs (tenant, id);

-- Attempts that did not complete the job: the history of a dead letter.
CREATE TABLE job_attempts (
  job_id        TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  epoch         BIGINT NOT NULL,
  worker        TEXT NOT NULL,
  started_at    BIGINT NOT NULL,
  ended_at      BIGINT NOT NULL,
  state         TEXT NOT NULL,                   -- what became of the job
  error_code    TEXT NOT NULL,
  error_message TEXT NOT NULL,
  PRIMARY KEY (job_id, epoch)
);

-- When each tenant was served last, so that tenants with equal claims take turns.
CREATE TABLE tenant_turns (
  tenant TEXT PRIMARY KEY,
  served BIGINT NOT NULL
);

-- Origin hosts that do not answer. `probe` is the one job let through to see whether they do again.
CREATE TABLE breakers (
  origin      TEXT PRIMARY KEY,
  failures    INTEGER NOT NULL,
  open_until  BIGINT,                            -- NULL: closed
  probe       TEXT,
  last_error  TEXT NOT NULL,
  updated_at  BIGINT NOT NULL
);

-- Answers to requests that carried an Idempotency-Key.
CREATE TABLE idempotency_keys (
  tenant      TEXT NOT NULL,
  idem_key    TEXT NOT NULL,
  fingerprint TEXT NOT NULL,                     -- of the request: sha256
  status      INTEGER NOT NULL,
  location    TEXT NOT NULL,
  body        TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (tenant, idem_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
