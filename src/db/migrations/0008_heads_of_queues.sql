-- The heads of the queues are read off one index; with the state in front it also finds the tenants.
DROP INDEX jobs_ready;
CREATE INDEX jobs_ready ON jobs (state, tenant, turn, id) WHERE state = 'queued';
