import { Controller, Get, Res, StreamableFile, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequireScope } from '../../../auth/auth.decorators.js';
import { AcceptsJson } from '../../../platform/http/accepts-json.guard.js';
import { JobAddress } from '../../job/job-address.js';
import { noSuchJob } from '../../job/job-problems.js';
import type { JobKey } from '../../job/job.js';
import { CountedAs } from '../../limits/organization-rates.guard.js';
import { DocumentReader } from '../document-reader.js';
import { ApiParameters } from './parameters.openapi.js';
import { JobParametersStore } from './parameters.store.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** What one job was given: to understand its results, and to run it again with changes. */
@Controller('compute/orgs/:org_id/:topic/:task/:job_id')
@CountedAs('polls')
@UseGuards(AcceptsJson)
export class JobParametersController {
  constructor(
    private readonly store: JobParametersStore,
    private readonly reader: DocumentReader,
  ) {}

  @Get('parameters')
  @RequireScope('compute:read')
  @ApiParameters()
  async parameters(
    @JobAddress() key: JobKey,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | StreamableFile> {
    const { parameters, large } = (await this.store.find(key)) ?? noSuchJob();
    // The stored text is sent as it is: parsing and printing it again would stop the event loop.
    void reply.headers({ 'content-type': JSON_TYPE, 'cache-control': 'no-store' });
    return large
      ? new StreamableFile(this.reader.read(key, 'parameters', '{"parameters":', '}'), {
          type: JSON_TYPE,
        })
      : `{"parameters":${parameters ?? '{}'}}`;
  }
}
