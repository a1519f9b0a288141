import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database/database.js';
import type { JobKey } from '../../job/job.js';

export interface StoredParameters {
  /** JSON text; null when they are `large`. */
  readonly parameters: string | null;
  /** Whether they are longer than is read at once: `DocumentReader` reads them. */
  readonly large: boolean;
}

/** Parameters beyond this many bytes are read piece by piece. */
const READ_AT_ONCE = 262_144;

/** Reads what jobs were given. */
@Injectable()
export class JobParametersStore {
  constructor(private readonly database: Database) {}

  /** @returns null when there is no such job under that organization, topic and task */
  async find({ jobId, orgId, topic, task }: JobKey): Promise<StoredParameters | null> {
    const { rows } = await this.database.queryFor<StoredParameters>([orgId], {
      name: 'read-parameters',
      // A job of before their bytes were counted has no count: it may be of any length.
      text: `
        SELECT stored.job_id IS NOT NULL AND coalesce(stored.bytes, ${READ_AT_ONCE + 1}) > ${READ_AT_ONCE} AS large,
          CASE WHEN stored.job_id IS NULL THEN job.parameters::text
            WHEN stored.bytes <= ${READ_AT_ONCE} THEN stored.parameters::text END AS parameters
        FROM job_submissions job
        LEFT JOIN job_parameters stored ON stored.job_id = job.id AND stored.org_id = job.org_id
        WHERE job.id = $1 AND job.org_id = $2 AND job.topic = $3 AND job.task = $4`,
      values: [jobId, orgId, topic, task],
    });
    return rows[0] ?? null;
  }
}
