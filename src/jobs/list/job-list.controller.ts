import { Controller, Get, Inject, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Organization, RequireScope } from '../../auth/auth.decorators.js';
import { withVary } from '../../platform/http/headers/vary.js';
import { CONFIG, type Config } from '../../platform/config.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { pageLimit, parseQuery, wrongParameter } from '../../platform/http/paging/page-query.js';
import { cursorOf, idOfCursor } from '../../platform/http/paging/sealed-cursor.js';
import { serviceUrl } from '../../platform/http/service-url.js';
import { jobUrl, SDK_HEADER, wireStatus } from '../job/job-links.js';
import { CountedAs } from '../limits/organization-rates.guard.js';
import { OutlookStore } from '../outlook/outlook.store.js';
import type { JobFilter } from './search/job-filter.js';
import {
  contradictionOf,
  FILTER_QUERY,
  type FilterMembers,
  jobFilterOf,
} from './search/job-filter.schema.js';
import { ApiJobList, ApiJobSummary } from './job-list.openapi.js';
import { presentListed } from './job-list.presenter.js';
import { type JOB_PAGE, type JOB_SUMMARY, MAX_JOBS } from './job-list.schema.js';
import { JobListStore } from './job-list.store.js';
import { JobSummaryStore } from './job-summary.store.js';

/** How many wrong parameters one answer names. */
const MAX_NAMED = 10;

const SUMMARY_QUERY = z.strictObject(FILTER_QUERY);
const LIST_QUERY = SUMMARY_QUERY.extend({
  limit: pageLimit(MAX_JOBS).default(50),
  cursor: z.string({ error: 'must be given once' }).optional(),
});

type Query = Readonly<Record<string, unknown>>;

/** The jobs of an organization: a page of them, and how many there are. */
@Controller('compute/orgs/:org_id/jobs')
@CountedAs('polls')
@UseGuards(AcceptsJson)
export class JobListController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: JobListStore,
    private readonly summaries: JobSummaryStore,
    private readonly outlooks: OutlookStore,
  ) {}

  @Get()
  @RequireScope('compute:read')
  @ApiJobList()
  async list(
    @Organization() orgId: string,
    @Query() query: Query,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BodyOf<typeof JOB_PAGE>> {
    const { limit, cursor, ...members } = parseQuery(LIST_QUERY, query, MAX_NAMED);
    const filter = filterOf(members);
    const list = [orgId, JSON.stringify(filter)];
    const before = cursor === undefined ? null : idOfCursor(cursor, list);
    if (cursor !== undefined && before === null) {
      throw wrongParameter(
        'cursor',
        'must be that of an earlier page of this list: begin again without it',
      );
    }
    const { jobs, next } = await this.jobs.page(orgId, filter, before, limit);
    const outlooks = await this.outlooks.of(orgId, jobs);
    describe(reply);
    return {
      results: jobs.map((job, index) =>
        presentListed(
          job,
          outlooks[index] as (typeof outlooks)[number],
          jobUrl({ orgId, topic: job.topic, task: job.task, jobId: job.id }, request, this.config),
          request,
        ),
      ),
      next:
        next === null
          ? null
          : `${serviceUrl(request, this.config)}/compute/orgs/${orgId}/jobs?${nextQuery(query, cursorOf(next, list))}`,
    };
  }

  @Get('summary')
  @RequireScope('compute:read')
  @ApiJobSummary()
  async summary(
    @Organization() orgId: string,
    @Query() query: Query,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BodyOf<typeof JOB_SUMMARY>> {
    const filter = filterOf(parseQuery(SUMMARY_QUERY, query, MAX_NAMED));
    const { total, oldestWaiting, byStatus, byTask, truncated } = await this.summaries.of(
      orgId,
      filter,
    );
    describe(reply);
    return {
      total,
      ...(oldestWaiting !== null && {
        oldest_waiting_seconds: Math.round(oldestWaiting * 1_000) / 1_000,
      }),
      by_status: Object.fromEntries(
        [...byStatus].map(([status, count]) => [wireStatus(status, request), count]),
      ),
      by_task: byTask,
      truncated,
    };
  }
}

/** @throws Problem `malformed-request` for members that contradict each other */
function filterOf(members: FilterMembers): JobFilter {
  const contradiction = contradictionOf(members);
  if (contradiction !== null) {
    throw wrongParameter(contradiction.name, contradiction.reason);
  }
  return jobFilterOf(members);
}

/** The query of the next page: that of this one, as it was sent, from another place on. */
function nextQuery(query: Query, cursor: string): string {
  const members = Object.entries({ ...query, cursor }).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, String(one)]),
  );
  return new URLSearchParams(members).toString();
}

function describe(reply: FastifyReply): void {
  void withVary(reply, SDK_HEADER).header('cache-control', 'no-store');
}
