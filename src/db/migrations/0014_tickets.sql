-- Tickets that open one stream each, within seconds of being made. One that was used has no row any more.
CREATE TABLE tickets (
  digest     TEXT PRIMARY KEY,
  key_id     TEXT NOT NULL,                      -- whose ticket it is; empty: nobody's in particular
  expires_at BIGINT NOT NULL
);
