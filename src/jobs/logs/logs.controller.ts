import { Controller, Get, Query, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { RequireScope } from '../../auth/auth.decorators.js';
import { CountedAs } from '../limits/organization-rates.guard.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { pageLimit, parseQuery } from '../../platform/http/paging/page-query.js';
import { JobAddress } from '../job/job-address.js';
import { ApiLogs } from './logs.openapi.js';
import type { JOB_LOGS } from './logs.schema.js';
import { JobLogsStore, type LogPlace } from './logs.store.js';
import { noSuchJob } from '../job/job-problems.js';
import type { JobKey } from '../job/job.js';
import { JobStateStore } from '../read/job-state.store.js';

/** Most pieces in one page: at 16,384 characters each, 1.6 million. */
const MAX_PIECES = 100;
const PLACE = 'must be the after of an earlier page';

const QUERY = z.object({
  after: z
    .string({ error: PLACE })
    .regex(/^\d{1,9}\.\d{1,9}$/, PLACE)
    .default('0.0'),
  limit: pageLimit(MAX_PIECES).default(MAX_PIECES),
});

/** What the attempts of one job wrote to their log. */
@Controller('compute/orgs/:org_id/:topic/:task/:job_id')
@CountedAs('polls')
@UseGuards(AcceptsJson)
export class JobLogsController {
  constructor(
    private readonly jobs: JobStateStore,
    private readonly logsStore: JobLogsStore,
  ) {}

  @Get('logs')
  @RequireScope('compute:read')
  @ApiLogs()
  async logs(
    @JobAddress() key: JobKey,
    @Query() query: Record<string, unknown>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BodyOf<typeof JOB_LOGS>> {
    const { after, limit } = parseQuery(QUERY, query);
    if ((await this.jobs.findState(key)) === null) {
      noSuchJob();
    }
    const found = await this.logsStore.read(key, placeOf(after), limit + 1);
    const logs = found.slice(0, limit);
    const last = logs.at(-1);
    void reply.headers({ 'cache-control': 'no-store' });
    return {
      logs: logs.map((piece) => ({ ...piece, at: piece.at.toISOString() })),
      after: last === undefined ? after : `${last.attempt}.${last.number}`,
      more: found.length > limit,
    };
  }
}

/** @param after as the query's schema lets it through */
function placeOf(after: string): LogPlace {
  const [attempt, number] = after.split('.').map(Number) as [number, number];
  return { attempt, number };
}
