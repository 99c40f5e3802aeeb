-- Cookies of users, sealed (access/vault.h); domains and times are what may be told about them.
CREATE TABLE cookies (
  id           TEXT PRIMARY KEY,
  owner        TEXT NOT NULL,
  name         TEXT NOT NULL,
  browser      TEXT NOT NULL,
  domains      TEXT NOT NULL,                    -- a JSON array
  cookie_count BIGINT NOT NULL,
  sealed       TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  first_expiry BIGINT,
  expires_at   BIGINT
);
CREATE INDEX cookies_by_owner ON cookies (owner, created_at);

-- What owners have used, by day ("2026-01-31") and month ("2026-01") of UTC.
CREATE TABLE usage (
  owner  TEXT NOT NULL,
  period TEXT NOT NULL,
  jobs   BIGINT NOT NULL,
  bytes  BIGINT NOT NULL,
  PRIMARY KEY (owner, period)
);

-- Links to files that are in force. One that was taken back has no row any more.
CREATE TABLE file_links (
  id          TEXT PRIMARY KEY,
  owner       TEXT NOT NULL,
  artifact_id TEXT NOT NULL,
  key_id      TEXT NOT NULL,
  method      TEXT NOT NULL,
  expires_at  BIGINT NOT NULL,
  created_at  BIGINT NOT NULL
);
CREATE INDEX file_links_by_expiry ON file_links (expires_at);
