import { Controller, Inject, Logger, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { type Actor, ActorOf } from '../auth/actor.js';
import { Organization, RequireScope } from '../auth/auth.decorators.js';
import { CountedAs } from '../auth/rate.limit.guard.js';
import { describeJob } from '../jobs/job.log.js';
import { statusLocation } from '../jobs/job.presenter.js';
import { JobSignals } from '../jobs/job.signals.js';
import {
  type IdempotencyKey,
  type JobKey,
  JobStore,
  type KeyedJob,
  type NewJob,
} from '../jobs/job.store.js';
import { SubmitQuota } from '../jobs/submit.quota.js';
import { CONFIG, type Config } from '../platform/config.js';
import { AcceptsJson } from '../platform/http/accepts-json.guard.js';
import { JsonBodies } from '../platform/http/json-body.js';
import { Problem } from '../platform/http/problem.js';
import { RateLimits } from '../platform/rate-limit/rate.limits.js';
import { BodyJudge } from './body.judge.js';
import { ApiExecute } from './compute.openapi.js';
import { KeyDigest } from './idempotency-key.js';
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
    private readonly bodies: JsonBodies,
    private readonly judge: BodyJudge,
  ) {}

  @Post()
  @RequireScope('compute:execute')
  @CountedAs('submits')
  @UseGuards(TaskGuard, AcceptsJson)
  @ApiExecute()
  async execute(
    @Organization() orgId: string,
    @ActorOf() by: Actor,
    @KeyDigest() keyDigest: Buffer | null,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const entry = catalogueEntryOf(request);
    const { job, before } = await this.bodies.use(request, orgId, async (bytes) => {
      const body = await this.judge.judge(bytes, entry, keyDigest !== null);
      await this.rates.admit(orgId, 'submits', reply);
      const { topic, name: task } = entry.task;
      const { maxAttempts, options, parameters } = body;
      const wanted = { orgId, topic, task, maxAttempts, options, parameters, by };
      return this.store({ ...wanted, jobId: uuidv7() }, keyDigest, body.digest);
    });
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

  /** @returns the address alone: the parameters need not be held for the answer */
  private async store(
    job: NewJob,
    digest: Buffer | null,
    bodyDigest: Buffer,
  ): Promise<{ job: JobKey; before: KeyedJob | null }> {
    const { jobId, orgId, topic, task } = job;
    const before =
      digest === null ? await this.create(job) : await this.createOnce(job, { digest, bodyDigest });
    return { job: { jobId, orgId, topic, task }, before };
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
