import { Controller, HttpCode, Inject, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Actor, ActorOf } from '../../../auth/actor.js';
import { Organization, RequireScope } from '../../../auth/auth.decorators.js';
import { BulkAct } from '../../../jobs/bulk/bulk-act.js';
import { ApiRerunJobs } from '../../../jobs/bulk/bulk.openapi.js';
import { ENDED } from '../../../jobs/bulk/selected-jobs.js';
import { selectionIn } from '../../../jobs/bulk/selection.js';
import type { BULK_ANSWER } from '../../../jobs/bulk/selection.schema.js';
import { JobAddress } from '../../../jobs/job/job-address.js';
import { statusLocation } from '../../../jobs/job/job-links.js';
import type { JobKey } from '../../../jobs/job/job.js';
import { OrganizationRates } from '../../../jobs/limits/organization-rates.js';
import { CountedAs } from '../../../jobs/limits/organization-rates.guard.js';
import { Rerun } from '../../../jobs/submit/rerun.js';
import { RERUNNABLE_COLUMNS, type RerunnableJob } from '../../../jobs/submit/rerun.store.js';
import { CONFIG, type Config } from '../../../platform/config.js';
import { AcceptsJson } from '../../../platform/http/accepts-json.guard.js';
import { JsonBodies } from '../../../platform/http/body/json-body.js';
import type { BodyOf } from '../../../platform/http/openapi/body.js';
import { TASK_CATALOGUE, TaskCatalogue } from '../../catalogue/task-catalogue.js';
import { KeyDigest, KeyGuard } from '../idempotency-key.js';
import { RerunBodies, rerunDigest } from './rerun-body.js';
import { ApiRerun } from './rerun.openapi.js';
import { catalogueEntryOf, TaskGuard } from '../task.guard.js';

/** Run ended jobs again: each is a new job, labeled with the one it comes from. */
@Controller('compute/orgs/:org_id')
export class RerunController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(TASK_CATALOGUE) private readonly catalogue: TaskCatalogue,
    private readonly reruns: Rerun,
    private readonly rates: OrganizationRates,
    private readonly bodies: JsonBodies,
    private readonly rerunBodies: RerunBodies,
    private readonly acts: BulkAct,
  ) {}

  @Post(':topic/:task/:job_id/rerun')
  @RequireScope('compute:execute')
  @CountedAs('submits')
  @UseGuards(TaskGuard, AcceptsJson, KeyGuard)
  @ApiRerun()
  async rerun(
    @JobAddress() key: JobKey,
    @ActorOf() by: Actor,
    @KeyDigest() keyDigest: Buffer | null,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const entry = catalogueEntryOf(request);
    const run = async (bytes: Buffer<ArrayBuffer> | null): Promise<string> => {
      const bodyDigest = rerunDigest(key.jobId, bytes);
      const changes = await this.rerunBodies.judged(bytes, entry);
      await this.rates.admit(key.orgId, 'submits', reply);
      return this.reruns.one(key, by, changes, keyDigest && { digest: keyDigest, bodyDigest });
    };
    const jobId = hasBody(request)
      ? await this.bodies.use(request, key.orgId, run)
      : await run(null);
    void reply.status(303).headers({
      location: statusLocation({ ...key, jobId }, request, this.config),
      'content-length': '0',
    });
  }

  @Post('jobs/rerun')
  @HttpCode(200)
  @RequireScope('compute:execute')
  @CountedAs('submits')
  @UseGuards(AcceptsJson)
  @ApiRerunJobs()
  rerunMany(
    @Organization() orgId: string,
    @ActorOf() by: Actor,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BodyOf<typeof BULK_ANSWER>> {
    return this.bodies.use(request, orgId, async (bytes) => {
      const selection = selectionIn(bytes);
      if (selection.dryRun) {
        await this.rates.admit(orgId, 'submits', reply);
      }
      return this.acts.perform<RerunnableJob>(orgId, selection, by, {
        action: 'jobs.rerun',
        states: ENDED,
        columns: RERUNNABLE_COLUMNS,
        change: async (jobs) => {
          const offered = jobs.filter(
            ({ topic, task }) => this.catalogue.find(topic, task) !== null,
          );
          if (offered.length === 0) {
            return 0;
          }
          await this.rates.admitMany(orgId, 'submits', offered.length, reply);
          return this.reruns.many(orgId, offered, by);
        },
      });
    });
  }
}

const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
