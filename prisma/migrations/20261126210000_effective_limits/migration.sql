-- Which limits hold for an organization, and at which rate it may send requests, said once. Five places had
-- the rule in their own words. Code of the version before calls the same functions with the same arguments.

-- effective_limits: the limits that hold for an organization: its own, else those of the nil UUID, which
-- sorts first, else no row. One SELECT, so that it is inlined where it is called.
CREATE FUNCTION effective_limits(p_org_id uuid)
 RETURNS SETOF organization_limits
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
    SELECT l.* FROM organization_limits l
    WHERE l.org_id IN (p_org_id, '00000000-0000-0000-0000-000000000000')
    ORDER BY l.org_id DESC LIMIT 1
$function$;

-- rate_limit_of: how many requests a minute an organization may send that are counted in a bucket; where its
-- limits do not say, as many as the service is configured for. 0: no limit. The nil UUID stands for a
-- network address, which has no limits of its own. One row, and one SELECT, so that it is inlined, too.
CREATE FUNCTION rate_limit_of(p_org_id uuid, p_bucket text, p_configured integer)
 RETURNS TABLE(per_minute integer)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
    SELECT coalesce(CASE p_bucket
        WHEN 'submits' THEN own.submits_per_minute
        WHEN 'cancels' THEN own.submits_per_minute
        WHEN 'polls' THEN own.polls_per_minute
        WHEN 'requests' THEN own.requests_per_minute
    END, p_configured)
    FROM (SELECT) one LEFT JOIN effective_limits(p_org_id) own ON true
$function$;

-- claim_jobs: starts up to p_limit jobs for one worker, fairly between organizations.
--
-- The organizations with claimable jobs form a ring in order of id; each in its turn may start
-- `weight` x a quantum of jobs (deficit round robin). The turn is the caller's to keep: it passes
-- back the cursor and credit that the last row of each answer carries, starting from a random uuid,
-- so that workers do not walk in step. There is no counter that could leak: what runs is counted.
--
-- Jobs are locked as they are picked, and those that somebody else has locked are passed over: claims
-- of one organization share out its jobs, and none waits for another. Only an organization with a cap
-- is claimed from by one at a time. That lock is only tried: whoever finds it held passes the
-- organization over and reports it as `contended`, so that the caller asks again soon; likewise when
-- others hold all that it could have picked.
--
-- It must be VOLATILE plpgsql: each inner statement then sees what committed before it, which a
-- single statement does not, and a cap checked under the lock of its organization or task is exact.
-- At most p_last_chances of them are jobs that one more crash would fail.
--
-- The commit does not wait for the disk. A crash of the server may forget a claim; since the lease
-- is a random UUID, never a counter, a forgotten claim can never equal a later one.
CREATE OR REPLACE FUNCTION claim_jobs(p_worker uuid, p_topics text[], p_tasks text[], p_limit integer, p_cursor uuid, p_credit integer, p_last_chances integer)
 RETURNS TABLE(job_id uuid, org_id uuid, topic text, task text, attempt integer, crashes integer, lease_id uuid, timeout_seconds integer, created_at timestamp with time zone, ring_cursor uuid, ring_credit integer, contended boolean)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    v_org uuid := p_cursor;
    v_credit int := p_credit;
    v_quantum int := greatest(1, p_limit / 4);
    v_weight int;
    v_cap int;
    v_alone boolean;        -- only one organization has claimable jobs; null: not asked yet
    v_room int;
    v_last_room int;
    v_got int;
    v_total int := 0;
    v_idle_since uuid;      -- the organization at which a lap without any start began
    v_contended boolean := false;
    v_task_rooms bigint[];  -- null: no task has a cap
    v_last_chances int := 0;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    -- A worker that was reaped, or is draining, starts nothing; and none is reaped while it claims.
    PERFORM 1 FROM workers w WHERE w.id = p_worker AND NOT w.draining FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT NULL::uuid, NULL::uuid, NULL::text, NULL::text, NULL::int, NULL::int, NULL::uuid, NULL::int,
                            NULL::timestamptz, v_org, v_credit, false;
        RETURN;
    END IF;
    IF EXISTS (SELECT 1 FROM task_limits) THEN
        v_task_rooms := task_rooms(p_topics, p_tasks);
    END IF;
    IF EXISTS (SELECT 1 FROM jobs j WHERE j.status = 'requested' AND j.run_after IS NULL AND j.crashes >= 2) THEN
        v_last_chances := p_last_chances;
    END IF;

    FOR probe IN 1..64 LOOP
        EXIT WHEN v_total >= p_limit;
        -- Whose turn it is, and its limits.
        SELECT turn.org_id, own.weight, own.max_running INTO v_org, v_weight, v_cap
        FROM (SELECT CASE WHEN v_credit > 0 THEN v_org ELSE coalesce(
                  (SELECT j.org_id FROM jobs j WHERE j.status = 'requested' AND j.run_after IS NULL AND j.org_id > v_org
                   ORDER BY j.org_id LIMIT 1),
                  (SELECT j.org_id FROM jobs j WHERE j.status = 'requested' AND j.run_after IS NULL
                   ORDER BY j.org_id LIMIT 1)) END AS org_id) turn
        LEFT JOIN LATERAL effective_limits(turn.org_id) own ON true;
        EXIT WHEN v_org IS NULL OR (v_credit <= 0 AND v_org = v_idle_since);
        IF v_credit <= 0 THEN
            v_credit := coalesce(v_weight, 1) * v_quantum;
            -- Alone it may have all at once: the turn of a ring of one is no turn.
            IF v_alone IS NULL THEN
                v_alone := NOT EXISTS (SELECT 1 FROM jobs j
                                       WHERE j.status = 'requested' AND j.run_after IS NULL AND j.org_id > v_org)
                       AND NOT EXISTS (SELECT 1 FROM jobs j
                                       WHERE j.status = 'requested' AND j.run_after IS NULL AND j.org_id < v_org);
            END IF;
            IF v_alone THEN
                v_credit := greatest(v_credit, p_limit);
            END IF;
        END IF;

        v_got := 0;
        v_room := least(v_credit, p_limit - v_total);
        IF v_cap IS NOT NULL THEN
            IF NOT pg_try_advisory_xact_lock(727072, hashtext(v_org::text)) THEN
                v_contended := true;
                v_room := 0;
            ELSE
                SELECT least(v_room, v_cap - count(*)) INTO v_room
                    FROM (SELECT 1 FROM jobs j WHERE j.org_id = v_org AND j.lease_id IS NOT NULL LIMIT v_cap) running;
            END IF;
        END IF;
        IF v_room > 0 THEN
            -- First those that one more crash would fail: few, and few at a time.
            v_last_room := least(v_room, v_last_chances);
            IF v_last_room > 0 THEN
                RETURN QUERY WITH started AS (
                    UPDATE jobs j
                    SET status = 'in progress', attempt = j.attempt + 1, worker_id = p_worker,
                        lease_id = gen_random_uuid(), started_at = clock_timestamp(), expires_at = NULL
                    WHERE j.id = ANY (ARRAY(
                        SELECT head.id FROM unnest(p_topics, p_tasks, v_task_rooms) AS served(topic, task, room)
                        CROSS JOIN LATERAL (
                            SELECT d.id, d.priority FROM jobs d
                            WHERE d.status = 'requested' AND d.run_after IS NULL AND d.crashes >= 2
                              AND d.org_id = v_org AND d.topic = served.topic AND d.task = served.task
                            ORDER BY d.priority DESC, d.id LIMIT greatest(0, least(v_last_room, served.room))
                            FOR UPDATE SKIP LOCKED) head
                        ORDER BY head.priority DESC, head.id LIMIT v_last_room))
                    RETURNING j.*)
                    SELECT s.id, s.org_id, s.topic, s.task, s.attempt, s.crashes::int, s.lease_id, s.timeout_seconds,
                           s.created_at, NULL::uuid, NULL::int, NULL::boolean
                    FROM started s ORDER BY s.priority DESC, s.id;
                GET DIAGNOSTICS v_got = ROW_COUNT;
                v_last_chances := v_last_chances - v_got;
            END IF;
            -- Else the first over all the tasks that this worker serves: one short index scan each.
            IF v_got = 0 THEN
                RETURN QUERY WITH started AS (
                    UPDATE jobs j
                    SET status = 'in progress', attempt = j.attempt + 1, worker_id = p_worker,
                        lease_id = gen_random_uuid(), started_at = clock_timestamp(), expires_at = NULL
                    WHERE j.id = ANY (ARRAY(
                        SELECT head.id FROM unnest(p_topics, p_tasks, v_task_rooms) AS served(topic, task, room)
                        CROSS JOIN LATERAL (
                            SELECT d.id, d.priority FROM jobs d
                            WHERE d.status = 'requested' AND d.run_after IS NULL AND d.crashes < 2
                              AND d.org_id = v_org AND d.topic = served.topic AND d.task = served.task
                              AND (d.expires_at IS NULL OR d.expires_at > clock_timestamp())
                            ORDER BY d.priority DESC, d.id LIMIT greatest(0, least(v_room, served.room))
                            FOR UPDATE SKIP LOCKED) head
                        ORDER BY head.priority DESC, head.id LIMIT v_room))
                    RETURNING j.*)
                    SELECT s.id, s.org_id, s.topic, s.task, s.attempt, s.crashes::int, s.lease_id, s.timeout_seconds,
                           s.created_at, NULL::uuid, NULL::int, NULL::boolean
                    FROM started s ORDER BY s.priority DESC, s.id;
                GET DIAGNOSTICS v_got = ROW_COUNT;
            END IF;
            IF v_got = 0 AND NOT v_contended THEN
                v_contended := EXISTS (
                    SELECT 1 FROM unnest(p_topics, p_tasks, v_task_rooms) AS served(topic, task, room)
                    JOIN jobs d ON d.topic = served.topic AND d.task = served.task
                    WHERE d.status = 'requested' AND d.run_after IS NULL AND d.crashes < 2 AND d.org_id = v_org
                      AND (d.expires_at IS NULL OR d.expires_at > clock_timestamp())
                      AND (served.room IS NULL OR served.room > 0));
            ELSIF v_got > 0 AND v_task_rooms IS NOT NULL THEN
                v_task_rooms := task_rooms(p_topics, p_tasks);
            END IF;
        END IF;

        v_total := v_total + v_got;
        v_credit := CASE WHEN v_got = 0 THEN 0 ELSE v_credit - v_got END;
        IF v_got > 0 THEN
            v_idle_since := NULL;
        ELSIF v_idle_since IS NULL THEN
            v_idle_since := v_org;
        END IF;
    END LOOP;
    RETURN QUERY SELECT NULL::uuid, NULL::uuid, NULL::text, NULL::text, NULL::int, NULL::int, NULL::uuid, NULL::int,
                        NULL::timestamptz, coalesce(v_org, p_cursor),
                        -- What it had alone is no claim on the next round.
                        least(v_credit, coalesce(v_weight, 1) * v_quantum), v_contended;
END $function$;

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
CREATE OR REPLACE FUNCTION delete_expired_jobs(p_days integer, p_limit integer, p_pause interval)
 RETURNS TABLE(deleted bigint, finished boolean)
 LANGUAGE plpgsql
AS $function$
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
        LEFT JOIN LATERAL effective_limits(w.org_id) own ON true;
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
END $function$;

-- tend_jobs: what every replica does once a second. It reaps the jobs of lost workers, expires those that
-- nobody started in time, and makes those claimable that are due. Each step takes what no other replica
-- has taken, and at most some thousands of jobs: the rest waits a second.
CREATE OR REPLACE FUNCTION tend_jobs(p_lock_class integer, p_lease interval, p_max_crashes integer, p_worker_lost json, p_canceled json, p_expired json)
 RETURNS TABLE(transition text, job_id uuid, org_id uuid, topic text, task text, attempt integer, worker_id uuid, status text)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT * FROM reap_jobs(p_lock_class, p_lease, p_max_crashes, p_worker_lost, p_canceled);

    RETURN QUERY
    UPDATE jobs j SET status = 'failed', error = p_expired, ended_at = clock_timestamp(), expires_at = NULL, run_after = NULL
    WHERE j.id = ANY (ARRAY(
        SELECT d.id FROM jobs d WHERE d.expires_at <= clock_timestamp()
        ORDER BY d.expires_at LIMIT 5000 FOR UPDATE SKIP LOCKED))
    RETURNING 'expire', j.id, j.org_id, j.topic, j.task, j.attempt, NULL::uuid, j.status;

    RETURN QUERY
    UPDATE jobs j SET run_after = NULL
    WHERE j.id = ANY (ARRAY(
        SELECT d.id FROM jobs d WHERE d.run_after <= clock_timestamp()
        ORDER BY d.run_after LIMIT 5000 FOR UPDATE SKIP LOCKED))
    RETURNING 'due', j.id, j.org_id, j.topic, j.task, j.attempt, NULL::uuid, j.status;
END $function$;
