-- Files that people bring. An upload stands where a job stands for what was downloaded.
CREATE TABLE uploads (
  id          TEXT PRIMARY KEY,
  tenant      TEXT NOT NULL,                     -- whose it is
  lease_until BIGINT NOT NULL,                   -- while it arrives, 0 once it is stored
  created_at  BIGINT NOT NULL
);

-- An artifact comes from a job or from an upload.
CREATE TABLE artifacts_of_both (
  id         TEXT PRIMARY KEY,
  job_id     TEXT REFERENCES jobs (id) ON DELETE CASCADE,
  upload_id  TEXT REFERENCES uploads (id) ON DELETE CASCADE,
  kind       TEXT NOT NULL,
  path       TEXT NOT NULL UNIQUE,
  location   TEXT NOT NULL,
  mime_type  TEXT NOT NULL,
  language   TEXT NOT NULL DEFAULT '',
  size       BIGINT NOT NULL,
  sha256     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  CHECK (job_id IS NOT NULL OR upload_id IS NOT NULL)
);
INSERT INTO artifacts_of_both (id, job_id, kind, path, location, mime_type, language, size, sha256, created_at, expires_at)
  SELECT id, job_id, kind, path, location, mime_type, language, size, sha256, created_at, expires_at FROM artifacts;
DROP TABLE artifacts;
ALTER TABLE artifacts_of_both RENAME TO artifacts;
CREATE INDEX artifacts_by_job ON artifacts (job_id);
CREATE INDEX artifacts_by_upload ON artifacts (upload_id) WHERE upload_id IS NOT NULL;
CREATE INDEX artifacts_expiring ON artifacts (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX artifacts_by_location ON artifacts (location);
