import type { Actor } from '../../auth/actor.js';
import { auditInsert } from '../audit/audit-insert.js';
import { type JobKey, type JobOptions, MAX_BYTES_IN_ROW } from '../job/job.js';

export interface NewJob extends JobKey {
  readonly maxAttempts: number;
  readonly options: JobOptions;
  /** A JSON document, as text; that of a large one in UTF-8, which the database takes as it is. */
  readonly parameters: string | Buffer;
  readonly by: Actor;
}

/**
 * Those of the accepted jobs that begin at once: of an organization that has nothing waiting, without a cap of
 * theirs or of the task, by a worker that is there. The others wait.
 */
const STARTED = `here AS MATERIALIZED (
    SELECT worker_id, hold_worker(worker_id) AS held
    FROM (SELECT DISTINCT worker_id FROM accepted WHERE worker_id IS NOT NULL) AS worker
  ), started AS (
    INSERT INTO job_leases (job_id, lease_id, worker_id, org_id, topic, task, attempt, failures, crashes)
    SELECT id, lease_id, worker_id, org_id, topic, task, 1, 0, 0
    FROM accepted JOIN here USING (worker_id)
    WHERE held
      AND NOT EXISTS (SELECT 1 FROM job_queue ahead WHERE ahead.org_id = accepted.org_id AND ahead.run_after IS NULL)
      AND NOT EXISTS (SELECT 1 FROM effective_limits(accepted.org_id) own WHERE own.max_running IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM task_limits capped
        WHERE capped.topic = accepted.topic AND capped.task = accepted.task)
    RETURNING job_id
  ), `;
const NOT_STARTED = 'WHERE NOT EXISTS (SELECT 1 FROM started WHERE started.job_id = accepted.id)';

/** What is wanted, as arrays: a job each. */
const arrays = (parameters: string, starts: number | undefined): string => `
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], ${parameters},
        $7::int[], $8::timestamptz[], $9::int[], $10::int[], $11::json[],
        $12::text[], $13::text[], $14::text[], $15::text[], $16::text[]
        ${starts === undefined ? '' : `, $${starts}::uuid[], $${starts + 1}::uuid[]`})
      AS job(id, org_id, topic, task, max_attempts, parameters,
        priority, run_after, expires_after, timeout_seconds, labels,
        subject, client, address, request_id, traceparent ${starts === undefined ? '' : ', worker_id, lease_id'})`;

/**
 * What is wanted, as jobs that have ended and are to be run again: the values are those of `RerunStore`.
 * Options of before hold, unless others are given; a time to start at is past.
 */
const ENDED_JOBS = `
    SELECT again.id, s.org_id, s.topic, s.task,
      CASE WHEN $8::boolean THEN $9::int ELSE s.max_attempts END AS max_attempts,
      coalesce(s.parameters, kept.parameters) AS parameters,
      CASE WHEN $8 THEN $10::int ELSE s.priority END AS priority,
      CASE WHEN $8 THEN $11::timestamptz END AS run_after,
      CASE WHEN $8 THEN $12::int ELSE s.expires_after_seconds END AS expires_after,
      CASE WHEN $8 THEN $13::int ELSE s.timeout_seconds END AS timeout_seconds,
      (SELECT json_object_agg(label.name, label.value) FROM (
         SELECT name, value FROM job_labels own WHERE own.job_id = s.id AND NOT $8 AND name <> 'rerun-of'
         UNION ALL SELECT key, value FROM json_each_text(coalesce($14::json, '{}')) WHERE key <> 'rerun-of'
         UNION ALL SELECT 'rerun-of', s.id::text) AS label) AS labels,
      $4::text AS subject, $5::text AS client, $6::text AS address, $7::text AS request_id,
      $15::text AS traceparent
    FROM unnest($1::uuid[], $2::uuid[]) AS again(of, id)
    JOIN job_submissions s ON s.id = again.of AND s.org_id = $3
    JOIN job_ends e ON e.job_id = s.id
    LEFT JOIN job_parameters kept ON kept.job_id = s.id`;

interface Statement {
  /** SQL of what is wanted; arrays of values when it is not said. */
  readonly wanted?: string;
  /** The CTE of which of the `wanted` are `accepted`. */
  readonly accepted: string;
  /** SQL of the array of parameters. */
  readonly parameters?: string;
  /** Number of the first of two parameters: for each job the worker and the lease to start it with, or null. */
  readonly starts?: number;
  /** Number of the parameter that is the id of the one audit entry for all; else each job has its own. */
  readonly entry?: number;
}

/**
 * Submits jobs: `wanted`, and of these the `accepted`. A job, its parameters, its entry in the queue or its
 * first lease, its labels and who submitted it are one statement.
 */
const insertStatement = ({
  wanted,
  accepted,
  parameters = '$6::json[]',
  starts,
  entry,
}: Statement): string => `
  WITH wanted AS MATERIALIZED (
    ${wanted ?? arrays(parameters, starts)}
  ), ${accepted}, ${starts === undefined ? '' : STARTED} with_parameters AS (
    INSERT INTO job_parameters (job_id, org_id, parameters, bytes, digest)
    SELECT id, org_id, parameters, octet_length(parameters::text), sha256(convert_to(parameters::text, 'UTF8'))
    FROM accepted
    WHERE octet_length(parameters::text) > ${MAX_BYTES_IN_ROW}
  ), queued AS (
    INSERT INTO job_queue (job_id, org_id, topic, task, urgency, run_after, expires_at)
    SELECT id, org_id, topic, task, -priority, CASE WHEN run_after > clock_timestamp() THEN run_after END,
      greatest(clock_timestamp(), run_after) + expires_after * interval '1 second'
    FROM accepted ${starts === undefined ? '' : NOT_STARTED}
  ), labeled AS (
    INSERT INTO job_labels (job_id, org_id, name, value)
    SELECT id, org_id, label.key, label.value FROM accepted, json_each_text(labels) AS label
    WHERE labels IS NOT NULL
  ), noted AS (${entry === undefined ? auditInsert('job.submit', 'accepted', SUBMITTER) : noteBatch(entry)}
  ${starts === undefined ? ')' : '), submitted AS ('}
  INSERT INTO job_submissions
    (id, org_id, topic, task, max_attempts, priority, timeout_seconds, expires_after_seconds, traceparent, parameters, parameters_bytes)
  SELECT id, org_id, topic, task, max_attempts, priority, timeout_seconds, expires_after, traceparent,
    CASE WHEN octet_length(parameters::text) <= ${MAX_BYTES_IN_ROW} THEN parameters END,
    CASE WHEN octet_length(parameters::text) <= ${MAX_BYTES_IN_ROW} THEN octet_length(parameters::text) END
  FROM accepted
  ${
    starts === undefined
      ? ''
      : ') SELECT (SELECT count(*) FROM accepted)::int AS accepted, (SELECT array_agg(job_id) FROM started) AS started'
  }`;

const SUBMITTER = {
  id: 'id',
  subject: 'subject',
  client: 'client',
  address: 'address',
  requestId: 'request_id',
};

/** One entry for all: their ids follow each other, so that the first and the last tell them all. */
const noteBatch = (entry: number): string => `
  INSERT INTO audit_log (org_id, id, action, subject, client, topic, task, address, request_id, detail)
  SELECT org_id, $${entry}::uuid, 'jobs.submit', subject, client, topic, task, address, request_id,
    json_build_object('jobs', (SELECT count(*) FROM accepted), 'first', id,
      'last', (SELECT id FROM accepted ORDER BY id DESC LIMIT 1))
  FROM accepted ORDER BY id LIMIT 1`;

const ALL = 'accepted AS (SELECT * FROM wanted)';

/** For any number of jobs. */
export const CREATE_ALL = insertStatement({ accepted: ALL });

/** The same for jobs of which some may be started; answers how many were accepted, and who was started. */
export const CREATE_OR_START_ALL = insertStatement({ accepted: ALL, starts: 17 });

/** For ended jobs that are submitted again. */
export const RERUN = insertStatement({ wanted: ENDED_JOBS, accepted: ALL });

/** One document by itself is sent as it is: as part of an array all of it would be quoted first. */
const ONE_DOCUMENT = 'ARRAY[$6::json]';

/** For one job whose parameters are bytes. */
export const CREATE_LARGE = insertStatement({ accepted: ALL, parameters: ONE_DOCUMENT });

/** @param first number of the first of two parameters: the digests of key and body */
const keyFirst = (first: number): string => `taken AS (
    INSERT INTO idempotency_keys AS held
      (org_id, topic, task, key_digest, body_digest, job_id, expires_at)
    SELECT org_id, topic, task, $${first}, $${first + 1}, id, clock_timestamp() + interval '24 hours'
    FROM wanted ORDER BY id LIMIT 1
    ON CONFLICT (org_id, topic, task, key_digest) DO UPDATE
      SET body_digest = excluded.body_digest, job_id = excluded.job_id, expires_at = excluded.expires_at
      WHERE held.expires_at <= clock_timestamp()
    RETURNING job_id
  ), accepted AS MATERIALIZED (
    SELECT wanted.* FROM wanted WHERE EXISTS (SELECT 1 FROM taken)
  )`;

/** For one job. Takes the key first: a key that is there, and has not expired, accepts nothing. */
export const CREATE_ONCE = insertStatement({ accepted: keyFirst(17) });

/** The same for one that may be started; answers as {@link CREATE_OR_START_ALL}. */
export const CREATE_OR_START_ONCE = insertStatement({ accepted: keyFirst(17), starts: 19 });

/** For the jobs of a batch, whose ids follow each other; the id of its audit entry is the 17th parameter. */
export const CREATE_BATCH = insertStatement({ accepted: ALL, entry: 17 });

/** The same with a key, which stands for the first of them; the id of its audit entry is the 19th. */
export const CREATE_BATCH_ONCE = insertStatement({ accepted: keyFirst(17), entry: 19 });

/** The same for one job whose parameters are bytes. */
export const CREATE_LARGE_ONCE = insertStatement({
  accepted: keyFirst(17),
  parameters: ONE_DOCUMENT,
});

/** For one ended job that is submitted again, with a key. */
export const RERUN_ONCE = insertStatement({ wanted: ENDED_JOBS, accepted: keyFirst(16) });

/** Values of both statements for some jobs; that of one job takes the digests of key and body behind them. */
export const submitValues = (jobs: readonly NewJob[]): unknown[] => [
  jobs.map((job) => job.jobId),
  jobs.map((job) => job.orgId),
  jobs.map((job) => job.topic),
  jobs.map((job) => job.task),
  jobs.map((job) => job.maxAttempts),
  jobs.length === 1 && Buffer.isBuffer(jobs[0]?.parameters)
    ? jobs[0].parameters
    : jobs.map((job) => job.parameters),
  jobs.map(({ options }) => options.priority),
  jobs.map(({ options }) => options.runAfter),
  jobs.map(({ options }) => options.expiresAfterSeconds),
  jobs.map(({ options }) => options.timeoutSeconds),
  jobs.map(({ options }) => options.labels && JSON.stringify(options.labels)),
  jobs.map(({ by }) => by.subject),
  jobs.map(({ by }) => by.client),
  jobs.map(({ by }) => by.address),
  jobs.map(({ by }) => by.requestId),
  jobs.map(({ by }) => by.traceparent),
];

/** With which lease, and of which worker, a job is to be started, if nothing waits before it. */
export interface Start {
  readonly workerId: string;
  readonly leaseId: string;
}

/** Values of the two parameters of statements that start. */
export const startValues = (starts: readonly (Start | null)[]): unknown[] => [
  starts.map((start) => start?.workerId ?? null),
  starts.map((start) => start?.leaseId ?? null),
];

/** What statements that start answer: one row. */
export interface StartAnswer {
  readonly accepted: number;
  readonly started: readonly string[] | null;
}
