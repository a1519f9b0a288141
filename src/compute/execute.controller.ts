import { Controller, Inject, Logger, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { type Actor, ActorOf } from '../auth/actor.js';
import { Organization, RequireScope } from '../auth/auth.decorators.js';
import { CountedAs } from '../auth/rate.limit.guard.js';
import { describeJob } from '../jobs/job.log.js';
import { statusLocation } from '../jobs/job.presenter.js';
import { JobSignals } from '../jobs/job.signals.js';
import { type IdempotencyKey, JobStore, type KeyedJob, type NewJob } from '../jobs/job.store.js';
import { SubmitQuota } from '../jobs/submit.quota.js';
import { CONFIG, type Config } from '../platform/config.js';
import { AcceptsJson } from '../platform/http/accepts-json.guard.js';
import { bodyDigest, JsonBody } from '../platform/http/json-body.js';
import { Problem } from '../platform/http/problem.js';
import { RateLimits } from '../platform/rate-limit/rate.limits.js';
import { executeBody } from './execute.body.js';
import { ApiExecute } from './compute.openapi.js';
import { KeyDigest, KeyGuard } from './idempotency-key.js';
import { catalogueEntryOf, TaskGuard } from './task.guard.js';

/** Execute a task: creates a job. */
@Controller('compute/orgs/:org_id/:topic/:task')
export class ExecuteController {
  private readonly logger = new Logger('Execute');

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: JobStore,
    private readonly rates: RateLimits,
    private readonly quota: SubmitQuota,
    private readonly signals: JobSignals,
  ) {}

  @Post()
  @RequireScope('compute:execute')
  @CountedAs('submits')
  @UseGuards(TaskGuard, AcceptsJson, KeyGuard)
  @ApiExecute()
  async execute(
    @Organization() orgId: string,
    @ActorOf() by: Actor,
    @KeyDigest() keyDigest: Buffer | null,
    @Req() request: FastifyRequest,
    @JsonBody() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { task } = catalogueEntryOf(request);
    const { parameters, options, maxAttempts } = executeBody(body, task);
    await this.rates.admit(orgId, 'submits', reply);
    const job = {
      jobId: uuidv7(),
      orgId,
      topic: task.topic,
      task: task.name,
      maxAttempts,
      options,
      parameters: JSON.stringify(parameters),
      by,
    };
    const before =
      keyDigest === null
        ? await this.create(job)
        : await this.createOnce(job, { digest: keyDigest, bodyDigest: bodyDigest(request) });
    if (before?.same === false) {
      throw new Problem(
        'invalid-parameters',
        'The Idempotency-Key was used for another body: use a new key for a new job.',
      );
    }
    // No body at all: the public Python client fails on any.
    const key = { ...job, jobId: before?.jobId ?? job.jobId };
    void reply.status(303).headers({
      location: statusLocation(key, request, this.config),
      'content-length': '0',
    });
  }

  private async create(job: NewJob): Promise<null> {
    await this.quota.admit(job.orgId, Buffer.byteLength(job.parameters));
    await this.jobs.create(job);
    this.announce(job);
    return null;
  }

  /** A key that stands for a job already is answered whatever the quota says now. */
  private async createOnce(job: NewJob, key: IdempotencyKey): Promise<KeyedJob | null> {
    try {
      await this.quota.admit(job.orgId, Buffer.byteLength(job.parameters));
    } catch (error) {
      const kept = await this.jobs.findKeyed(job, key);
      if (kept === null) {
        throw error;
      }
      return kept;
    }
    const before = await this.jobs.createOnce(job, key);
    if (before === null) {
      this.announce(job);
    }
    return before;
  }

  private announce(job: NewJob): void {
    this.logger.log({ ...describeJob(job), transition: 'create', to: 'requested' }, 'job');
    this.signals.announceWork();
  }
}
