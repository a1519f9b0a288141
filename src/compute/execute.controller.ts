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
import { bodyDigest, JsonBody } from '../platform/http/json-body.js';
import { Problem } from '../platform/http/problem.js';
import { RateLimits } from '../platform/rate-limit/rate.limits.js';
import { executeBody, type ExecuteRequest } from './execute.body.js';
import { ApiExecute } from './compute.openapi.js';
import { KeyDigest, KeyGuard } from './idempotency-key.js';
import type { Task } from './task.js';
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
    const address = { orgId, topic: task.topic, task: task.name };
    const key = keyDigest === null ? null : { digest: keyDigest, bodyDigest: bodyDigest(request) };
    const wanted = this.judge(body, task);
    if (wanted instanceof Problem && key === null) {
      throw wanted;
    }
    await this.rates.admit(orgId, 'submits', reply);
    if (wanted instanceof Problem) {
      // It may have been right when it was sent first: a run_after has passed since.
      const kept = await this.jobs.findKeyed(address, key as IdempotencyKey);
      if (kept?.same !== true) {
        throw wanted;
      }
      this.answer({ ...address, jobId: kept.jobId }, request, reply);
      return;
    }
    const { parameters, options, maxAttempts } = wanted;
    const job = {
      ...address,
      jobId: uuidv7(),
      maxAttempts,
      options,
      parameters: JSON.stringify(parameters),
      by,
    };
    const before = key === null ? await this.create(job) : await this.createOnce(job, key);
    if (before?.same === false) {
      throw new Problem(
        'invalid-parameters',
        'The Idempotency-Key was used for another body: use a new key for a new job.',
      );
    }
    this.answer({ ...address, jobId: before?.jobId ?? job.jobId }, request, reply);
  }

  /** No body at all: the public Python client fails on any. */
  private answer(key: JobKey, request: FastifyRequest, reply: FastifyReply): void {
    void reply.status(303).headers({
      location: statusLocation(key, request, this.config),
      'content-length': '0',
    });
  }

  private judge(body: unknown, task: Task): ExecuteRequest | Problem {
    try {
      return executeBody(body, task);
    } catch (error) {
      if (error instanceof Problem) {
        return error;
      }
      throw error;
    }
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
