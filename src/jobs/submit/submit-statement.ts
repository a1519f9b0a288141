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

interface Statement {
  /** The CTE of which of the `wanted` are `accepted`. */
  readonly accepted: string;
  /** SQL of the array of parameters. */
  readonly parameters?: string;
  /** Number of the first of two parameters: for each job the worker and the lease to start it with, or null. */
  readonly starts?: number;
}

/**
 * Submits jobs: `wanted`, and of these the `accepted`. A job, its parameters, its entry in the queue or its
 * first lease, its labels and who submitted it are one statement.
 */
const insertStatement = ({ accepted, parameters = '$6::json[]', starts }: Statement): string => `
  WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], ${parameters},
        $7::int[], $8::timestamptz[], $9::int[], $10::int[], $11::json[],
        $12::text[], $13::text[], $14::text[], $15::text[]
        ${starts === undefined ? '' : `, $${starts}::uuid[], $${starts + 1}::uuid[]`})
      AS job(id, org_id, topic, task, max_attempts, parameters,
        priority, run_after, expires_after, timeout_seconds, labels,
        subject, client, address, request_id ${starts === undefined ? '' : ', worker_id, lease_id'})
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
  ), noted AS (${auditInsert('job.submit', 'accepted', {
    id: 'id',
    subject: 'subject',
    client: 'client',
    address: 'address',
    requestId: 'request_id',
  })}
  ${starts === undefined ? ')' : '), submitted AS ('}
  INSERT INTO job_submissions
    (id, org_id, topic, task, max_attempts, priority, timeout_seconds, expires_after_seconds, parameters, parameters_bytes)
  SELECT id, org_id, topic, task, max_attempts, priority, timeout_seconds, expires_after,
    CASE WHEN octet_length(parameters::text) <= ${MAX_BYTES_IN_ROW} THEN parameters END,
    CASE WHEN octet_length(parameters::text) <= ${MAX_BYTES_IN_ROW} THEN octet_length(parameters::text) END
  FROM accepted
  ${
    starts === undefined
      ? ''
      : ') SELECT (SELECT count(*) FROM accepted)::int AS accepted, (SELECT array_agg(job_id) FROM started) AS started'
  }`;

const ALL = 'accepted AS (SELECT * FROM wanted)';

/** For any number of jobs. */
export const CREATE_ALL = insertStatement({ accepted: ALL });

/** The same for jobs of which some may be started; answers how many were accepted, and who was started. */
export const CREATE_OR_START_ALL = insertStatement({ accepted: ALL, starts: 16 });

/** One document by itself is sent as it is: as part of an array all of it would be quoted first. */
const ONE_DOCUMENT = 'ARRAY[$6::json]';

/** For one job whose parameters are bytes. */
export const CREATE_LARGE = insertStatement({ accepted: ALL, parameters: ONE_DOCUMENT });

const KEY_FIRST = `taken AS (
    INSERT INTO idempotency_keys AS held
      (org_id, topic, task, key_digest, body_digest, job_id, expires_at)
    SELECT org_id, topic, task, $16, $17, id, clock_timestamp() + interval '24 hours' FROM wanted
    ON CONFLICT (org_id, topic, task, key_digest) DO UPDATE
      SET body_digest = excluded.body_digest, job_id = excluded.job_id, expires_at = excluded.expires_at
      WHERE held.expires_at <= clock_timestamp()
    RETURNING job_id
  ), accepted AS MATERIALIZED (
    SELECT wanted.* FROM wanted JOIN taken ON taken.job_id = wanted.id
  )`;

/** For one job. Takes the key first: a key that is there, and has not expired, accepts nothing. */
export const CREATE_ONCE = insertStatement({ accepted: KEY_FIRST });

/** The same for one that may be started; answers as {@link CREATE_OR_START_ALL}. */
export const CREATE_OR_START_ONCE = insertStatement({ accepted: KEY_FIRST, starts: 18 });

/** The same for one job whose parameters are bytes. */
export const CREATE_LARGE_ONCE = insertStatement({
  accepted: KEY_FIRST,
  parameters: ONE_DOCUMENT,
});

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
