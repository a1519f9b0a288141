import { Controller, Get, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Organization, RequireScope } from '../../auth/auth.decorators.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { GrantedLimitsStore } from './granted-limits.store.js';
import { ApiLimits } from './limits.openapi.js';
import type { LIMITS } from './limits.schema.js';

/** What the operator grants an organization, for its administrators. */
@Controller('compute/orgs/:org_id/limits')
@UseGuards(AcceptsJson)
export class LimitsController {
  constructor(private readonly limits: GrantedLimitsStore) {}

  @Get()
  @RequireScope('compute:admin')
  @ApiLimits()
  async show(
    @Organization() orgId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BodyOf<typeof LIMITS>> {
    void reply.header('cache-control', 'no-store');
    return this.limits.of(orgId);
  }
}
