import { Injectable } from '@nestjs/common';
import { Coalescer } from '../../platform/database/coalescer.js';
import { Database } from '../../platform/database/database.js';
import { isDatabaseUnavailable } from '../../platform/database/database-errors.js';
import type { ProblemBody } from '../../platform/http/problem/problem.js';
import type { JobKey } from '../job/job.js';
import type { JobStatus } from '../job/job-status.js';

export interface JobState {
  readonly status: JobStatus;
  readonly progress: number;
  readonly message: string | null;
  readonly error: ProblemBody | null;
}

export interface StoredResults {
  readonly status: JobStatus;
  readonly error: ProblemBody | null;
  /** The results as JSON text, for a succeeded job; null when they are `large`. */
  readonly results: string | null;
  /** Whether the results are there, and longer than is read at once: `DocumentReader` reads them. */
  readonly large: boolean;
}

/** Results beyond this many bytes are read piece by piece. */
const READ_AT_ONCE = 262_144;

/** Reads the state and the results of jobs, in one statement each. States asked for together are read together. */
@Injectable()
export class JobStateStore {
  private readonly reads: Coalescer<JobKey, JobState | null>;

  constructor(private readonly database: Database) {
    this.reads = new Coalescer({
      run: (keys) => this.readStates(keys),
      maxItems: 128,
      maxBatches: 4,
      retryAlone: (error) => !isDatabaseUnavailable(error),
    });
  }

  /** @returns null when there is no such job under that organization, topic and task */
  findState(key: JobKey): Promise<JobState | null> {
    return this.reads.submit(key);
  }

  /** @returns null when there is no such job under that organization, topic and task */
  async findResults({ jobId, orgId, topic, task }: JobKey): Promise<StoredResults | null> {
    // Results as text: they are sent on as they are stored, and may be large.
    const { rows } = await this.database.queryFor<StoredResults>([orgId], {
      name: 'read-results',
      text: `
        SELECT job.status, job.error, coalesce(stored.bytes, 0) > ${READ_AT_ONCE} AS large,
          CASE WHEN coalesce(stored.bytes, 0) <= ${READ_AT_ONCE}
            THEN coalesce(job_end.results, stored.results)::text END AS results
        FROM jobs job
        LEFT JOIN job_ends job_end ON job_end.job_id = job.id
        LEFT JOIN job_results stored ON stored.job_id = job.id AND stored.org_id = job.org_id
        WHERE job.id = $1 AND job.org_id = $2 AND job.topic = $3 AND job.task = $4`,
      values: [jobId, orgId, topic, task],
    });
    return rows[0] ?? null;
  }

  private async readStates(keys: readonly JobKey[]): Promise<(JobState | null)[]> {
    const organizations = keys.map(({ orgId }) => orgId);
    const { rows } = await this.database.queryFor<JobState & { ordinal: string }>(organizations, {
      name: 'read-job-states',
      text: `
        SELECT asked.ordinal, job.status, job.progress, job.message, job.error
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
          WITH ORDINALITY AS asked(id, org_id, topic, task, ordinal)
        JOIN jobs job ON job.id = asked.id AND job.org_id = asked.org_id
          AND job.topic = asked.topic AND job.task = asked.task`,
      values: [
        keys.map((key) => key.jobId),
        organizations,
        keys.map((key) => key.topic),
        keys.map((key) => key.task),
      ],
    });
    const found = new Map(rows.map(({ ordinal, ...state }) => [Number(ordinal), state]));
    return keys.map((_, index) => found.get(index + 1) ?? null);
  }
}
