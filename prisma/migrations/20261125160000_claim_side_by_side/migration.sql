-- Claims of one organization go side by side. Before, each held the organization's lock, and whoever
-- met the lock passed the organization over: two workers took turns where one organization had all the
-- work, and where weights differed the heavier one, met more often, got less than its share.

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
CREATE OR REPLACE FUNCTION claim_jobs(p_worker uuid, p_topics text[], p_tasks text[], p_limit int, p_cursor uuid, p_credit int, p_last_chances int)
RETURNS TABLE (job_id uuid, org_id uuid, topic text, task text, attempt int, crashes int, lease_id uuid, timeout_seconds int,
               created_at timestamptz, ring_cursor uuid, ring_credit int, contended boolean)
LANGUAGE plpgsql VOLATILE AS $$
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
        -- Whose turn it is; and its own limits, else those of the nil UUID, which sorts first.
        SELECT turn.org_id, own.weight, own.max_running INTO v_org, v_weight, v_cap
        FROM (SELECT CASE WHEN v_credit > 0 THEN v_org ELSE coalesce(
                  (SELECT j.org_id FROM jobs j WHERE j.status = 'requested' AND j.run_after IS NULL AND j.org_id > v_org
                   ORDER BY j.org_id LIMIT 1),
                  (SELECT j.org_id FROM jobs j WHERE j.status = 'requested' AND j.run_after IS NULL
                   ORDER BY j.org_id LIMIT 1)) END AS org_id) turn
        LEFT JOIN LATERAL (
            SELECT l.weight, l.max_running FROM organization_limits l
            WHERE l.org_id IN (turn.org_id, '00000000-0000-0000-0000-000000000000') ORDER BY l.org_id DESC LIMIT 1) own ON true;
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
END $$;
