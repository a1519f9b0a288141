import { Controller, Get, Query, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Organization, RequireScope } from '../../auth/auth.decorators.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { parseQuery } from '../../platform/http/paging/page-query.js';
import { CountedAs } from '../limits/organization-rates.guard.js';
import { ApiOverview } from './overview.openapi.js';
import type { OVERVIEW } from './overview.schema.js';
import { OverviewStore, PERIODS } from './overview.store.js';

const QUERY = z.strictObject({
  period: z.enum(['hour', 'day'], { error: 'must be hour or day' }).default('hour'),
});

/** How an organization's work goes. */
@Controller('compute/orgs/:org_id/jobs')
@CountedAs('polls')
@UseGuards(AcceptsJson)
export class OverviewController {
  constructor(private readonly overviews: OverviewStore) {}

  @Get('overview')
  @RequireScope('compute:read')
  @ApiOverview()
  async overview(
    @Organization() orgId: string,
    @Query() query: Record<string, unknown>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BodyOf<typeof OVERVIEW>> {
    const { period } = parseQuery(QUERY, query);
    const seen = await this.overviews.of(orgId, period);
    void reply.header('cache-control', 'no-store');
    return {
      period_seconds: PERIODS[period].seconds,
      counted: seen.counted,
      truncated: seen.truncated,
      throughput: seen.throughput.map(({ at, ...counts }) => ({ at: at.toISOString(), ...counts })),
      wait_seconds: seen.wait,
      run_seconds: seen.run,
      leases_lost: seen.leasesLost,
      by_task: seen.byTask.map(({ run, ...counts }) => ({ ...counts, run_seconds: run })),
      workers: seen.workers.map(({ beatSecondsAgo, startedAt, ...worker }) => ({
        ...worker,
        beat_seconds_ago: beatSecondsAgo,
        started_at: startedAt.toISOString(),
      })),
    };
  }
}
