-- The job table is the queue. Rules of this schema:
--   * the database refuses nonsense: CHECKs tie the lease to the running states and `ended_at` to
--     the final ones, whatever a statement forgets;
--   * one partial index for each hot query, and no index on a column that progress changes, so that
--     progress updates stay HOT;
--   * parameters and results lie in tables of their own that are written once: a row of `jobs` stays
--     small however much a job carries. They have no foreign key: it would lock the job's row once
--     more for each insert, and they are only ever written in one statement with it.

CREATE TABLE "jobs" (
    "id" UUID NOT NULL,
    "org_id" UUID NOT NULL,
    "topic" TEXT NOT NULL,
    "task" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'requested',
    "priority" SMALLINT NOT NULL DEFAULT 0,
    "progress" SMALLINT NOT NULL DEFAULT 0,
    "message" TEXT,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "max_attempts" SMALLINT NOT NULL DEFAULT 1,
    "failures" SMALLINT NOT NULL DEFAULT 0,
    "crashes" SMALLINT NOT NULL DEFAULT 0,
    "timeout_seconds" INTEGER,
    "run_after" TIMESTAMPTZ(6),
    "expires_at" TIMESTAMPTZ(6),
    "lease_id" UUID,
    "worker_id" UUID,
    "error" JSON,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "started_at" TIMESTAMPTZ(6),
    "ended_at" TIMESTAMPTZ(6),

    CONSTRAINT "jobs_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "jobs_status_known" CHECK ("status" IN ('requested', 'in progress', 'canceling', 'succeeded', 'failed', 'canceled')),
    CONSTRAINT "jobs_lease_while_running" CHECK (("status" IN ('in progress', 'canceling')) = ("lease_id" IS NOT NULL)),
    CONSTRAINT "jobs_lease_has_worker" CHECK ("lease_id" IS NULL OR "worker_id" IS NOT NULL),
    CONSTRAINT "jobs_ended_when_final" CHECK (("status" IN ('succeeded', 'failed', 'canceled')) = ("ended_at" IS NOT NULL)),
    CONSTRAINT "jobs_error_when_not_succeeded" CHECK (("status" IN ('failed', 'canceled')) = ("error" IS NOT NULL)),
    CONSTRAINT "jobs_delay_while_requested" CHECK ("run_after" IS NULL OR "status" = 'requested'),
    CONSTRAINT "jobs_expiry_while_requested" CHECK ("expires_at" IS NULL OR "status" = 'requested'),
    CONSTRAINT "jobs_priority_range" CHECK ("priority" BETWEEN -100 AND 100),
    CONSTRAINT "jobs_timeout_positive" CHECK ("timeout_seconds" > 0),
    CONSTRAINT "jobs_progress_percent" CHECK ("progress" BETWEEN 0 AND 100),
    CONSTRAINT "jobs_attempts_counted" CHECK ("max_attempts" >= 1 AND "failures" >= 0 AND "crashes" >= 0 AND "attempt" >= "failures" + "crashes")
) WITH (
    -- Room on each page for HOT updates; vacuum by a fixed number of dead rows, since the live part
    -- of the table is small however many ended jobs it keeps.
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0.05
);

-- The claim walks the organizations in order of id and takes, of each task it serves, the most urgent
-- job, the oldest first.
CREATE INDEX "jobs_claimable" ON "jobs"("org_id", "topic", "task", "priority" DESC, "id") WHERE (status = 'requested' AND run_after IS NULL);
-- Jobs that one more crash would fail (their crashes are one less than the limit of three): a worker
-- holds one of them at a time, so that what kills workers does not take its neighbours with it.
CREATE INDEX "jobs_last_chance" ON "jobs"("org_id", "topic", "task", "priority" DESC, "id") WHERE (status = 'requested' AND run_after IS NULL AND crashes >= 2);
-- Jobs that wait for a later moment are kept out of the claim's way, and let in when it has come.
CREATE INDEX "jobs_delayed" ON "jobs"("run_after") WHERE (run_after IS NOT NULL);
-- They count as unstarted all the same.
CREATE INDEX "jobs_delayed_by_org" ON "jobs"("org_id") WHERE (run_after IS NOT NULL);
-- Jobs that are given up when nobody has started them by then.
CREATE INDEX "jobs_expiring" ON "jobs"("expires_at") WHERE (expires_at IS NOT NULL);
-- What runs: counted for the caps of organizations and tasks, and searched when a worker is lost.
CREATE INDEX "jobs_leased" ON "jobs"("org_id", "topic", "task") WHERE (lease_id IS NOT NULL);
-- What is to be canceled: each heartbeat asks for its worker's.
CREATE INDEX "jobs_canceling" ON "jobs"("worker_id") WHERE (status = 'canceling');

-- Attempts that did not end their job: the last attempt of each job is told by the job itself, so that
-- a job which succeeds at once, as most do, leaves nothing here.
CREATE TABLE "job_attempts" (
    "job_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "org_id" UUID NOT NULL,
    "worker_id" UUID NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "ended_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "outcome" TEXT NOT NULL,
    "problem" JSON,

    CONSTRAINT "job_attempts_pkey" PRIMARY KEY ("job_id", "attempt"),
    CONSTRAINT "job_attempts_outcome_known" CHECK ("outcome" IN ('failed', 'retry later', 'released', 'lost'))
);

-- Labels that the client gave, for finding jobs again.
CREATE TABLE "job_labels" (
    "job_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "org_id" UUID NOT NULL,
    "value" TEXT NOT NULL,

    CONSTRAINT "job_labels_pkey" PRIMARY KEY ("job_id", "name")
);

CREATE TABLE "job_parameters" (
    "job_id" UUID NOT NULL,
    "org_id" UUID NOT NULL,
    "parameters" JSON NOT NULL,

    CONSTRAINT "job_parameters_pkey" PRIMARY KEY ("job_id")
);

CREATE TABLE "job_results" (
    "job_id" UUID NOT NULL,
    "org_id" UUID NOT NULL,
    "results" JSON NOT NULL,

    CONSTRAINT "job_results_pkey" PRIMARY KEY ("job_id")
);

-- One row for each process that runs jobs, rewritten by each heartbeat: hence the free space.
CREATE TABLE "workers" (
    "id" UUID NOT NULL,
    "lock_key" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "beat_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "suspect_at" TIMESTAMPTZ(6),
    "draining" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "workers_pkey" PRIMARY KEY ("id")
) WITH (fillfactor = 20);

-- Two workers with one key would hide each other's death.
CREATE UNIQUE INDEX "workers_lock_key_key" ON "workers"("lock_key");

-- Whose worker is gone, that job nobody would ever take back.
CREATE FUNCTION refuse_to_drop_busy_worker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM jobs j WHERE j.lease_id IS NOT NULL AND j.worker_id = OLD.id) THEN
        RAISE EXCEPTION 'worker % still holds jobs', OLD.id
            USING HINT = 'To take them from it, set its beat_at to -infinity: the next reaping does the rest.';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER "workers_drop" BEFORE DELETE ON "workers" FOR EACH ROW EXECUTE FUNCTION refuse_to_drop_busy_worker();

-- What an operator edits. The row of the nil UUID holds for all organizations without one.
CREATE TABLE "organization_limits" (
    "org_id" UUID NOT NULL,
    "weight" SMALLINT NOT NULL DEFAULT 1,
    "max_running" INTEGER,
    "max_unstarted" INTEGER,

    CONSTRAINT "organization_limits_pkey" PRIMARY KEY ("org_id"),
    CONSTRAINT "organization_limits_weight" CHECK ("weight" BETWEEN 1 AND 1000),
    CONSTRAINT "organization_limits_max_running" CHECK ("max_running" >= 0),
    CONSTRAINT "organization_limits_max_unstarted" CHECK ("max_unstarted" >= 0)
);

-- How many jobs of a task may run at once, over all organizations and workers: a license for two
-- solvers, say.
CREATE TABLE "task_limits" (
    "topic" TEXT NOT NULL,
    "task" TEXT NOT NULL,
    "max_running" INTEGER NOT NULL,

    CONSTRAINT "task_limits_pkey" PRIMARY KEY ("topic", "task"),
    CONSTRAINT "task_limits_max_running" CHECK ("max_running" >= 0)
);

-- task_rooms: how many more jobs of each task may start, in the order of the arguments; null: any
-- number. A task whose cap another worker is checking at this moment has room for none.
--
-- The locks are one statement and the counts the next: in one, the count would be of a snapshot older
-- than the lock, and miss what its last holder started.
CREATE FUNCTION task_rooms(p_topics text[], p_tasks text[])
RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_locked boolean[];  -- null: had no cap
    v_rooms bigint[];
BEGIN
    SELECT array_agg(
        CASE WHEN l.max_running IS NOT NULL
             THEN pg_try_advisory_xact_lock(727073, hashtext(served.topic || '/' || served.task))
        END ORDER BY served.ordinal) INTO v_locked
    FROM unnest(p_topics, p_tasks) WITH ORDINALITY AS served(topic, task, ordinal)
    LEFT JOIN task_limits l ON l.topic = served.topic AND l.task = served.task;

    SELECT array_agg(
        CASE WHEN l.max_running IS NULL THEN NULL
             WHEN served.locked IS NOT TRUE THEN 0
             ELSE l.max_running - (SELECT count(*) FROM jobs j
                  WHERE j.lease_id IS NOT NULL AND j.topic = served.topic AND j.task = served.task)
        END ORDER BY served.ordinal) INTO v_rooms
    FROM unnest(p_topics, p_tasks, v_locked) WITH ORDINALITY AS served(topic, task, locked, ordinal)
    LEFT JOIN task_limits l ON l.topic = served.topic AND l.task = served.task;
    RETURN v_rooms;
END $$;

-- claim_jobs: starts up to p_limit jobs for one worker, fairly between organizations.
--
-- The organizations with claimable jobs form a ring in order of id; each in its turn may start
-- `weight` x a quantum of jobs (deficit round robin). The turn is the caller's to keep: it passes
-- back the cursor and credit that the last row of each answer carries, starting from a random uuid,
-- so that workers do not walk in step. There is no counter that could leak: what runs is counted.
--
-- It must be VOLATILE plpgsql: each inner statement then sees what committed before it, which a
-- single statement does not, and a cap checked under the lock of its organization or task is exact.
-- At most p_last_chances of them are jobs that one more crash would fail.
--
-- The locks are only tried: an organization that another worker is claiming from is passed over and
-- reported as `contended`, so that the caller asks again soon.
--
-- The commit does not wait for the disk. A crash of the server may forget a claim; since the lease
-- is a random UUID, never a counter, a forgotten claim can never equal a later one.
CREATE FUNCTION claim_jobs(p_worker uuid, p_topics text[], p_tasks text[], p_limit int, p_cursor uuid, p_credit int, p_last_chances int)
RETURNS TABLE (job_id uuid, org_id uuid, topic text, task text, attempt int, crashes int, lease_id uuid, timeout_seconds int,
               created_at timestamptz, ring_cursor uuid, ring_credit int, contended boolean)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    v_org uuid := p_cursor;
    v_credit int := p_credit;
    v_quantum int := greatest(1, p_limit / 8);
    v_weight int;
    v_cap int;
    v_room int;
    v_got int;
    v_total int := 0;
    v_picked uuid[];
    v_idle_since uuid;      -- the organization at which a lap without any start began
    v_contended boolean := false;
    v_task_rooms bigint[];  -- null: no task has a cap
    v_last_chances int := p_last_chances;
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

    FOR probe IN 1..64 LOOP
        EXIT WHEN v_total >= p_limit;
        IF v_credit <= 0 THEN
            SELECT j.org_id INTO v_org FROM jobs j
                WHERE j.status = 'requested' AND j.run_after IS NULL AND j.org_id > v_org ORDER BY j.org_id LIMIT 1;
            IF NOT FOUND THEN
                SELECT j.org_id INTO v_org FROM jobs j
                    WHERE j.status = 'requested' AND j.run_after IS NULL ORDER BY j.org_id LIMIT 1;
            END IF;
            EXIT WHEN v_org IS NULL OR v_org = v_idle_since;
        END IF;
        -- Its own limits, else those of the nil UUID, which sorts first.
        SELECT l.weight, l.max_running INTO v_weight, v_cap FROM organization_limits l
            WHERE l.org_id IN (v_org, '00000000-0000-0000-0000-000000000000') ORDER BY l.org_id DESC LIMIT 1;
        IF v_credit <= 0 THEN
            v_credit := coalesce(v_weight, 1) * v_quantum;
            -- Alone it may have all at once: the turn of a ring of one is no turn.
            IF NOT EXISTS (SELECT 1 FROM jobs j
                           WHERE j.status = 'requested' AND j.run_after IS NULL AND j.org_id > v_org)
               AND NOT EXISTS (SELECT 1 FROM jobs j
                               WHERE j.status = 'requested' AND j.run_after IS NULL AND j.org_id < v_org) THEN
                v_credit := greatest(v_credit, p_limit);
            END IF;
        END IF;

        v_got := 0;
        IF NOT pg_try_advisory_xact_lock(727072, hashtext(v_org::text)) THEN
            v_contended := true;
        ELSE
            v_room := least(v_credit, p_limit - v_total);
            IF v_cap IS NOT NULL THEN
                SELECT least(v_room, v_cap - count(*)) INTO v_room
                    FROM (SELECT 1 FROM jobs j WHERE j.org_id = v_org AND j.lease_id IS NOT NULL LIMIT v_cap) running;
            END IF;
            IF v_room > 0 THEN
                -- First those that one more crash would fail: few, and few at a time.
                v_picked := NULL;
                IF v_last_chances > 0 THEN
                    SELECT array_agg(first.id) INTO v_picked FROM (
                        SELECT head.id FROM unnest(p_topics, p_tasks, v_task_rooms) AS served(topic, task, room)
                        CROSS JOIN LATERAL (
                            SELECT j.id, j.priority FROM jobs j
                            WHERE j.status = 'requested' AND j.run_after IS NULL AND j.crashes >= 2
                              AND j.org_id = v_org AND j.topic = served.topic AND j.task = served.task
                            ORDER BY j.priority DESC, j.id LIMIT greatest(0, least(v_room, served.room))) head
                        ORDER BY head.priority DESC, head.id LIMIT least(v_room, v_last_chances)) first;
                    v_last_chances := v_last_chances - coalesce(cardinality(v_picked), 0);
                END IF;
                -- Else the first over all the tasks that this worker serves: one short index scan each.
                IF v_picked IS NULL THEN
                    SELECT array_agg(first.id) INTO v_picked FROM (
                        SELECT head.id FROM unnest(p_topics, p_tasks, v_task_rooms) AS served(topic, task, room)
                        CROSS JOIN LATERAL (
                            SELECT j.id, j.priority FROM jobs j
                            WHERE j.status = 'requested' AND j.run_after IS NULL AND j.crashes < 2
                              AND j.org_id = v_org AND j.topic = served.topic AND j.task = served.task
                              AND (j.expires_at IS NULL OR j.expires_at > clock_timestamp())
                            ORDER BY j.priority DESC, j.id LIMIT greatest(0, least(v_room, served.room))) head
                        ORDER BY head.priority DESC, head.id LIMIT v_room) first;
                END IF;
                -- The state is asked again: a cancel may have come between.
                RETURN QUERY WITH started AS (
                    UPDATE jobs j
                    SET status = 'in progress', attempt = j.attempt + 1, worker_id = p_worker,
                        lease_id = gen_random_uuid(), started_at = clock_timestamp(), expires_at = NULL
                    WHERE j.id = ANY (v_picked) AND j.status = 'requested' AND j.run_after IS NULL
                    RETURNING j.*)
                    SELECT s.id, s.org_id, s.topic, s.task, s.attempt, s.crashes::int, s.lease_id, s.timeout_seconds,
                           s.created_at, NULL::uuid, NULL::int, NULL::boolean
                    FROM started s ORDER BY s.priority DESC, s.id;
                GET DIAGNOSTICS v_got = ROW_COUNT;
                IF v_got > 0 AND v_task_rooms IS NOT NULL THEN
                    v_task_rooms := task_rooms(p_topics, p_tasks);
                END IF;
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

-- reap_jobs: finds workers that are lost, takes their jobs, and drops them. Three statements, each with
-- a fresh snapshot: a claim holds its worker's row, so one that committed before the first statement
-- locked that row is seen by the second, and a later one finds its worker gone.
--
-- A worker is lost when it was silent for the whole lease; or when its advisory lock (p_lock_class,
-- lock_key) has been free for a second and it has not beaten since. The lock falls free milliseconds
-- after a kill; a worker that only lost its connection beats at once when it has a new one. Right
-- after a start of the server everybody gets the benefit of the doubt.
CREATE FUNCTION reap_jobs(p_lock_class int, p_lease interval, p_max_crashes int, p_worker_lost json, p_canceled json)
RETURNS TABLE (transition text, job_id uuid, org_id uuid, topic text, task text, attempt int, worker_id uuid, status text)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    v_lost uuid[];
    v_benefit timestamptz := pg_postmaster_start_time() + interval '5 seconds';
BEGIN
    -- Each condition is on the worker's own row, so that it is asked again of one that beat while this
    -- statement came to it.
    WITH suspected AS (
        UPDATE workers w SET suspect_at = clock_timestamp()
        WHERE w.suspect_at IS NULL
          AND greatest(w.beat_at, v_benefit) < clock_timestamp() - interval '1 second'
          AND greatest(w.beat_at, v_benefit) >= clock_timestamp() - p_lease
          AND pg_try_advisory_xact_lock(p_lock_class, w.lock_key)
    ), lost AS MATERIALIZED (
        SELECT w.id FROM workers w
        WHERE greatest(w.beat_at, v_benefit) < clock_timestamp() - p_lease
           OR (w.suspect_at < clock_timestamp() - interval '1 second'
               AND pg_try_advisory_xact_lock(p_lock_class, w.lock_key))
        FOR UPDATE OF w SKIP LOCKED
    )
    SELECT array_agg(lost.id) INTO v_lost FROM lost;
    IF v_lost IS NULL THEN
        RETURN;
    END IF;

    RETURN QUERY
    WITH orphaned AS MATERIALIZED (
        SELECT j.id, j.org_id, j.attempt, j.worker_id, j.lease_id, j.started_at,
               CASE WHEN j.status = 'canceling' THEN 'canceled'
                    WHEN j.crashes + 1 >= p_max_crashes THEN 'failed'
                    ELSE 'requested' END AS next
        FROM jobs j
        WHERE j.lease_id IS NOT NULL AND j.worker_id = ANY (v_lost)
        ORDER BY j.id  -- as the batches of a worker do that comes back: neither waits for the other
        FOR UPDATE OF j
    ), kept AS (
        INSERT INTO job_attempts (job_id, attempt, org_id, worker_id, started_at, outcome)
        SELECT o.id, o.attempt, o.org_id, o.worker_id, o.started_at, 'lost' FROM orphaned o WHERE o.next = 'requested'
    )
    UPDATE jobs j SET
        status = orphaned.next,
        crashes = j.crashes + 1,
        error = CASE orphaned.next WHEN 'failed' THEN p_worker_lost WHEN 'canceled' THEN p_canceled END,
        progress = CASE WHEN orphaned.next = 'requested' THEN 0 ELSE j.progress END,
        message = CASE WHEN orphaned.next = 'requested' THEN NULL ELSE j.message END,
        ended_at = CASE WHEN orphaned.next <> 'requested' THEN clock_timestamp() END,
        lease_id = NULL
    FROM orphaned WHERE j.id = orphaned.id AND j.lease_id = orphaned.lease_id
    RETURNING 'reap', j.id, j.org_id, j.topic, j.task, j.attempt, j.worker_id, j.status;

    DELETE FROM workers w WHERE w.id = ANY (v_lost);
END $$;

-- tend_jobs: what every replica does once a second. It takes the jobs of lost workers, fails those
-- that nobody started in time, and lets in those whose moment has come. Each step takes what no other
-- replica has taken, and at most some thousands of jobs: the rest waits a second.
CREATE FUNCTION tend_jobs(p_lock_class int, p_lease interval, p_max_crashes int, p_worker_lost json, p_canceled json, p_expired json)
RETURNS TABLE (transition text, job_id uuid, org_id uuid, topic text, task text, attempt int, worker_id uuid, status text)
LANGUAGE plpgsql VOLATILE AS $$
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
    RETURNING 'admit', j.id, j.org_id, j.topic, j.task, j.attempt, NULL::uuid, j.status;
END $$;
