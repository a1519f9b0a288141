import { Injectable, Logger } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { ChangeFeed } from '../feed/change-feed.js';
import type { JobKey } from '../job/job.js';
import { noSuchJob } from '../job/job-problems.js';
import { JobSignals } from '../job/job-signals.js';
import type { JobStatus } from '../job/job-status.js';
import { describeJob } from '../job/log-fields.js';
import { JobMetrics } from '../metrics/job-metrics.js';
import { EndStore } from './end.store.js';

/** Use case: a job is canceled. */
@Injectable()
export class Cancel {
  private readonly logger = new Logger('Cancel');

  constructor(
    private readonly ends: EndStore,
    private readonly signals: JobSignals,
    private readonly feed: ChangeFeed,
    private readonly metrics: JobMetrics,
  ) {}

  /**
   * Ends an unstarted job at once, or asks the worker that runs it to stop, on any replica.
   * A job that has ended stays as it is.
   * @returns the status after it, committed when the promise resolves
   * @throws Problem `not-found`
   */
  async cancel(key: JobKey, by: Actor): Promise<JobStatus> {
    const { status, workerId, changed } = (await this.ends.requestCancel(key, by)) ?? noSuchJob();
    const fields = describeJob({ ...key, traceparent: by.traceparent });
    this.logger.log({ ...fields, transition: 'requestCancel', to: status }, 'job');
    this.feed.tell(key);
    if (changed) {
      this.metrics.noteCancel(key, status);
    }
    if (workerId !== null) {
      this.signals.announceCancel(workerId, key.jobId);
    }
    return status;
  }

  /**
   * The same for several jobs of an organization, all or none; those that are not there are left out.
   * @returns how many were changed
   */
  async many(orgId: string, jobIds: readonly string[], by: Actor): Promise<number> {
    const changed = await this.ends.requestCancels(orgId, jobIds, by);
    for (const { jobId, topic, task, status, workerId } of changed) {
      const { traceparent } = by;
      const fields = describeJob({ jobId, orgId, topic, task, traceparent });
      this.logger.log({ ...fields, transition: 'requestCancel', to: status }, 'job');
      this.feed.tell({ orgId, jobId });
      this.metrics.noteCancel({ orgId, topic, task }, status);
      if (workerId !== null) {
        this.signals.announceCancel(workerId, jobId);
      }
    }
    return changed.length;
  }
}
