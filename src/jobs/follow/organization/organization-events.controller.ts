import { Controller, Get, Inject, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Organization, RequireScope } from '../../../auth/auth.decorators.js';
import { withVary } from '../../../platform/http/headers/vary.js';
import { CONFIG, type Config } from '../../../platform/config.js';
import { HeardChanges } from '../../feed/heard-changes.js';
import { jobUrl, SDK_HEADER } from '../../job/job-links.js';
import { CountedAs } from '../../limits/organization-rates.guard.js';
import type { JobFilter } from '../../list/search/job-filter.js';
import { organizationEventText } from '../event.presenter.js';
import { ApiOrganizationEvents } from '../events.openapi.js';
import { AcceptsEvents } from '../stream/accepts-events.guard.js';
import type { EventStream } from '../stream/event-stream.js';
import { OpenStreams } from '../stream/open-streams.js';
import { changeFilter, takes } from './change-filter.js';
import { changeId, type ComeBack, comeBackOf, hasSeen } from './change-id.js';
import type { OrganizationFollower } from './organization-watch.js';
import { OrganizationWatches } from './organization-watches.js';

/** Follows all jobs of an organization. */
@Controller('compute/orgs/:org_id/jobs')
@CountedAs('polls')
@UseGuards(AcceptsEvents)
export class OrganizationEventsController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly heard: HeardChanges,
    private readonly watches: OrganizationWatches,
    private readonly streams: OpenStreams,
  ) {}

  @Get('events')
  @RequireScope('compute:read')
  @ApiOrganizationEvents()
  async events(
    @Organization() orgId: string,
    @Query() query: Readonly<Record<string, unknown>>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const filter = changeFilter(query);
    const stream = this.streams.open(orgId, request, withVary(reply, SDK_HEADER));
    const lastId = String(request.headers['last-event-id'] ?? '');
    const from = this.comeBackOf(lastId);
    // Where a client goes on that loses the stream before anything has happened.
    const { now } = this.heard;
    stream.begin(from === null ? now && changeId(now, null) : lastId);
    try {
      const follower = this.followerOf(stream, filter, request, from);
      const leave = await this.watches.follow(orgId, follower, from?.place ?? null);
      stream.once('close', leave);
      if (stream.destroyed) {
        leave();
      }
    } catch (error) {
      stream.destroy();
      throw error;
    }
    void reply.send(stream);
  }

  /** What lies in the future makes no sense. */
  private comeBackOf(lastId: string): ComeBack | null {
    const from = comeBackOf(lastId);
    return from !== null && this.heard.isFuture(from.place) ? null : from;
  }

  private followerOf(
    stream: EventStream,
    filter: JobFilter,
    request: FastifyRequest,
    from: ComeBack | null,
  ): OrganizationFollower {
    return {
      tell: (job, place, isProgress) => {
        if (takes(filter, job) && !hasSeen(from, job)) {
          const url = jobUrl(job, request, this.config);
          const data = organizationEventText(job, url, request);
          stream.event('status', changeId(place, job), data, { jobId: job.jobId, isProgress });
        }
      },
      reset: (place) => stream.event('reset', changeId(place, null), '{}'),
    };
  }
}
