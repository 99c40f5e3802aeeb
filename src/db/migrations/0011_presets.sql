-- Named sets of options, which a download asks for with `preset`.
CREATE TABLE presets (
  tenant      TEXT NOT NULL,
  name        TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  options     TEXT NOT NULL,                    -- JSON: members of media::DownloadOptions
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL,
  PRIMARY KEY (tenant, name)
);
