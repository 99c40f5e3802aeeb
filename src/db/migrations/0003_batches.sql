-- Batches: parents of jobs. A batch has no status of its own: it is read off its children.

CREATE TABLE batches (
  id              TEXT PRIMARY KEY,                -- 'batch_' and a UUIDv7 as hex: sorts by creation
  tenant          TEXT NOT NULL DEFAULT '',        -- whose it is
  subscription_id TEXT,                            -- made by this subscription
  request         TEXT NOT NULL,                   -- what was asked for
  title           TEXT NOT NULL DEFAULT '',        -- of the playlist
  expansion       TEXT NOT NULL,                   -- pending, done, failed: whether all children are there
  epoch           BIGINT NOT NULL DEFAULT 0,       -- the fence of who lists the playlist
  lease_until     BIGINT NOT NULL DEFAULT 0,       -- nobody else begins to list it earlier
  not_before      BIGINT NOT NULL DEFAULT 0,       -- not to be listed again earlier
  failures        INTEGER NOT NULL DEFAULT 0,      -- listings that failed
  listed          BIGINT NOT NULL DEFAULT 0,       -- entries looked at
  skipped         BIGINT NOT NULL DEFAULT 0,       -- entries wanted that had been downloaded before
  baseline        INTEGER NOT NULL DEFAULT 0,      -- only remembers what its subscription need not take
  intent          TEXT NOT NULL,                   -- run, pause, cancel, stop: what was last asked for
  slots           INTEGER NOT NULL,                -- children that may run at once now; 0: none is handed out
  stop_on_error   INTEGER NOT NULL DEFAULT 0,      -- none is handed out once one has failed
  settled         INTEGER NOT NULL DEFAULT 0,      -- nothing will happen by itself any more
  error_code      TEXT,
  error_message   TEXT,
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL
);
CREATE INDEX batches_open ON batches (id) WHERE settled = 0;
CREATE INDEX batches_by_tenant ON batches (tenant, id);
CREATE INDEX batches_by_subscription ON batches (subscription_id, id) WHERE subscription_id IS NOT NULL;

ALTER TABLE jobs ADD COLUMN batch_id TEXT;
ALTER TABLE jobs ADD COLUMN batch_key TEXT;        -- the entry it is for: once in a batch
ALTER TABLE jobs ADD COLUMN batch_rank TEXT;       -- its place in the order asked for
CREATE INDEX jobs_alone ON jobs (state) WHERE batch_id IS NULL;
CREATE INDEX jobs_by_batch ON jobs (batch_id, state) WHERE batch_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_batch_entries ON jobs (batch_id, batch_key) WHERE batch_id IS NOT NULL;

-- Identical requests are not handed out together; one takes over what another has stored meanwhile.
ALTER TABLE jobs ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_by_fingerprint ON jobs (fingerprint, state) WHERE fingerprint <> '';
CREATE INDEX artifacts_by_location ON artifacts (location);

-- What was downloaded once, whether its files are still there or not.
CREATE TABLE archive (
  tenant      TEXT NOT NULL,
  entry       TEXT NOT NULL,                       -- "youtube dQw4w9WgXcQ", "url https://..."
  options     TEXT NOT NULL,                       -- digest of what was made of it
  job_id      TEXT NOT NULL,
  archived_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, entry, options)
);
