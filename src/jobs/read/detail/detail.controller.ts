import { Controller, Get, Inject, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequireScope } from '../../../auth/auth.decorators.js';
import { CountedAs } from '../../limits/organization-rates.guard.js';
import { CONFIG, type Config } from '../../../platform/config.js';
import { AcceptsJson } from '../../../platform/http/accepts-json.guard.js';
import type { BodyOf } from '../../../platform/http/openapi/body.js';
import { JobAddress } from '../../job/job-address.js';
import { noSuchJob } from '../../job/job-problems.js';
import type { JobKey } from '../../job/job.js';
import { jobUrl } from '../../job/job-links.js';
import { NO_OUTLOOK } from '../../outlook/outlook.js';
import { OutlookStore } from '../../outlook/outlook.store.js';
import { ApiDetail } from './detail.openapi.js';
import { presentDetail } from './detail.presenter.js';
import type { JOB_DETAIL } from './detail.schema.js';
import { JobDetailStore } from './detail.store.js';

/** All that is kept about one job, with the history of its attempts. */
@Controller('compute/orgs/:org_id/:topic/:task/:job_id')
@CountedAs('polls')
@UseGuards(AcceptsJson)
export class JobDetailController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: JobDetailStore,
    private readonly outlooks: OutlookStore,
  ) {}

  @Get('detail')
  @RequireScope('compute:read')
  @ApiDetail()
  async detail(
    @JobAddress() key: JobKey,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BodyOf<typeof JOB_DETAIL>> {
    const detail = (await this.jobs.find(key)) ?? noSuchJob();
    void reply.headers({ 'cache-control': 'no-store' });
    const [outlook = NO_OUTLOOK] = await this.outlooks.of(key.orgId, [
      { ...detail, id: key.jobId },
    ]);
    return presentDetail(detail, outlook, jobUrl(key, request, this.config), request);
  }
}
