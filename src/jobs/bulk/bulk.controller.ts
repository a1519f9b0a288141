import { Controller, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type Actor, ActorOf } from '../../auth/actor.js';
import { Organization, RequireScope } from '../../auth/auth.decorators.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import { JsonBodies } from '../../platform/http/body/json-body.js';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import type { AuditAction } from '../audit/audit.store.js';
import { Cancel } from '../end/cancel.js';
import { Purge } from '../end/purge.js';
import type { JobStatus } from '../job/job-status.js';
import { CountedAs } from '../limits/organization-rates.guard.js';
import { BulkAct } from './bulk-act.js';
import { ApiCancelJobs, ApiPurgeJobs } from './bulk.openapi.js';
import { ENDED, ONGOING } from './selected-jobs.js';
import { selectionIn } from './selection.js';
import type { BULK_ANSWER } from './selection.schema.js';

/** Acts on many jobs of an organization; running them again is the business of those who know the tasks. */
@Controller('compute/orgs/:org_id/jobs')
@UseGuards(AcceptsJson)
export class BulkController {
  constructor(
    private readonly acts: BulkAct,
    private readonly bodies: JsonBodies,
    private readonly cancels: Cancel,
    private readonly purges: Purge,
  ) {}

  @Post('cancel')
  @HttpCode(200)
  @CountedAs('cancels')
  @RequireScope('compute:execute')
  @ApiCancelJobs()
  cancel(
    @Organization() orgId: string,
    @ActorOf() by: Actor,
    @Req() request: FastifyRequest,
  ): Promise<BodyOf<typeof BULK_ANSWER>> {
    const cancel = (ids: readonly string[]) => this.cancels.many(orgId, ids, by);
    return this.perform(orgId, by, request, 'jobs.cancel', ONGOING, cancel);
  }

  @Post('purge')
  @HttpCode(200)
  @RequireScope('compute:admin')
  @ApiPurgeJobs()
  purge(
    @Organization() orgId: string,
    @ActorOf() by: Actor,
    @Req() request: FastifyRequest,
  ): Promise<BodyOf<typeof BULK_ANSWER>> {
    const purge = (ids: readonly string[]) => this.purges.many(orgId, ids, by);
    return this.perform(orgId, by, request, 'jobs.purge', ENDED, purge);
  }

  private perform(
    orgId: string,
    by: Actor,
    request: FastifyRequest,
    action: AuditAction,
    states: readonly JobStatus[],
    change: (ids: readonly string[]) => Promise<number>,
  ): Promise<BodyOf<typeof BULK_ANSWER>> {
    return this.bodies.use(request, orgId, async (bytes) =>
      this.acts.perform<{ id: string }>(orgId, selectionIn(bytes), by, {
        action,
        states,
        columns: 's.topic',
        change: (jobs) => change(jobs.map(({ id }) => id)),
      }),
    );
  }
}
