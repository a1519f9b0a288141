import { Controller, Get, Inject, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequireScope } from '../../auth/auth.decorators.js';
import { withVary } from '../../platform/http/headers/vary.js';
import { CONFIG, type Config } from '../../platform/config.js';
import { JobAddress } from '../job/job-address.js';
import { jobUrl, SDK_HEADER } from '../job/job-links.js';
import { noSuchJob } from '../job/job-problems.js';
import { isFinal } from '../job/job-status.js';
import type { JobKey } from '../job/job.js';
import { CountedAs } from '../limits/organization-rates.guard.js';
import { JobSnapshotStore } from '../read/watch/job-snapshot.store.js';
import { JobWatches } from '../read/watch/job-watches.js';
import { ApiJobEvents } from './events.openapi.js';
import { JobFollower } from './job-follower.js';
import { AcceptsEvents } from './stream/accepts-events.guard.js';
import { OpenStreams } from './stream/open-streams.js';
import { compareStates, stateId, stateOfId, toldState } from './told-state.js';

/** Follows one job. */
@Controller('compute/orgs/:org_id/:topic/:task/:job_id')
@CountedAs('polls')
@UseGuards(AcceptsEvents)
export class JobEventsController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: JobSnapshotStore,
    private readonly watches: JobWatches,
    private readonly streams: OpenStreams,
  ) {}

  @Get('events')
  @RequireScope('compute:read')
  @ApiJobEvents()
  async events(
    @JobAddress() key: JobKey,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const job = (await this.jobs.read(key)) ?? noSuchJob();
    if (job.topic !== key.topic || job.task !== key.task) {
      noSuchJob();
    }
    const lastId = String(request.headers['last-event-id'] ?? '');
    if (isFinal(job.status) && lastId === stateId(job)) {
      void reply.status(204).header('cache-control', 'no-store').send();
      return;
    }
    const seen = stateOfId(lastId, job.jobId);
    // What the job has not come to yet makes no sense.
    const told = seen !== null && compareStates(seen, toldState(job)) <= 0 ? seen : null;
    const stream = this.streams.open(key.orgId, request, withVary(reply, SDK_HEADER));
    stream.begin(told === null ? null : lastId);
    const follower = new JobFollower(stream, jobUrl(key, request, this.config), request, told);
    follower.tell(job);
    if (!isFinal(job.status)) {
      const stop = this.watches.watch(key, (now) => follower.tell(now));
      stream.once('close', stop);
    }
    void reply.send(stream);
  }
}
