-- Playlists, channels and feeds that are looked at again and again. A run is a batch.

CREATE TABLE subscriptions (
  id          TEXT PRIMARY KEY,                    -- 'sub_' and a UUIDv7 as hex: sorts by creation
  tenant      TEXT NOT NULL DEFAULT '',
  request     TEXT NOT NULL,                       -- what was asked for
  paused      INTEGER NOT NULL DEFAULT 0,
  next_run_at BIGINT,                              -- NULL while paused
  last_run_at BIGINT,
  runs        BIGINT NOT NULL DEFAULT 0,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL
);
CREATE INDEX subscriptions_due ON subscriptions (next_run_at) WHERE next_run_at IS NOT NULL;

-- Entries that were submitted once, or need not be.
CREATE TABLE subscription_entries (
  subscription_id TEXT NOT NULL,
  entry           TEXT NOT NULL,
  PRIMARY KEY (subscription_id, entry)
);
