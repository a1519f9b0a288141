import { Controller, Get, Query, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequireScope } from '../../auth/auth.decorators.js';
import { CountedAs } from '../limits/organization-rates.guard.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { Problem } from '../../platform/http/problem/problem.js';
import { JobAddress } from '../job/job-address.js';
import { ApiLogs } from './logs.openapi.js';
import type { JOB_LOGS } from './logs.schema.js';
import { JobLogsStore, type LogPlace } from './logs.store.js';
import { noSuchJob } from '../job/job-problems.js';
import type { JobKey } from '../job/job.js';
import { JobStateStore } from '../read/job-state.store.js';

/** Most pieces in one page: at 16,384 characters each, 1.6 million. */
const MAX_PIECES = 100;
const START = '0.0';

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
    const { after = START } = query;
    const place = placeOf(after);
    const limit = limitOf(query.limit ?? String(MAX_PIECES));
    if ((await this.jobs.findState(key)) === null) {
      noSuchJob();
    }
    const found = await this.logsStore.read(key, place, limit + 1);
    const logs = found.slice(0, limit);
    const last = logs.at(-1);
    void reply.headers({ 'cache-control': 'no-store' });
    return {
      logs: logs.map((piece) => ({ ...piece, at: piece.at.toISOString() })),
      after: last === undefined ? String(after) : `${last.attempt}.${last.number}`,
      more: found.length > limit,
    };
  }
}

/** @throws Problem `malformed-request` */
function placeOf(after: unknown): LogPlace {
  const [, attempt, number] = /^(\d{1,9})\.(\d{1,9})$/.exec(String(after)) ?? [];
  if (typeof after !== 'string' || attempt === undefined || number === undefined) {
    throw wrong('after', 'must be the after of an earlier page');
  }
  return { attempt: Number(attempt), number: Number(number) };
}

/** @throws Problem `malformed-request` */
function limitOf(limit: unknown): number {
  if (typeof limit !== 'string' || !/^([1-9]\d?|100)$/.test(limit)) {
    throw wrong('limit', `must be a whole number from 1 to ${MAX_PIECES}`);
  }
  return Number(limit);
}

const wrong = (name: string, reason: string): Problem =>
  new Problem('malformed-request', `The query parameter ${name} is wrong: ${reason}.`, {
    invalidParams: [{ name, reason }],
  });
