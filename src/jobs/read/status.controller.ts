import { Controller, Get, Inject, Req, Res, StreamableFile, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequireScope } from '../../auth/auth.decorators.js';
import { CountedAs } from '../../auth/rate-limit.guard.js';
import { CONFIG, type Config } from '../../platform/config.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import { JobAddress } from '../job/job-address.js';
import { ApiResults, ApiStatus } from './jobs.openapi.js';
import { jobUrl, presentStatus, SDK_HEADER, wireStatus } from './job-presenter.js';
import { noSuchJob } from '../job/job-problems.js';
import type { JobKey } from '../job/job.js';
import { JobStateStore } from './job-state.store.js';
import { ResultsReader } from './results-reader.js';
import { isFinal } from '../job/job-status.js';

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
    private readonly reader: ResultsReader,
  ) {}

  @Get('status')
  @RequireScope('compute:read')
  @ApiStatus()
  async status(
    @JobAddress() key: JobKey,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const state = (await this.jobs.findState(key)) ?? noSuchJob();
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
  ) {
    const { status, error, results, large } = (await this.jobs.findResults(key)) ?? noSuchJob();
    const word = wireStatus(status, request);
    this.describe(reply, isFinal(status));
    if (!isFinal(status)) {
      const url = jobUrl(key, request, this.config);
      return { status: word, links: { cancel: url, status: `${url}/status` } };
    }
    if (error !== null) {
      return { status: word, error };
    }
    // The stored text is sent as it is: parsing and printing large results again would stop the
    // event loop for everybody.
    void reply.header('content-type', 'application/json; charset=utf-8');
    if (large) {
      return new StreamableFile(
        this.reader.read(key, `{"status":${JSON.stringify(word)},"results":`, '}'),
        {
          type: 'application/json; charset=utf-8',
        },
      );
    }
    return `{"status":${JSON.stringify(word)},"results":${results ?? '{}'}}`;
  }

  private describe(reply: FastifyReply, final: boolean): void {
    // CORS may have named `Origin` already.
    const vary = [reply.getHeader('vary') ?? [], SDK_HEADER].flat().join(', ');
    void reply.status(final ? 200 : 202).headers({ vary, 'cache-control': 'no-store' });
    if (!final) {
      void reply.header('retry-after', RETRY_AFTER_SECONDS);
    }
  }
}
