-- How many jobs of the origin ended lately, and how many of them blamed it (jobs/breaker.h).
ALTER TABLE breakers ADD COLUMN window_start BIGINT NOT NULL DEFAULT 0;
ALTER TABLE breakers ADD COLUMN window_calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE breakers ADD COLUMN window_failures INTEGER NOT NULL DEFAULT 0;
