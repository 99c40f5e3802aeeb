-- Recordings of live streams that somebody asked to end: what is there is kept.
CREATE TABLE recording_ends (
  job_id   TEXT PRIMARY KEY REFERENCES jobs(id) ON DELETE CASCADE,
  asked_at BIGINT NOT NULL
);
