import { Controller, Inject, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Actor, ActorOf } from '../../auth/actor.js';
import { Organization, RequireScope } from '../../auth/auth.decorators.js';
import { CountedAs } from '../../jobs/limits/organization-rates.guard.js';
import { statusLocation } from '../../jobs/job/job-links.js';
import { isFinal } from '../../jobs/job/job-status.js';
import { JobWaits } from '../../jobs/read/watch/job-waits.js';
import { Submit } from '../../jobs/submit/submit.js';
import { newId } from '../../platform/ids/new-id.js';
import { CONFIG, type Config } from '../../platform/config.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import { JsonBodies } from '../../platform/http/body/json-body.js';
import { OrganizationRates } from '../../jobs/limits/organization-rates.js';
import { BodyJudge } from './body-judge.js';
import { ApiExecute } from './execute.openapi.js';
import { KeyDigest, KeyGuard } from './idempotency-key.js';
import { catalogueEntryOf, TaskGuard } from './task.guard.js';

/** Execute a task: creates a job. */
@Controller('compute/orgs/:org_id/:topic/:task')
export class ExecuteController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly submit: Submit,
    private readonly rates: OrganizationRates,
    private readonly bodies: JsonBodies,
    private readonly judge: BodyJudge,
    private readonly waits: JobWaits,
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
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const entry = catalogueEntryOf(request);
    const address = { orgId, topic: entry.task.topic, task: entry.task.name };
    const jobId = await this.bodies.use(request, orgId, async (bytes) => {
      const body = await this.judge.judge(bytes, entry, keyDigest !== null);
      await this.rates.admit(orgId, 'submits', reply);
      const { parameters, options, maxAttempts, digest: bodyDigest } = body;
      const job = { ...address, jobId: newId(), maxAttempts, options, parameters, by };
      return this.submit.submit(job, keyDigest && { digest: keyDigest, bodyDigest });
    });
    const wait = this.waits.grant(orgId, request, reply);
    if (wait !== null) {
      const key = { ...address, jobId };
      await this.waits.until(key, wait, reply, (job) => job === null || isFinal(job.status));
    }
    // No body at all: the public Python client fails on any.
    void reply.status(303).headers({
      location: statusLocation({ ...address, jobId }, request, this.config),
      'content-length': '0',
    });
  }
}
