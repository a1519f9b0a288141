-- What lists of jobs need, and what tells why a job waits and by what a result was made. Builds of before work
-- with it. While the indexes are built, submits and ends wait: some seconds for each million jobs.

-- Jobs of one task of an organization, newest first; those of the organization are merged from its tasks. Paid
-- for by submits, by nothing that happens to a job later.
CREATE INDEX job_submissions_by_task ON job_submissions (org_id, topic, task, id);
-- The ends that are rare and looked for. Of successes there is none: the jobs of a task are nearly all such, and
-- this way a drain pays nothing.
CREATE INDEX job_ends_unsuccessful ON job_ends (org_id, status, job_id) WHERE status <> 'succeeded';
-- Ends are stored as they happen, so that a range of pages is a span of time: a few bytes for each 32 pages.
CREATE INDEX job_ends_by_time ON job_ends USING brin (ended_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX job_labels_by_value ON job_labels (org_id, name, value, job_id);
-- In the order of lists, too.
DROP INDEX job_queue_delayed_by_org;
CREATE INDEX job_queue_delayed_by_org ON job_queue (org_id, job_id) WHERE run_after IS NOT NULL;

-- So that a job can be submitted again as it was.
ALTER TABLE job_submissions ADD COLUMN expires_after_seconds integer,
    ADD CONSTRAINT job_submissions_expires_after_positive CHECK (expires_after_seconds >= 1);
-- Parameters are shown to their organization, and copied.
GRANT SELECT (expires_after_seconds, parameters), INSERT (expires_after_seconds) ON job_submissions TO headframe_api;
GRANT SELECT (parameters) ON job_parameters TO headframe_api;

-- SHA-256 of the text of large parameters; null: not computed yet (of before this column).
ALTER TABLE job_parameters ADD COLUMN digest bytea;
GRANT SELECT (digest), INSERT (digest) ON job_parameters TO headframe_api;

-- The keys (topic/task) that a worker runs; null: it does not say (a build of before).
ALTER TABLE workers ADD COLUMN tasks text[];
-- What ran a job, kept when its worker is gone: as long as there may be jobs of it.
CREATE TABLE worker_programs (
    worker_id uuid PRIMARY KEY,
    -- Version of the service.
    program text NOT NULL,
    -- Versions of the tasks by their keys.
    tasks json NOT NULL,
    started_at timestamptz(6) NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT ON worker_programs TO headframe_api;
GRANT SELECT, INSERT, DELETE ON worker_programs TO headframe_worker;

-- What an act on many jobs was about, and how many it changed.
ALTER TABLE audit_log ADD CONSTRAINT audit_log_detail_bounded CHECK (octet_length(detail::text) <= 65536) NOT VALID;
GRANT INSERT (detail) ON audit_log TO headframe_api;

-- cancel_jobs: cancel_job for each of some jobs of one organization, in the order of their ids, so that two of
-- these never wait for each other in a circle.
CREATE FUNCTION cancel_jobs(p_jobs uuid[], p_org uuid, p_canceled json)
 RETURNS TABLE(id uuid, org_id uuid, topic text, task text, status text, worker_id uuid, changed boolean)
 LANGUAGE sql
AS $function$
    SELECT canceled.* FROM (
        SELECT s.id, s.topic, s.task FROM job_submissions s WHERE s.id = ANY (p_jobs) AND s.org_id = p_org ORDER BY s.id
    ) job CROSS JOIN LATERAL cancel_job(job.id, p_org, job.topic, job.task, p_canceled) canceled
$function$;
