-- What a job turned out to be about, for people; lists read no checkpoint. Empty until it is known.
ALTER TABLE jobs ADD COLUMN title TEXT NOT NULL DEFAULT '';
