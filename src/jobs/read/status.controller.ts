import { Controller, Get, Inject, Req, Res, StreamableFile, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequireScope } from '../../auth/auth.decorators.js';
import { CountedAs } from '../limits/organization-rates.guard.js';
import { withVary } from '../../platform/http/headers/vary.js';
import { CONFIG, type Config } from '../../platform/config.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { JobAddress } from '../job/job-address.js';
import { jobUrl, SDK_HEADER, wireStatus } from '../job/job-links.js';
import { noSuchJob } from '../job/job-problems.js';
import type { JobKey } from '../job/job.js';
import { DocumentReader } from './document-reader.js';
import { JobStateStore } from './job-state.store.js';
import { JobWaits } from './watch/job-waits.js';
import { isFinal } from '../job/job-status.js';
import { ApiResults } from './results.openapi.js';
import type { JOB_ONGOING, JOB_WITHOUT_RESULTS } from './results.schema.js';
import { ApiStatus } from './status.openapi.js';
import { presentStatus } from './status.presenter.js';
import type { JOB_STATUS } from './status.schema.js';

/** Seconds that a client should wait before it asks again. */
const RETRY_AFTER_SECONDS = '1';

/** Status and results of one job. */
@Controller('compute/orgs/:org_id/:topic/:task/:job_id')
@CountedAs('polls')
@UseGuards(AcceptsJson)
export class StatusController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: JobStateStore,
    private readonly reader: DocumentReader,
    private readonly waits: JobWaits,
  ) {}

  @Get('status')
  @RequireScope('compute:read')
  @ApiStatus()
  async status(
    @JobAddress() key: JobKey,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BodyOf<typeof JOB_STATUS>> {
    let state = (await this.jobs.findState(key)) ?? noSuchJob();
    const wait = this.waits.grant(key.orgId, request, reply);
    if (wait !== null && !isFinal(state.status)) {
      const { status } = state;
      await this.waits.until(key, wait, reply, (job) => job?.status !== status);
      state = (await this.jobs.findState(key)) ?? noSuchJob();
    }
    this.describe(reply, isFinal(state.status));
    return presentStatus(state, jobUrl(key, request, this.config), request);
  }

  @Get()
  @RequireScope('compute:read')
  @ApiResults()
  async results(
    @JobAddress() key: JobKey,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<
    BodyOf<typeof JOB_ONGOING> | BodyOf<typeof JOB_WITHOUT_RESULTS> | string | StreamableFile
  > {
    let found = (await this.jobs.findResults(key)) ?? noSuchJob();
    const wait = this.waits.grant(key.orgId, request, reply);
    if (wait !== null && !isFinal(found.status)) {
      await this.waits.until(key, wait, reply, (job) => job === null || isFinal(job.status));
      found = (await this.jobs.findResults(key)) ?? noSuchJob();
    }
    const { status, error, results, large } = found;
    this.describe(reply, isFinal(status));
    if (!isFinal(status)) {
      const url = jobUrl(key, request, this.config);
      return {
        status: wireStatus(status, request),
        links: { cancel: url, status: `${url}/status` },
      };
    }
    if (status !== 'succeeded' && error !== null) {
      return { status: wireStatus(status, request), error };
    }
    const word = wireStatus(status, request);
    // The stored text is sent as it is: parsing and printing large results again would stop the
    // event loop.
    void reply.header('content-type', 'application/json; charset=utf-8');
    if (large) {
      return new StreamableFile(
        this.reader.read(key, 'results', `{"status":${JSON.stringify(word)},"results":`, '}'),
        {
          type: 'application/json; charset=utf-8',
        },
      );
    }
    return `{"status":${JSON.stringify(word)},"results":${results ?? '{}'}}`;
  }

  private describe(reply: FastifyReply, final: boolean): void {
    void withVary(reply, SDK_HEADER, 'prefer')
      .status(final ? 200 : 202)
      .header('cache-control', 'no-store');
    if (!final) {
      void reply.header('retry-after', RETRY_AFTER_SECONDS);
    }
  }
}
