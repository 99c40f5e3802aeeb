-- How attempts ended, by the extractor that served the site and the yt-dlp it came with.
CREATE TABLE extractor_outcomes (
  extractor TEXT NOT NULL,
  version   TEXT NOT NULL,
  outcome   TEXT NOT NULL,                      -- "completed", or the error's reason
  attempts  BIGINT NOT NULL,
  last_at   BIGINT NOT NULL,
  PRIMARY KEY (extractor, version, outcome)
);
