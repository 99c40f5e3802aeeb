-- API keys (src/access). Only digests of keys are kept. `owner` columns elsewhere hold ids of this table.
CREATE TABLE api_keys (
  id                  TEXT PRIMARY KEY,
  name                TEXT NOT NULL,
  level               TEXT NOT NULL,             -- access/scopes.h
  description         TEXT NOT NULL DEFAULT '',
  notes               TEXT NOT NULL DEFAULT '',
  created_by          TEXT NOT NULL DEFAULT '',
  active              INTEGER NOT NULL DEFAULT 1,
  digest              TEXT NOT NULL,             -- SHA-256 of the whole key, hex
  previous_digest     TEXT,                      -- of the key before a rotation, good until
  previous_until      BIGINT,
  requests_per_minute BIGINT,                    -- limits of this key alone; NULL: those of its level
  jobs_per_day        BIGINT,
  jobs_per_month      BIGINT,
  bytes_per_day       BIGINT,
  bytes_per_month     BIGINT,
  created_at          BIGINT NOT NULL,
  updated_at          BIGINT NOT NULL,
  expires_at          BIGINT,
  revoked_at          BIGINT,
  last_used_at        BIGINT,
  usage_count         BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX api_keys_by_age ON api_keys (created_at);

-- Single facts about access: 'bootstrapped'.
CREATE TABLE access_facts (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
