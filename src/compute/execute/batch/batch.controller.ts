import { Controller, HttpCode, Inject, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Actor, ActorOf } from '../../../auth/actor.js';
import { Organization, RequireScope } from '../../../auth/auth.decorators.js';
import { jobUrl } from '../../../jobs/job/job-links.js';
import { OrganizationRates } from '../../../jobs/limits/organization-rates.js';
import { CountedAs } from '../../../jobs/limits/organization-rates.guard.js';
import { Submit } from '../../../jobs/submit/submit.js';
import { CONFIG, type Config } from '../../../platform/config.js';
import { AcceptsJson } from '../../../platform/http/accepts-json.guard.js';
import { JsonBodies } from '../../../platform/http/body/json-body.js';
import type { BodyOf } from '../../../platform/http/openapi/body.js';
import { idsFrom, newIds } from '../../../platform/ids/new-id.js';
import { ApiBatch } from './batch.openapi.js';
import type { BATCH } from './batch.schema.js';
import { BodyJudge } from '../body-judge.js';
import { KeyDigest, KeyGuard } from '../idempotency-key.js';
import { catalogueEntryOf, TaskGuard } from '../task.guard.js';

/** Execute a task many times at once: the jobs are stored together or not at all. */
@Controller('compute/orgs/:org_id/:topic/:task/batch')
export class BatchController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly submit: Submit,
    private readonly rates: OrganizationRates,
    private readonly bodies: JsonBodies,
    private readonly judge: BodyJudge,
  ) {}

  @Post()
  @HttpCode(200)
  @RequireScope('compute:execute')
  @CountedAs('submits')
  @UseGuards(TaskGuard, AcceptsJson, KeyGuard)
  @ApiBatch()
  async batch(
    @Organization() orgId: string,
    @ActorOf() by: Actor,
    @KeyDigest() keyDigest: Buffer | null,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BodyOf<typeof BATCH>> {
    const entry = catalogueEntryOf(request);
    const address = { orgId, topic: entry.task.topic, task: entry.task.name };
    const ids = await this.bodies.use(request, orgId, async (bytes) => {
      const body = await this.judge.judgeBatch(bytes, entry, keyDigest !== null);
      const { options, maxAttempts, digest: bodyDigest } = body;
      await this.rates.admitMany(orgId, 'submits', body.parameters.length, reply);
      const made = newIds(body.parameters.length);
      const jobs = body.parameters.map((parameters, place) => ({
        ...address,
        jobId: made[place] as string,
        maxAttempts,
        options,
        parameters,
        by,
      }));
      const first = await this.submit.submitBatch(
        jobs,
        keyDigest && { digest: keyDigest, bodyDigest },
      );
      return idsFrom(first, jobs.length);
    });
    return {
      results: ids.map((id) => {
        const url = jobUrl({ ...address, jobId: id }, request, this.config);
        return { id, links: { status: `${url}/status`, result: url, cancel: url } };
      }),
    };
  }
}
