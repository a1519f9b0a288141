import { Injectable, Logger } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { Problem } from '../../platform/http/problem/problem.js';
import { newId } from '../../platform/ids/new-id.js';
import { ChangeFeed } from '../feed/change-feed.js';
import { noSuchJob } from '../job/job-problems.js';
import { JobSignals } from '../job/job-signals.js';
import { isFinal } from '../job/job-status.js';
import type { JobKey } from '../job/job.js';
import { JobMetrics } from '../metrics/job-metrics.js';
import { describeJob } from '../job/log-fields.js';
import { type IdempotencyKey, keyOfAnotherBody } from './idempotency-key.js';
import { type ReplacedOptions, RERUN_OF, type RerunnableJob, RerunStore } from './rerun.store.js';
import { SubmitQuota } from './submit-quota.js';
import { Submit } from './submit.js';
import { SubmitStore } from './submit.store.js';

/** What is to be different when a job is run again; null: as before. */
export interface RerunChanges {
  /** JSON text, or that of large ones in UTF-8. */
  readonly parameters: string | Buffer | null;
  readonly replaced: ReplacedOptions | null;
}

/** Use case: jobs that have ended are run again, each as a new one with the same parameters. */
@Injectable()
export class Rerun {
  private readonly logger = new Logger('Rerun');

  constructor(
    private readonly store: RerunStore,
    private readonly kept: SubmitStore,
    private readonly submits: Submit,
    private readonly quota: SubmitQuota,
    private readonly signals: JobSignals,
    private readonly feed: ChangeFeed,
    private readonly metrics: JobMetrics,
  ) {}

  /**
   * @param changes what is to be another; null members: as before
   * @returns the id of the new job, or of the one that the key stood for
   * @throws Problem `not-found`, `conflict` for a job that has not ended, and as a submit
   */
  async one(
    key: JobKey,
    by: Actor,
    { parameters, replaced }: RerunChanges,
    idempotency: IdempotencyKey | null,
  ): Promise<string> {
    const job = await this.ended(key);
    if (parameters === null) {
      return this.copy(key.orgId, job, by, replaced, idempotency);
    }
    const { options, maxAttempts } =
      replaced ?? (await this.store.optionsOf(key.orgId, job.id)) ?? noSuchJob();
    const labels = { ...options.labels, [RERUN_OF]: job.id };
    const again = { ...key, jobId: newId(), maxAttempts, parameters, by };
    return this.submits.submit({ ...again, options: { ...options, labels } }, idempotency);
  }

  private async copy(
    orgId: string,
    job: RerunnableJob,
    by: Actor,
    replaced: ReplacedOptions | null,
    key: IdempotencyKey | null,
  ): Promise<string> {
    const again = { ...job, newId: newId() };
    const insert = async () =>
      (await this.store.rerun(orgId, [again], by, replaced, key)) === 1 ? again : null;
    const task = { orgId, topic: job.topic, task: job.task };
    const before = key === null ? null : await this.kept.findKeyed(task, key);
    if (before === null) {
      await this.quota.admit(orgId, job.bytes);
    }
    const made =
      before ?? (key === null ? await insert() : await this.kept.once(task, key, insert));
    if (made === null) {
      return noSuchJob();
    }
    if ('newId' in made) {
      this.announce(orgId, [made], by);
      return made.newId;
    }
    if (!made.same) {
      throw keyOfAnotherBody();
    }
    return made.jobId;
  }

  /**
   * Runs several again, all or none.
   * @param jobs of which all have ended; one that was deleted meanwhile is left out
   * @returns how many new ones there are
   * @throws Problem `too-many-requests`
   */
  async many(orgId: string, jobs: readonly RerunnableJob[], by: Actor): Promise<number> {
    await this.quota.admit(
      orgId,
      jobs.reduce((sum, { bytes }) => sum + bytes, 0),
      jobs.length,
    );
    const again = jobs.map((job) => ({ ...job, newId: newId() }));
    const stored = await this.store.rerun(orgId, again, by, null, null);
    this.announce(orgId, again, by);
    return stored;
  }

  /** @throws Problem `not-found` or `conflict` */
  private async ended(key: JobKey): Promise<RerunnableJob> {
    const job = (await this.store.find(key)) ?? noSuchJob();
    if (!isFinal(job.status)) {
      throw new Problem(
        'conflict',
        'The job has not ended: cancel it, or wait until its status answers 200, then run it again.',
      );
    }
    return job;
  }

  private announce(
    orgId: string,
    jobs: readonly (RerunnableJob & { readonly newId: string })[],
    { traceparent }: Actor,
  ): void {
    for (const { newId: jobId, id, topic, task } of jobs) {
      const fields = describeJob({ jobId, orgId, topic, task, traceparent });
      this.logger.log({ ...fields, transition: 'create', to: 'requested', rerunOf: id }, 'job');
      this.feed.tell({ orgId, jobId });
      this.metrics.noteSubmit({ orgId, topic, task });
    }
    this.signals.announceWork();
  }
}
