import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { Database } from '../../platform/database/database.js';
import { JOB_TABLES, STATUS_SQL } from '../list/search/job-tables.js';
import type { JobKey, JobOptions } from '../job/job.js';
import type { JobStatus } from '../job/job-status.js';
import { UsageMeter } from '../limits/usage-meter.js';
import { type IdempotencyKey, KEY_IN_USE_MS, refuseKeyInUse } from './idempotency-key.js';
import { RERUN, RERUN_ONCE } from './submit-statement.js';

/** The label of a job that was run again: the id of the one before. */
export const RERUN_OF = 'rerun-of';

/** A job that may be run again. */
export interface RerunnableJob {
  readonly id: string;
  readonly topic: string;
  readonly task: string;
  readonly status: JobStatus;
  /** Of its parameters. */
  readonly bytes: number;
}

/** What takes the place of the options of the job of before. */
export interface ReplacedOptions {
  readonly options: JobOptions;
  readonly maxAttempts: number;
}

/** SQL of what a search must tell of each job to run it again, over the tables that a job may be in. */
export const RERUNNABLE_COLUMNS = `s.topic, s.task, ${STATUS_SQL} AS status,
  coalesce(s.parameters_bytes, (SELECT kept.bytes FROM job_parameters kept WHERE kept.job_id = s.id), 0)::int AS bytes`;

/** Submits ended jobs anew, within the database: their parameters do not leave it. */
@Injectable()
export class RerunStore {
  constructor(
    private readonly database: Database,
    private readonly usage: UsageMeter,
  ) {}

  /** @returns null when there is no such job under that organization, topic and task */
  async find({ jobId, orgId, topic, task }: JobKey): Promise<RerunnableJob | null> {
    const { rows } = await this.database.queryFor<RerunnableJob>([orgId], {
      name: 'read-rerunnable-job',
      text: `
        WITH candidate AS (SELECT $1::uuid AS id)
        SELECT s.id, ${RERUNNABLE_COLUMNS} FROM candidate ${JOB_TABLES}
        WHERE s.org_id = $2 AND s.topic = $3 AND s.task = $4`,
      values: [jobId, orgId, topic, task],
    });
    return rows[0] ?? null;
  }

  /** @returns the options of a job, but for `run_after`; null when it is gone */
  async optionsOf(orgId: string, jobId: string): Promise<ReplacedOptions | null> {
    const { rows } = await this.database.queryFor<
      Omit<JobOptions, 'runAfter'> & { maxAttempts: number }
    >([orgId], {
      name: 'read-job-options',
      text: `
          SELECT s.max_attempts AS "maxAttempts", s.priority, s.timeout_seconds AS "timeoutSeconds",
            s.expires_after_seconds AS "expiresAfterSeconds",
            (SELECT json_object_agg(name, value) FROM job_labels WHERE job_id = s.id AND name <> '${RERUN_OF}') AS labels
          FROM job_submissions s WHERE s.id = $1 AND s.org_id = $2`,
      values: [jobId, orgId],
    });
    const [row] = rows;
    if (row === undefined) {
      return null;
    }
    const { maxAttempts, ...options } = row;
    return { maxAttempts, options: { ...options, runAfter: null } };
  }

  /**
   * Stores a new job for each of some ended ones, all or none, with the same parameters.
   * @param jobs of one organization, with the ids of the new ones
   * @param replaced options in place of those of before; null: those of before, but for `run_after`
   * @param key null: without one
   * @returns how many were stored: none when the key was taken
   * @throws Problem `conflict` when another request with the key takes too long
   */
  async rerun(
    orgId: string,
    jobs: readonly (RerunnableJob & { readonly newId: string })[],
    by: Actor,
    replaced: ReplacedOptions | null,
    key: IdempotencyKey | null,
  ): Promise<number> {
    const labels = replaced?.options.labels ?? null;
    const values = [
      jobs.map(({ id }) => id),
      jobs.map(({ newId }) => newId),
      orgId,
      by.subject,
      by.client,
      by.address,
      by.requestId,
      replaced !== null,
      replaced?.maxAttempts ?? null,
      replaced?.options.priority ?? null,
      replaced?.options.runAfter ?? null,
      replaced?.options.expiresAfterSeconds ?? null,
      replaced?.options.timeoutSeconds ?? null,
      labels === null ? null : JSON.stringify(labels),
      by.traceparent,
    ];
    const statement =
      key === null
        ? { name: 'rerun-jobs', text: RERUN, values }
        : {
            name: 'rerun-job-once',
            text: RERUN_ONCE,
            values: [...values, key.digest, key.bodyDigest],
          };
    const { rowCount } = await this.database
      .queryFor([orgId], statement, key === null ? {} : { lockMs: KEY_IN_USE_MS })
      .catch(refuseKeyInUse);
    if (rowCount !== 0) {
      this.usage.add(
        orgId,
        jobs.reduce((sum, { bytes }) => sum + bytes, 0),
      );
    }
    return rowCount ?? 0;
  }
}
