-- What was or may have been written to the object storage and is not known to be an artifact: the row is
-- there before anything is sent, and goes when the object is an artifact or has been deleted.
CREATE TABLE object_writes (
  location  TEXT PRIMARY KEY,
  job_id    TEXT NOT NULL,                -- whose lease may still record it; empty: nobody's
  epoch     BIGINT NOT NULL,
  upload_id TEXT NOT NULL DEFAULT '',     -- of the upload in parts that was begun for it
  noted_at  BIGINT NOT NULL
);
