import type { FastifyRequest } from 'fastify';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { wireStatus } from '../job/job-links.js';
import { isFinal } from '../job/job-status.js';
import type { JobState } from './job-state.store.js';
import type { JOB_STATUS } from './status.schema.js';

/** @param url of the job, absolute */
export function presentStatus(
  state: JobState,
  url: string,
  request: Pick<FastifyRequest, 'headers'>,
): BodyOf<typeof JOB_STATUS> {
  return {
    status: wireStatus(state.status, request),
    progress: state.progress,
    ...(state.message !== null && { message: state.message }),
    ...(state.error !== null && { error: state.error }),
    links: isFinal(state.status) ? { result: url } : { cancel: url },
  };
}
