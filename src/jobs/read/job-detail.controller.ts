import { Controller, Get, Inject, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequireScope } from '../../auth/auth.decorators.js';
import { CountedAs } from '../../auth/rate-limit.guard.js';
import { CONFIG, type Config } from '../../platform/config.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import { JobAddress } from '../job/job-address.js';
import { JobDetailStore } from './job-detail.store.js';
import { jobUrl, presentDetail } from './job-presenter.js';
import { noSuchJob } from '../job/job-problems.js';
import type { JobKey } from '../job/job.js';
import { ApiDetail } from './job-detail.openapi.js';

/** All that is kept about one job, with the history of its attempts. */
@Controller('compute/orgs/:org_id/:topic/:task/:job_id')
@CountedAs('polls')
@UseGuards(AcceptsJson)
export class JobDetailController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: JobDetailStore,
  ) {}

  @Get('detail')
  @RequireScope('compute:read')
  @ApiDetail()
  async detail(
    @JobAddress() key: JobKey,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const detail = (await this.jobs.find(key)) ?? noSuchJob();
    void reply.headers({ 'cache-control': 'no-store' });
    return presentDetail(detail, jobUrl(key, request, this.config), request);
  }
}
