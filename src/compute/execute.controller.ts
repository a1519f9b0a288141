import { Controller, Inject, Logger, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { Organization, RequireScope } from '../auth/auth.decorators.js';
import { describeJob } from '../jobs/job.log.js';
import { statusLocation } from '../jobs/job.presenter.js';
import { JobSignals } from '../jobs/job.signals.js';
import { JobStore } from '../jobs/job.store.js';
import { SubmitQuota } from '../jobs/submit.quota.js';
import { CONFIG, type Config } from '../platform/config.js';
import { AcceptsJson } from '../platform/http/accepts-json.guard.js';
import { JsonBody } from '../platform/http/json-body.js';
import { executeBody } from './execute.body.js';
import { ApiExecute } from './compute.openapi.js';
import { catalogueEntryOf, TaskGuard } from './task.guard.js';

/** Execute a task: creates a job. */
@Controller('compute/orgs/:org_id/:topic/:task')
export class ExecuteController {
  private readonly logger = new Logger('Execute');

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: JobStore,
    private readonly quota: SubmitQuota,
    private readonly signals: JobSignals,
  ) {}

  @Post()
  @RequireScope('compute:execute')
  @UseGuards(TaskGuard, AcceptsJson)
  @ApiExecute()
  async execute(
    @Organization() orgId: string,
    @Req() request: FastifyRequest,
    @JsonBody() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { task } = catalogueEntryOf(request);
    const { parameters: given, options, maxAttempts } = executeBody(body, task);
    const parameters = JSON.stringify(given);
    await this.quota.admit(orgId, Buffer.byteLength(parameters));
    const key = { jobId: uuidv7(), orgId, topic: task.topic, task: task.name };
    await this.jobs.create({ ...key, maxAttempts, options, parameters });
    this.logger.log({ ...describeJob(key), transition: 'create', to: 'requested' }, 'job');
    this.signals.announceWork();
    // No body at all: the public Python client fails on any.
    void reply.status(303).headers({
      location: statusLocation(key, request, this.config),
      'content-length': '0',
    });
  }
}
