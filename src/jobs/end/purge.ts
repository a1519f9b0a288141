import { Injectable, Logger } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { Problem } from '../../platform/http/problem/problem.js';
import type { JobKey } from '../job/job.js';
import { noSuchJob } from '../job/job-problems.js';
import { isFinal } from '../job/job-status.js';
import { describeJob } from '../job/log-fields.js';
import { EndStore } from './end.store.js';

/** Use case: what is kept of a job that has ended is deleted before its time. */
@Injectable()
export class Purge {
  private readonly logger = new Logger('Purge');

  constructor(private readonly ends: EndStore) {}

  /** @throws Problem `not-found`, or `conflict` for a job that has not ended */
  async purge(key: JobKey, by: Actor): Promise<void> {
    const status = (await this.ends.purge(key, by)) ?? noSuchJob();
    if (!isFinal(status)) {
      throw new Problem(
        'conflict',
        'The job has not ended: cancel it, or wait until its status answers 200, then purge it.',
      );
    }
    this.logger.log({ ...describeJob(key), from: status, to: 'purged' }, 'job');
  }

  /**
   * The same for several jobs of an organization, all or none; those that have not ended, or are not there,
   * are left out.
   * @returns how many were deleted
   */
  async many(orgId: string, jobIds: readonly string[], by: Actor): Promise<number> {
    const deleted = await this.ends.purgeAll(orgId, jobIds, by);
    for (const { jobId, topic, task, status } of deleted) {
      const fields = describeJob({ jobId, orgId, topic, task });
      this.logger.log({ ...fields, from: status, to: 'purged' }, 'job');
    }
    return deleted.length;
  }
}
