-- oldest code: 20261127020000_job_queue
--
-- The queue leaves the job's row. What was one row that each transition rewrote, with seven indexes on it, is
-- now four tables, and a job is in one of the last three at any time:
--   * job_submissions: what the client asked for. Written once.
--   * job_queue: an entry for each job that waits. A claim deletes it.
--   * job_leases: a row for each job that runs. Progress and cancels change this one; whoever deletes it, by
--     the job and its lease, decides how the job goes on.
--   * job_ends: what a job came to. Written once; its key makes a second end impossible.
-- The view `jobs` shows what each job is at the moment, in the columns that the table had.
--
-- Builds of before cannot work with this schema: they notice and answer 503 until they are replaced. Stop them
-- first: the tables are locked while jobs are moved (some seconds for each million).

ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY;

-- No primary key on these before they are filled: it is built in one go.
CREATE TABLE job_queue (
    job_id uuid NOT NULL,
    org_id uuid NOT NULL,
    topic text NOT NULL,
    task text NOT NULL,
    -- Not claimed before; null: claimable now.
    run_after timestamptz(6),
    -- Fails when nobody has started it by then; null: never, as after its first start.
    expires_at timestamptz(6),
    -- Of its last attempt; null before the first.
    started_at timestamptz(6),
    worker_id uuid,
    attempt integer NOT NULL DEFAULT 0,
    -- Minus the priority: so all of the index ascends, and a claim can go on behind the one before.
    urgency smallint NOT NULL DEFAULT 0,
    failures smallint NOT NULL DEFAULT 0,
    crashes smallint NOT NULL DEFAULT 0,
    CONSTRAINT job_queue_attempts_counted CHECK (failures >= 0 AND crashes >= 0 AND attempt >= failures + crashes),
    CONSTRAINT job_queue_urgency_range CHECK (urgency BETWEEN -100 AND 100)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE job_leases (
    job_id uuid NOT NULL,
    -- The fence: random, new for every claim.
    lease_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    org_id uuid NOT NULL,
    topic text NOT NULL,
    task text NOT NULL,
    started_at timestamptz(6) NOT NULL DEFAULT clock_timestamp(),
    attempt integer NOT NULL,
    failures smallint NOT NULL,
    crashes smallint NOT NULL,
    progress smallint NOT NULL DEFAULT 0,
    canceling boolean NOT NULL DEFAULT false,
    message text,
    CONSTRAINT job_leases_attempts_counted CHECK (failures >= 0 AND crashes >= 0 AND attempt > failures + crashes),
    CONSTRAINT job_leases_progress_percent CHECK (progress BETWEEN 0 AND 100)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_cost_delay = 0);

CREATE TABLE job_ends (
    job_id uuid NOT NULL,
    org_id uuid NOT NULL,
    -- succeeded | failed | canceled
    status text NOT NULL,
    ended_at timestamptz(6) NOT NULL DEFAULT clock_timestamp(),
    -- Of the last attempt; null: it was never started.
    started_at timestamptz(6),
    worker_id uuid,
    attempt integer NOT NULL,
    failures smallint NOT NULL,
    crashes smallint NOT NULL,
    progress smallint NOT NULL DEFAULT 0,
    message text,
    -- A problem object, for failed and canceled jobs.
    error json,
    -- Of a succeeded job; null: they are in job_results.
    results json,
    -- Length of the text of `results`.
    results_bytes integer,
    CONSTRAINT job_ends_error_when_not_succeeded CHECK ((status = 'succeeded') = (error IS NULL)),
    CONSTRAINT job_ends_results_when_succeeded CHECK (results IS NULL OR status = 'succeeded'),
    CONSTRAINT job_ends_results_counted CHECK ((results IS NULL) = (results_bytes IS NULL)),
    CONSTRAINT job_ends_status_known CHECK (status IN ('succeeded', 'failed', 'canceled'))
);

INSERT INTO job_queue (job_id, org_id, topic, task, run_after, expires_at, started_at, worker_id, attempt, urgency, failures, crashes)
SELECT id, org_id, topic, task, run_after, expires_at, started_at, worker_id, attempt, -priority, failures, crashes
FROM jobs WHERE status = 'requested' ORDER BY id;

INSERT INTO job_leases (job_id, lease_id, worker_id, org_id, topic, task, started_at, attempt, failures, crashes, progress, canceling, message)
SELECT id, lease_id, worker_id, org_id, topic, task, started_at, attempt, failures, crashes, progress, status = 'canceling', message
FROM jobs WHERE lease_id IS NOT NULL ORDER BY id;

INSERT INTO job_ends (job_id, org_id, status, ended_at, started_at, worker_id, attempt, failures, crashes, progress, message, error)
SELECT id, org_id, status, ended_at, started_at, worker_id, attempt, failures, crashes, progress, message, error
FROM jobs WHERE ended_at IS NOT NULL;

-- Every job is in one of the three: else nothing has happened.
DO $$
DECLARE
    v_jobs bigint := (SELECT count(*) FROM jobs);
    v_moved bigint := (SELECT count(*) FROM job_queue) + (SELECT count(*) FROM job_leases) + (SELECT count(*) FROM job_ends);
BEGIN
    IF v_jobs <> v_moved THEN
        RAISE EXCEPTION 'of % jobs % could be moved', v_jobs, v_moved;
    END IF;
END $$;

ALTER TABLE job_queue ADD PRIMARY KEY (job_id);
ALTER TABLE job_leases ADD PRIMARY KEY (job_id);
ALTER TABLE job_ends ADD PRIMARY KEY (job_id);
-- What claims pick from. Nothing that changes while an entry waits is in it, but for its time to come.
CREATE INDEX job_queue_claimable ON job_queue (org_id, topic, task, urgency, job_id) WHERE run_after IS NULL;
CREATE INDEX job_queue_last_chance ON job_queue (org_id, topic, task, urgency, job_id) WHERE run_after IS NULL AND crashes >= 2;
CREATE INDEX job_queue_delayed ON job_queue (run_after) WHERE run_after IS NOT NULL;
CREATE INDEX job_queue_delayed_by_org ON job_queue (org_id) WHERE run_after IS NOT NULL;
CREATE INDEX job_queue_expiring ON job_queue (expires_at) WHERE expires_at IS NOT NULL;
-- Counted against the caps of organizations and tasks.
CREATE INDEX job_leases_running ON job_leases (org_id, topic, task);
CREATE INDEX job_leases_canceling ON job_leases (worker_id) WHERE canceling;

DROP POLICY ended ON jobs;
DROP POLICY ended ON job_attempts;
DROP POLICY ended ON job_labels;
DROP POLICY ended ON job_logs;
DROP POLICY ended ON job_parameters;
DROP POLICY ended ON job_results;
REVOKE ALL ON jobs FROM headframe_api, headframe_worker;
DROP FUNCTION claim_jobs;

ALTER TABLE jobs RENAME TO job_submissions;
ALTER TABLE job_submissions RENAME CONSTRAINT jobs_pkey TO job_submissions_pkey;
ALTER TABLE job_submissions RENAME CONSTRAINT jobs_priority_range TO job_submissions_priority_range;
ALTER TABLE job_submissions RENAME CONSTRAINT jobs_timeout_positive TO job_submissions_timeout_positive;
-- With a column go the indexes and the checks that name it.
ALTER TABLE job_submissions
    DROP COLUMN status, DROP COLUMN progress, DROP COLUMN message, DROP COLUMN attempt, DROP COLUMN failures,
    DROP COLUMN crashes, DROP COLUMN run_after, DROP COLUMN expires_at, DROP COLUMN lease_id, DROP COLUMN worker_id,
    DROP COLUMN error, DROP COLUMN started_at, DROP COLUMN ended_at,
    -- Null: they are in job_parameters, as those of jobs of before are.
    ADD COLUMN parameters json,
    -- Length of the text of `parameters`.
    ADD COLUMN parameters_bytes integer,
    ADD CONSTRAINT job_submissions_attempts_positive CHECK (max_attempts >= 1),
    ADD CONSTRAINT job_submissions_parameters_counted CHECK ((parameters IS NULL) = (parameters_bytes IS NULL));
-- Written once: pages are filled, and vacuum is not called for what never changes.
ALTER TABLE job_submissions RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
    autovacuum_vacuum_cost_delay, autovacuum_analyze_scale_factor);

CREATE VIEW jobs WITH (security_invoker = true) AS
SELECT
    s.id, s.org_id, s.topic, s.task,
    coalesce(e.status, CASE l.canceling WHEN true THEN 'canceling' WHEN false THEN 'in progress' ELSE 'requested' END) AS status,
    s.priority,
    coalesce(e.progress, l.progress, 0::smallint) AS progress,
    coalesce(e.message, l.message) AS message,
    coalesce(e.attempt, l.attempt, q.attempt, 0) AS attempt,
    s.max_attempts,
    coalesce(e.failures, l.failures, q.failures, 0::smallint) AS failures,
    coalesce(e.crashes, l.crashes, q.crashes, 0::smallint) AS crashes,
    s.timeout_seconds,
    q.run_after,
    q.expires_at,
    l.lease_id,
    coalesce(e.worker_id, l.worker_id, q.worker_id) AS worker_id,
    e.error,
    s.created_at,
    coalesce(e.started_at, l.started_at, q.started_at) AS started_at,
    e.ended_at
FROM job_submissions s
LEFT JOIN job_queue q ON q.job_id = s.id
LEFT JOIN job_leases l ON l.job_id = s.id
LEFT JOIN job_ends e ON e.job_id = s.id;

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['job_queue', 'job_leases', 'job_ends'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY organization ON %I TO headframe_api
                        USING (org_id = ANY ((SELECT request_organizations())::uuid[]))', v_table);
        EXECUTE format('CREATE POLICY worker ON %I TO headframe_worker USING (true)', v_table);
    END LOOP;
    -- A client purges what has ended, and nothing else.
    EXECUTE 'CREATE POLICY ended ON job_submissions AS RESTRICTIVE FOR DELETE TO headframe_api
             USING (EXISTS (SELECT 1 FROM job_ends e WHERE e.job_id = job_submissions.id))';
    FOREACH v_table IN ARRAY ARRAY['job_attempts', 'job_labels', 'job_logs', 'job_parameters', 'job_results'] LOOP
        EXECUTE format('CREATE POLICY ended ON %I AS RESTRICTIVE FOR DELETE TO headframe_api
                        USING (EXISTS (SELECT 1 FROM job_ends e WHERE e.job_id = %I.job_id))', v_table, v_table);
    END LOOP;
END $$;
ALTER TABLE job_submissions FORCE ROW LEVEL SECURITY;
-- The only end that a client makes.
CREATE POLICY canceled ON job_ends AS RESTRICTIVE FOR INSERT TO headframe_api WITH CHECK (status = 'canceled');

-- Submit, read, cancel, purge.
GRANT SELECT ON jobs TO headframe_api, headframe_worker;
GRANT SELECT (id, org_id, topic, task, priority, max_attempts, timeout_seconds, created_at, parameters_bytes),
    INSERT (id, org_id, topic, task, priority, max_attempts, timeout_seconds, parameters, parameters_bytes),
    DELETE ON job_submissions TO headframe_api;
GRANT SELECT, INSERT (job_id, org_id, topic, task, run_after, expires_at, urgency), DELETE ON job_queue TO headframe_api;
GRANT SELECT, UPDATE (canceling),
    INSERT (job_id, lease_id, worker_id, org_id, topic, task, attempt, failures, crashes) ON job_leases TO headframe_api;
GRANT SELECT ON task_limits TO headframe_api;
GRANT SELECT, DELETE,
    INSERT (job_id, org_id, status, started_at, worker_id, attempt, failures, crashes, error) ON job_ends TO headframe_api;

-- Claim, beat, report, end, reap, delete what has expired.
GRANT SELECT, DELETE ON job_submissions TO headframe_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON job_queue, job_leases TO headframe_worker;
GRANT SELECT, INSERT, DELETE ON job_ends TO headframe_worker;

-- Whose worker is gone, that job nobody would ever take back.
CREATE OR REPLACE FUNCTION refuse_to_drop_busy_worker() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    IF EXISTS (SELECT 1 FROM job_leases l WHERE l.worker_id = OLD.id) THEN
        RAISE EXCEPTION 'worker % still holds jobs', OLD.id
            USING HINT = 'To take them from it, set its beat_at to -infinity: the next reaping does the rest.';
    END IF;
    RETURN OLD;
END $function$;

-- hold_worker: whether a worker may start a job at this moment; it is not taken for lost before the transaction
-- ends. In the right of the owner: requests, which may store a job as started, see no workers.
CREATE FUNCTION hold_worker(p_worker uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $function$
BEGIN
    PERFORM 1 FROM workers w WHERE w.id = p_worker AND NOT w.draining FOR KEY SHARE;
    RETURN FOUND;
END $function$;
REVOKE EXECUTE ON FUNCTION hold_worker FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hold_worker TO headframe_api;

-- task_rooms: how many more jobs of each task may start, in the order of the arguments; null: any
-- number. A task whose cap another worker is checking at this moment has room for none.
--
-- The locks are one statement and the counts the next: in one, the count would be of a snapshot older
-- than the lock, and miss what its last holder started.
CREATE OR REPLACE FUNCTION task_rooms(p_topics text[], p_tasks text[])
 RETURNS bigint[]
 LANGUAGE plpgsql
AS $function$
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
             ELSE l.max_running - (SELECT count(*) FROM job_leases r
                  WHERE r.topic = served.topic AND r.task = served.task)
        END ORDER BY served.ordinal) INTO v_rooms
    FROM unnest(p_topics, p_tasks, v_locked) WITH ORDINALITY AS served(topic, task, locked, ordinal)
    LEFT JOIN task_limits l ON l.topic = served.topic AND l.task = served.task;
    RETURN v_rooms;
END $function$;

-- claim_jobs: starts up to p_limit jobs for one worker, fairly between organizations.
--
-- The organizations with claimable jobs form a ring in order of id; each in its turn may start
-- `weight` x a quantum of jobs (deficit round robin). The turn is the caller's to keep: it passes
-- back the cursor and credit that the last row of each answer carries, starting from a random uuid,
-- so that workers do not walk in step. There is no counter that could leak: what runs is counted.
--
-- To start a job is to delete its entry of the queue and to insert its lease. Entries are locked as they
-- are picked, and those that somebody else has locked are passed over: claims of one organization share out
-- its jobs, and none waits for another. Only an organization with a cap is claimed from by one at a time.
-- That lock is only tried: whoever finds it held passes the organization over and reports it as
-- `contended`, so that the caller asks again soon; likewise when others hold all that it could have picked.
--
-- It must be VOLATILE plpgsql: each inner statement then sees what committed before it, which a
-- single statement does not, and a cap checked under the lock of its organization or task is exact.
-- At most p_last_chances of them are jobs that one more crash would fail.
--
-- What was claimed leaves dead entries at the head of the index, which vacuum takes away later, and not at all
-- while somebody holds a snapshot open. So that a long backlog is not read from its beginning each time, the
-- caller may say behind which job of the organization at p_cursor its last claim ended: what is behind it is
-- looked at first, and all when there is nothing. What came back or in before that job
-- waits for as long as the caller does so: see ClaimStore.
--
-- The commit does not wait for the disk. A crash of the server may forget a claim, all of it; since the
-- lease is a random UUID, never a counter, a forgotten claim can never equal a later one.
CREATE FUNCTION claim_jobs(p_worker uuid, p_topics text[], p_tasks text[], p_limit integer, p_cursor uuid, p_credit integer, p_last_chances integer, p_after_urgency smallint DEFAULT NULL, p_after_job uuid DEFAULT NULL)
 RETURNS TABLE(job_id uuid, org_id uuid, topic text, task text, urgency smallint, attempt integer, crashes integer, lease_id uuid, timeout_seconds integer, created_at timestamptz, parameters json, ring_cursor uuid, ring_credit integer, contended boolean)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    v_org uuid := p_cursor;
    v_after uuid;
    v_credit int := p_credit;
    v_quantum int := greatest(1, p_limit / 4);
    v_weight int;
    v_cap int;
    v_alone boolean;        -- no other organization has claimable jobs
    v_nil CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    v_from_urgency smallint;  -- entries are picked behind this one
    v_from_job uuid;
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
        RETURN QUERY SELECT NULL::uuid, NULL::uuid, NULL::text, NULL::text, NULL::smallint, NULL::int, NULL::int, NULL::uuid,
                            NULL::int, NULL::timestamptz, NULL::json,
                            v_org, v_credit, false;
        RETURN;
    END IF;
    IF EXISTS (SELECT 1 FROM task_limits) THEN
        v_task_rooms := task_rooms(p_topics, p_tasks);
    END IF;
    IF EXISTS (SELECT 1 FROM job_queue q WHERE q.run_after IS NULL AND q.crashes >= 2) THEN
        v_last_chances := p_last_chances;
    END IF;

    FOR probe IN 1..64 LOOP
        EXIT WHEN v_total >= p_limit;
        -- Whose turn it is: of the next, of the first, or again of the one that is alone.
        IF v_credit <= 0 THEN
            v_after := v_org;
            SELECT q.org_id INTO v_org FROM job_queue q WHERE q.run_after IS NULL AND q.org_id > v_after
                ORDER BY q.org_id LIMIT 1;
            IF v_org IS NULL THEN
                SELECT q.org_id INTO v_org FROM job_queue q WHERE q.run_after IS NULL AND q.org_id < v_after
                    ORDER BY q.org_id LIMIT 1;
            END IF;
            v_alone := v_org IS NULL;
            v_org := coalesce(v_org, v_after);
            EXIT WHEN v_org = v_idle_since;
        END IF;
        SELECT own.weight, own.max_running INTO v_weight, v_cap FROM effective_limits(v_org) own;
        IF v_credit <= 0 THEN
            v_credit := coalesce(v_weight, 1) * v_quantum;
            -- Alone it may have all at once: the turn of a ring of one is no turn.
            IF v_alone THEN
                v_credit := greatest(v_credit, p_limit);
            END IF;
        END IF;

        v_got := 0;
        IF probe = 1 AND v_org = p_cursor AND p_after_job IS NOT NULL THEN
            v_from_urgency := p_after_urgency;
            v_from_job := p_after_job;
        ELSE
            v_from_urgency := -101;
            v_from_job := v_nil;
        END IF;
        v_room := least(v_credit, p_limit - v_total);
        IF v_cap IS NOT NULL THEN
            IF NOT pg_try_advisory_xact_lock(727072, hashtext(v_org::text)) THEN
                v_contended := true;
                v_room := 0;
            ELSE
                SELECT least(v_room, v_cap - count(*)) INTO v_room
                    FROM (SELECT 1 FROM job_leases r WHERE r.org_id = v_org LIMIT v_cap) running;
            END IF;
        END IF;
        IF v_room > 0 THEN
            -- First those that one more crash would fail: few, and few at a time.
            v_last_room := least(v_room, v_last_chances);
            IF v_last_room > 0 THEN
                RETURN QUERY WITH taken AS (
                    DELETE FROM job_queue q WHERE q.ctid = ANY (ARRAY(
                        SELECT head.ctid FROM unnest(p_topics, p_tasks, v_task_rooms) AS served(topic, task, room)
                        CROSS JOIN LATERAL (
                            SELECT d.ctid, d.urgency, d.job_id FROM job_queue d
                            WHERE d.run_after IS NULL AND d.crashes >= 2
                              AND d.org_id = v_org AND d.topic = served.topic AND d.task = served.task
                            ORDER BY d.urgency, d.job_id LIMIT greatest(0, least(v_last_room, served.room))
                            FOR UPDATE SKIP LOCKED) head
                        ORDER BY head.urgency, head.job_id LIMIT v_last_room))
                    RETURNING q.*, gen_random_uuid() AS lease_id
                ), leased AS (
                    INSERT INTO job_leases (job_id, lease_id, worker_id, org_id, topic, task, attempt, failures, crashes)
                    SELECT t.job_id, t.lease_id, p_worker, t.org_id, t.topic, t.task, t.attempt + 1, t.failures, t.crashes
                    FROM taken t
                )
                SELECT t.job_id, t.org_id, t.topic, t.task, t.urgency, t.attempt + 1, t.crashes::int, t.lease_id,
                       s.timeout_seconds, s.created_at, s.parameters, NULL::uuid, NULL::int, NULL::boolean
                FROM taken t JOIN job_submissions s ON s.id = t.job_id ORDER BY t.urgency, t.job_id;
                GET DIAGNOSTICS v_got = ROW_COUNT;
                v_last_chances := v_last_chances - v_got;
            END IF;
            -- Else the first over all the tasks that this worker serves: one short index scan each.
            WHILE v_got = 0 LOOP
                RETURN QUERY WITH taken AS (
                    DELETE FROM job_queue q WHERE q.ctid = ANY (ARRAY(
                        SELECT head.ctid FROM unnest(p_topics, p_tasks, v_task_rooms) AS served(topic, task, room)
                        CROSS JOIN LATERAL (
                            SELECT d.ctid, d.urgency, d.job_id FROM job_queue d
                            WHERE d.run_after IS NULL AND d.crashes < 2
                              AND d.org_id = v_org AND d.topic = served.topic AND d.task = served.task
                              AND (d.urgency, d.job_id) > (v_from_urgency, v_from_job)
                              AND (d.expires_at IS NULL OR d.expires_at > clock_timestamp())
                            ORDER BY d.urgency, d.job_id LIMIT greatest(0, least(v_room, served.room))
                            FOR UPDATE SKIP LOCKED) head
                        ORDER BY head.urgency, head.job_id LIMIT v_room))
                    RETURNING q.*, gen_random_uuid() AS lease_id
                ), leased AS (
                    INSERT INTO job_leases (job_id, lease_id, worker_id, org_id, topic, task, attempt, failures, crashes)
                    SELECT t.job_id, t.lease_id, p_worker, t.org_id, t.topic, t.task, t.attempt + 1, t.failures, t.crashes
                    FROM taken t
                )
                SELECT t.job_id, t.org_id, t.topic, t.task, t.urgency, t.attempt + 1, t.crashes::int, t.lease_id,
                       s.timeout_seconds, s.created_at, s.parameters, NULL::uuid, NULL::int, NULL::boolean
                FROM taken t JOIN job_submissions s ON s.id = t.job_id ORDER BY t.urgency, t.job_id;
                GET DIAGNOSTICS v_got = ROW_COUNT;
                EXIT WHEN v_from_job = v_nil;
                -- Behind the last claim there may be more, or nothing.
                v_from_urgency := -101;
                v_from_job := v_nil;
            END LOOP;
            IF v_got = 0 AND NOT v_contended THEN
                v_contended := EXISTS (
                    SELECT 1 FROM unnest(p_topics, p_tasks, v_task_rooms) AS served(topic, task, room)
                    JOIN job_queue d ON d.topic = served.topic AND d.task = served.task
                    WHERE d.run_after IS NULL AND d.crashes < 2 AND d.org_id = v_org
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
    RETURN QUERY SELECT NULL::uuid, NULL::uuid, NULL::text, NULL::text, NULL::smallint, NULL::int, NULL::int, NULL::uuid,
                            NULL::int, NULL::timestamptz, NULL::json,
                        v_org,
                        -- What it had alone is no claim on the next round.
                        CASE WHEN v_alone THEN 0 ELSE least(v_credit, coalesce(v_weight, 1) * v_quantum) END, v_contended;
END $function$;

-- cancel_job: ends an unstarted job, or asks for the end of one that runs; an ended one stays as it is.
-- Answers no row when there is no such job under that organization, topic and task.
--
-- The job may be claimed, handed back or ended in between: each of the three places is looked at by a
-- statement of its own, which waits for who is moving it, and then sees where it went.
CREATE FUNCTION cancel_job(p_job uuid, p_org uuid, p_topic text, p_task text, p_canceled json)
 RETURNS TABLE(id uuid, org_id uuid, topic text, task text, status text, worker_id uuid, changed boolean)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    v_status text;
    v_worker uuid;
BEGIN
    FOR look IN 1..1000 LOOP
        PERFORM 1 FROM job_submissions s WHERE s.id = p_job AND s.org_id = p_org AND s.topic = p_topic AND s.task = p_task;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        WITH gone AS (
            DELETE FROM job_queue q WHERE q.job_id = p_job RETURNING q.*
        )
        INSERT INTO job_ends (job_id, org_id, status, started_at, worker_id, attempt, failures, crashes, error)
        SELECT g.job_id, g.org_id, 'canceled', g.started_at, g.worker_id, g.attempt, g.failures, g.crashes, p_canceled
        FROM gone g;
        IF FOUND THEN
            RETURN QUERY SELECT p_job, p_org, p_topic, p_task, 'canceled', NULL::uuid, true;
            RETURN;
        END IF;
        UPDATE job_leases l SET canceling = true WHERE l.job_id = p_job RETURNING l.worker_id INTO v_worker;
        IF FOUND THEN
            RETURN QUERY SELECT p_job, p_org, p_topic, p_task, 'canceling', v_worker, true;
            RETURN;
        END IF;
        SELECT e.status INTO v_status FROM job_ends e WHERE e.job_id = p_job;
        IF FOUND THEN
            RETURN QUERY SELECT p_job, p_org, p_topic, p_task, v_status, NULL::uuid, false;
            RETURN;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'job % neither waits nor runs nor has ended', p_job
        USING HINT = 'Somebody has changed job_queue, job_leases or job_ends by hand: insert an entry for it into job_queue.';
END $function$;

-- reap_jobs: finds workers that are lost, takes their jobs, and drops them. Three statements, each with
-- a fresh snapshot: a claim holds its worker's row, so one that committed before the first statement
-- locked that row is seen by the second, and a later one finds its worker gone.
--
-- A worker is lost when it was silent for the whole lease; or when its advisory lock (p_lock_class,
-- lock_key) has been free for a second and it has not beaten since. The lock falls free milliseconds
-- after a kill; a worker that only lost its connection beats at once when it has a new one. Right
-- after a start of the server everybody gets the benefit of the doubt.
CREATE OR REPLACE FUNCTION reap_jobs(p_lock_class integer, p_lease interval, p_max_crashes integer, p_worker_lost json, p_canceled json)
 RETURNS TABLE(transition text, job_id uuid, org_id uuid, topic text, task text, attempt integer, worker_id uuid, status text)
 LANGUAGE plpgsql
AS $function$
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
    WITH locked AS MATERIALIZED (
        SELECT l.job_id, l.lease_id FROM job_leases l WHERE l.worker_id = ANY (v_lost)
        ORDER BY l.job_id  -- as the batches of a worker do that comes back: neither waits for the other
        FOR UPDATE
    ), orphaned AS (
        DELETE FROM job_leases l USING locked WHERE l.job_id = locked.job_id AND l.lease_id = locked.lease_id
        RETURNING l.*, CASE WHEN l.canceling THEN 'canceled'
                            WHEN l.crashes + 1 >= p_max_crashes THEN 'failed'
                            ELSE 'requested' END AS next
    ), kept AS (
        INSERT INTO job_attempts (job_id, attempt, org_id, worker_id, started_at, outcome)
        SELECT o.job_id, o.attempt, o.org_id, o.worker_id, o.started_at, 'lost' FROM orphaned o WHERE o.next = 'requested'
    ), queued AS (
        INSERT INTO job_queue (job_id, org_id, topic, task, started_at, worker_id, attempt, urgency, failures, crashes)
        SELECT o.job_id, o.org_id, o.topic, o.task, o.started_at, o.worker_id, o.attempt, -s.priority, o.failures, o.crashes + 1
        FROM orphaned o JOIN job_submissions s ON s.id = o.job_id WHERE o.next = 'requested'
    ), ended AS (
        INSERT INTO job_ends (job_id, org_id, status, started_at, worker_id, attempt, failures, crashes, progress, message, error)
        SELECT o.job_id, o.org_id, o.next, o.started_at, o.worker_id, o.attempt, o.failures, o.crashes + 1, o.progress, o.message,
               CASE o.next WHEN 'failed' THEN p_worker_lost ELSE p_canceled END
        FROM orphaned o WHERE o.next <> 'requested'
    )
    SELECT 'reap', o.job_id, o.org_id, o.topic, o.task, o.attempt, o.worker_id, o.next FROM orphaned o;

    DELETE FROM workers w WHERE w.id = ANY (v_lost);
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
    WITH gone AS (
        DELETE FROM job_queue q WHERE q.job_id = ANY (ARRAY(
            SELECT d.job_id FROM job_queue d WHERE d.expires_at <= clock_timestamp()
            ORDER BY d.expires_at LIMIT 5000 FOR UPDATE SKIP LOCKED))
        RETURNING q.*
    ), ended AS (
        INSERT INTO job_ends (job_id, org_id, status, started_at, worker_id, attempt, failures, crashes, error)
        SELECT g.job_id, g.org_id, 'failed', g.started_at, g.worker_id, g.attempt, g.failures, g.crashes, p_expired FROM gone g
    )
    SELECT 'expire', g.job_id, g.org_id, g.topic, g.task, g.attempt, NULL::uuid, 'failed' FROM gone g;

    RETURN QUERY
    UPDATE job_queue q SET run_after = NULL
    WHERE q.job_id = ANY (ARRAY(
        SELECT d.job_id FROM job_queue d WHERE d.run_after <= clock_timestamp()
        ORDER BY d.run_after LIMIT 5000 FOR UPDATE SKIP LOCKED))
    RETURNING 'due', q.job_id, q.org_id, q.topic, q.task, q.attempt, NULL::uuid, 'requested';
END $function$;

-- delete_ended_jobs: deletes those of the jobs that have ended, with all that hangs on them. Answers how many.
CREATE OR REPLACE FUNCTION delete_ended_jobs(p_ids uuid[])
 RETURNS bigint
 LANGUAGE sql
AS $function$
    WITH gone AS (
        DELETE FROM job_submissions s USING job_ends e
        WHERE s.id = ANY (p_ids) AND e.job_id = s.id RETURNING s.id, s.org_id, s.parameters_bytes
    ), ends AS (
        DELETE FROM job_ends k USING gone WHERE k.job_id = gone.id RETURNING k.org_id, k.results_bytes AS bytes
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
        FROM (SELECT org_id, parameters_bytes AS bytes FROM gone UNION ALL SELECT * FROM ends
              UNION ALL SELECT * FROM parameters UNION ALL SELECT * FROM results UNION ALL SELECT * FROM logs) kept
        GROUP BY kept.org_id HAVING sum(kept.bytes) > 0
        ORDER BY kept.org_id  -- as all do that change several: none waits for another in a circle
        ON CONFLICT (org_id) DO UPDATE SET stored_bytes = usage.stored_bytes + excluded.stored_bytes
    )
    SELECT count(*) FROM gone
$function$;

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
            SELECT s.id, s.org_id, e.ended_at
            FROM (
                SELECT s.id, s.org_id FROM job_submissions s
                -- The first 48 bits of an id are the milliseconds of its making.
                WHERE s.id > v_after AND s.id < rpad(lpad(to_hex(
                    floor(extract(epoch FROM v_began - v_days * interval '1 day') * 1000)::bigint), 12, '0'), 32, '0')::uuid
                ORDER BY s.id LIMIT p_limit) s
            LEFT JOIN job_ends e ON e.job_id = s.id) w
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

ANALYZE job_queue, job_leases, job_ends, job_submissions;
