import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../platform/http/problem/problem.js';
import { UUID } from '../../platform/ids/uuid.js';
import type { JobKey } from './job.js';

/** What topics and tasks look like in a path. */
export const PATH_SEGMENT = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Whether a job can be there. @param jobId in lower case */
export const isJobAddress = (topic: string, task: string, jobId: string): boolean =>
  UUID.test(jobId) && PATH_SEGMENT.test(topic) && PATH_SEGMENT.test(task);

interface Params {
  readonly org_id: string;
  readonly topic: string;
  readonly task: string;
  readonly job_id: string;
}

/**
 * The address of the job in the path; the organization was checked by its guard.
 * @throws Problem `not-found` for a malformed topic, task or id: nothing can be there
 */
export const JobAddress = createParamDecorator(
  (_data: unknown, context: ExecutionContext): JobKey => {
    const { org_id, topic, task, job_id } = context
      .switchToHttp()
      .getRequest<FastifyRequest<{ Params: Params }>>().params;
    const jobId = job_id.toLowerCase();
    if (!isJobAddress(topic, task, jobId)) {
      throw new Problem('not-found', 'Check the path: its topic, task or job id is malformed.');
    }
    return { jobId, orgId: org_id, topic, task };
  },
);
