-- Ended jobs are deleted some time after their end, or when an administrator of their organization
-- says so; and what an organization stores may be capped.
--
-- How much it stores is known without a counter that submits would queue for: processes remember what
-- they have stored and add it to the sums about once a second. What a crash makes them forget is found
-- by counting all again, once a day.

-- The length of the JSON text. Null: stored before this migration, and not counted.
ALTER TABLE "job_parameters" ADD COLUMN "bytes" INTEGER;
ALTER TABLE "job_results" ADD COLUMN "bytes" INTEGER;

ALTER TABLE "organization_limits" ADD COLUMN "max_stored_bytes" BIGINT;
ALTER TABLE "organization_limits" ADD COLUMN "retention_days" INTEGER;
ALTER TABLE "organization_limits" ADD CONSTRAINT "organization_limits_max_stored_bytes" CHECK ("max_stored_bytes" >= 0);
ALTER TABLE "organization_limits" ADD CONSTRAINT "organization_limits_retention_days" CHECK ("retention_days" BETWEEN 0 AND 36500);

-- Rewritten about once a second while its organization stores something: hence the free space.
CREATE TABLE "organization_usage" (
    "org_id" UUID NOT NULL,
    "stored_bytes" BIGINT NOT NULL,

    CONSTRAINT "organization_usage_pkey" PRIMARY KEY ("org_id")
) WITH (fillfactor = 50);

-- What one replica at a time does now and then: when it is due again, and how far it has come. It is
-- locked while a replica is at it.
CREATE TABLE "housekeeping" (
    "name" TEXT NOT NULL,
    "due_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "after_id" UUID NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',

    CONSTRAINT "housekeeping_pkey" PRIMARY KEY ("name")
) WITH (fillfactor = 20);
INSERT INTO "housekeeping" ("name") VALUES ('retention'), ('recount');

-- delete_ended_jobs: deletes those of the jobs that have ended, with all that hangs on them. Answers how many.
CREATE FUNCTION delete_ended_jobs(p_ids uuid[]) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    WITH gone AS (
        DELETE FROM jobs j WHERE j.id = ANY (p_ids) AND j.ended_at IS NOT NULL RETURNING j.id
    ), labels AS (
        DELETE FROM job_labels k USING gone WHERE k.job_id = gone.id
    ), attempts AS (
        DELETE FROM job_attempts k USING gone WHERE k.job_id = gone.id
    ), parameters AS (
        DELETE FROM job_parameters k USING gone WHERE k.job_id = gone.id RETURNING k.org_id, k.bytes
    ), results AS (
        DELETE FROM job_results k USING gone WHERE k.job_id = gone.id RETURNING k.org_id, k.bytes
    ), logs AS (
        DELETE FROM job_logs k USING gone WHERE k.job_id = gone.id RETURNING k.org_id, octet_length(k.text) AS bytes
    ), freed AS (
        INSERT INTO organization_usage AS usage (org_id, stored_bytes)
        SELECT kept.org_id, -sum(kept.bytes)
        FROM (SELECT * FROM parameters UNION ALL SELECT * FROM results UNION ALL SELECT * FROM logs) kept
        GROUP BY kept.org_id HAVING sum(kept.bytes) > 0
        ORDER BY kept.org_id  -- as all do that change several: none waits for another in a circle
        ON CONFLICT (org_id) DO UPDATE SET stored_bytes = usage.stored_bytes + excluded.stored_bytes
    )
    SELECT count(*) FROM gone
$$;

-- delete_expired_jobs: looks at the next p_limit jobs, oldest first, and deletes those that ended longer
-- ago than their organization's retention_days, or else p_days (0: never). Answers no row when it is not
-- due or another replica is at it, and `finished` when it has come to the end; then the next pass
-- begins p_pause later. Between two calls it rests four times as long as the first one took, whoever calls.
--
-- It walks the primary key: ids are made in order of submission, and no job ends before it was
-- submitted. So nothing needs an index by `ended_at`, which every job would pay for at its end. What is
-- passed over are jobs that may live longer; each pass looks at them again.
--
-- The commit does not wait for the disk: what a crash of the server forgets is deleted once more.
CREATE FUNCTION delete_expired_jobs(p_days int, p_limit int, p_pause interval)
RETURNS TABLE (deleted bigint, finished boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_began timestamptz := clock_timestamp();
    v_after uuid;
    v_days int;           -- the shortest of all; null: everything is kept
    v_seen uuid[];
    v_expired uuid[];
    v_deleted bigint := 0;
    v_finished boolean;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT h.after_id INTO v_after FROM housekeeping h
        WHERE h.name = 'retention' AND h.due_at <= v_began FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT min(nullif(kept.days, 0)) INTO v_days
        FROM (SELECT p_days UNION ALL SELECT l.retention_days FROM organization_limits l) AS kept(days);

    IF v_days IS NOT NULL THEN
        SELECT array_agg(w.id ORDER BY w.id),
               array_agg(w.id) FILTER (WHERE w.ended_at < v_began - nullif(coalesce(own.retention_days, p_days), 0) * interval '1 day')
            INTO v_seen, v_expired
        FROM (
            SELECT j.id, j.org_id, j.ended_at FROM jobs j
            -- The first 48 bits of an id are the milliseconds of its making.
            WHERE j.id > v_after AND j.id < rpad(lpad(to_hex(
                floor(extract(epoch FROM v_began - v_days * interval '1 day') * 1000)::bigint), 12, '0'), 32, '0')::uuid
            ORDER BY j.id LIMIT p_limit) w
        -- Its own limits, else those of the nil UUID, which sorts first.
        LEFT JOIN LATERAL (
            SELECT l.retention_days FROM organization_limits l
            WHERE l.org_id IN (w.org_id, '00000000-0000-0000-0000-000000000000') ORDER BY l.org_id DESC LIMIT 1) own ON true;
        IF v_expired IS NOT NULL THEN
            v_deleted := delete_ended_jobs(v_expired);
        END IF;
    END IF;

    v_finished := coalesce(cardinality(v_seen), 0) < p_limit;
    UPDATE housekeeping h SET
        after_id = CASE WHEN v_finished THEN '00000000-0000-0000-0000-000000000000' ELSE v_seen[cardinality(v_seen)] END,
        due_at = clock_timestamp() + CASE WHEN v_finished THEN p_pause ELSE 4 * (clock_timestamp() - v_began) END
    WHERE h.name = 'retention';
    RETURN QUERY SELECT v_deleted, v_finished;
END $$;

ALTER TABLE organization_usage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON organization_usage TO headframe_api
    USING (org_id = ANY ((SELECT request_organizations())::uuid[]));
CREATE POLICY worker ON organization_usage TO headframe_worker USING (true);
CREATE POLICY operator ON organization_usage FOR SELECT TO headframe_operator USING (true);
DO $$
DECLARE
    v_table text;
BEGIN
    -- A request may delete what has ended, and nothing else, whatever it says.
    FOREACH v_table IN ARRAY ARRAY['job_parameters', 'job_results', 'job_attempts', 'job_labels', 'job_logs'] LOOP
        EXECUTE format('CREATE POLICY ended ON %I AS RESTRICTIVE FOR DELETE TO headframe_api
                        USING (EXISTS (SELECT 1 FROM jobs j WHERE j.id = job_id AND j.ended_at IS NOT NULL))', v_table);
    END LOOP;
END $$;
CREATE POLICY ended ON jobs AS RESTRICTIVE FOR DELETE TO headframe_api USING (ended_at IS NOT NULL);

-- Purge, and the cap on stored bytes.
GRANT DELETE ON jobs, job_parameters, job_results, job_attempts, job_labels, job_logs TO headframe_api;
GRANT SELECT (job_id, org_id, bytes) ON job_parameters TO headframe_api;
GRANT SELECT, INSERT, UPDATE ON organization_usage TO headframe_api;

-- Retention, and the sums.
GRANT DELETE ON jobs, job_parameters, job_results, job_attempts, job_labels TO headframe_worker;
GRANT SELECT ON job_labels TO headframe_worker;
GRANT SELECT, UPDATE ON housekeeping TO headframe_worker;
GRANT SELECT, INSERT, UPDATE ON organization_usage TO headframe_worker;

GRANT SELECT ON organization_usage TO headframe_operator;
