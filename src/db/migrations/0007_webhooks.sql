-- Events on their way to the addresses that asked for them. A delivery is added in the transaction
-- that made its event, and outlives its job.
CREATE TABLE webhook_deliveries (
  id           TEXT PRIMARY KEY,                 -- UUIDv7; "msg_<id>" is the receiver's idempotency key
  job_id       TEXT NOT NULL,
  tenant       TEXT NOT NULL,
  event        TEXT NOT NULL,
  url          TEXT NOT NULL,
  body         TEXT NOT NULL,
  state        TEXT NOT NULL,                    -- pending, delivered, failed, disabled
  attempts     INTEGER NOT NULL DEFAULT 0,
  epoch        BIGINT NOT NULL DEFAULT 0,        -- the fence: +1 at each claim
  next_at      BIGINT NOT NULL,
  leased_until BIGINT NOT NULL DEFAULT 0,
  history      TEXT NOT NULL DEFAULT '[]',
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_job ON webhook_deliveries (job_id);

-- Addresses that answered 410 Gone.
CREATE TABLE webhook_gone (
  url    TEXT NOT NULL,
  tenant TEXT NOT NULL,
  since  BIGINT NOT NULL,
  PRIMARY KEY (url, tenant)
);
