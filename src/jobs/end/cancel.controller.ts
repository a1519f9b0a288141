import { Controller, Delete, HttpCode, UseGuards } from '@nestjs/common';
import { type Actor, ActorOf } from '../../auth/actor.js';
import { RequireScope } from '../../auth/auth.decorators.js';
import { CountedAs } from '../limits/organization-rates.guard.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import type { JobKey } from '../job/job.js';
import { JobAddress } from '../job/job-address.js';
import { Cancel } from './cancel.js';
import { ApiCancel } from './cancel.openapi.js';

/** Cancels one job. */
@Controller('compute/orgs/:org_id/:topic/:task/:job_id')
@UseGuards(AcceptsJson)
export class CancelController {
  constructor(private readonly cancels: Cancel) {}

  @Delete()
  @HttpCode(204)
  @CountedAs('cancels')
  @RequireScope('compute:execute')
  @ApiCancel()
  async cancel(@JobAddress() key: JobKey, @ActorOf() by: Actor): Promise<void> {
    await this.cancels.cancel(key, by);
  }
}
