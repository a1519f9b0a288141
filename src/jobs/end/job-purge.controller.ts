import { Controller, Logger, Post, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Actor, ActorOf } from '../../auth/actor.js';
import { RequireScope } from '../../auth/auth.decorators.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import { Problem } from '../../platform/http/problem/problem.js';
import { JobAddress } from '../job/job-address.js';
import { describeJob } from '../job/log-fields.js';
import { noSuchJob } from '../job/job-problems.js';
import { ApiPurge } from './job-purge.openapi.js';
import { isFinal } from '../job/job-status.js';
import { type JobKey, JobStore } from '../read/job.store.js';

/** Deletes one ended job before its time. */
@Controller('compute/orgs/:org_id/:topic/:task/:job_id')
@UseGuards(AcceptsJson)
export class JobPurgeController {
  private readonly logger = new Logger('Purge');

  constructor(private readonly jobs: JobStore) {}

  @Post('purge')
  @RequireScope('compute:admin')
  @ApiPurge()
  async purge(
    @JobAddress() key: JobKey,
    @ActorOf() by: Actor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const status = (await this.jobs.purge(key, by)) ?? noSuchJob();
    if (!isFinal(status)) {
      throw new Problem(
        'conflict',
        'The job has not ended: cancel it, or wait until its status answers 200, then purge it.',
      );
    }
    this.logger.log({ ...describeJob(key), from: status, to: 'purged' }, 'job');
    void reply.status(204);
  }
}
