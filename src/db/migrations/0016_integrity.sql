-- When each stored file was read last and what was found. What is stored was hashed as it was.
ALTER TABLE artifacts ADD COLUMN checked_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE artifacts ADD COLUMN integrity TEXT NOT NULL DEFAULT 'sound';
UPDATE artifacts SET checked_at = created_at;
CREATE INDEX artifacts_by_check ON artifacts (checked_at);
CREATE INDEX artifacts_damaged ON artifacts (integrity) WHERE integrity <> 'sound';

-- Who reads them now: one process at a time.
CREATE TABLE scrub (
  id          INTEGER PRIMARY KEY,
  holder      TEXT NOT NULL DEFAULT '',
  lease_until BIGINT NOT NULL DEFAULT 0,
  asked_at    BIGINT NOT NULL DEFAULT 0     -- everything that was not read since then is due
);
INSERT INTO scrub (id) VALUES (1);
