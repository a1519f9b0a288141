import { Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { type Actor, ActorOf } from '../../auth/actor.js';
import { RequireScope } from '../../auth/auth.decorators.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import type { JobKey } from '../job/job.js';
import { JobAddress } from '../job/job-address.js';
import { ApiPurge } from './purge.openapi.js';
import { Purge } from './purge.js';

/** Deletes one ended job before its time. */
@Controller('compute/orgs/:org_id/:topic/:task/:job_id')
@UseGuards(AcceptsJson)
export class PurgeController {
  constructor(private readonly purges: Purge) {}

  @Post('purge')
  @HttpCode(204)
  @RequireScope('compute:admin')
  @ApiPurge()
  async purge(@JobAddress() key: JobKey, @ActorOf() by: Actor): Promise<void> {
    await this.purges.purge(key, by);
  }
}
