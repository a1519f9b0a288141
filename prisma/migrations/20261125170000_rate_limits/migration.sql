-- Requests per minute of an organization; null: what the service is configured with, 0: no limit.
ALTER TABLE organization_limits
    ADD COLUMN submits_per_minute INTEGER CHECK (submits_per_minute >= 0),
    ADD COLUMN polls_per_minute INTEGER CHECK (polls_per_minute >= 0),
    ADD COLUMN requests_per_minute INTEGER CHECK (requests_per_minute >= 0);

-- Token buckets that all replicas draw from. A crash of the database empties the table, and so fills
-- the buckets: nothing here is worth the log. The rows are narrow and updated in place (HOT).
CREATE UNLOGGED TABLE rate_limit_levels (
    org_id uuid NOT NULL,           -- the nil UUID: the bucket is an address's
    address text NOT NULL,          -- '': the bucket is an organization's
    bucket text NOT NULL,
    level double precision NOT NULL,
    granted integer NOT NULL,       -- by the last statement: what it returns
    filled_at timestamptz(6) NOT NULL,
    CONSTRAINT rate_limit_levels_pkey PRIMARY KEY (org_id, address, bucket)
) WITH (fillfactor = 50);

ALTER TABLE rate_limit_levels ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY worker ON rate_limit_levels TO headframe_worker USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limit_levels TO headframe_worker;
