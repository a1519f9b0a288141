import type { FastifyRequest } from 'fastify';
import type { Config } from '../../platform/config.js';
import { serviceUrl } from '../../platform/http/service-url.js';
import type { JobKey } from './job.js';
import type { JobStatus } from './job-status.js';

/** Header in which the public Python client names itself. */
export const SDK_HEADER = 'evo-sdk-source';

/**
 * The wire word of a status. The only place that knows of the doubled l: the public Python client
 * parses `cancelling` and `cancelled` alone, everybody else is sent the contract's spelling, which is
 * the one that schemas and types know.
 */
export function wireStatus<Status extends JobStatus>(
  status: Status,
  request: Pick<FastifyRequest, 'headers'>,
): Status {
  return SDK_HEADER in request.headers && /^cancel(ing|ed)$/.test(status)
    ? (status.replace('cancel', 'cancell') as Status)
    : status;
}

/** The path of a job below the service's root. */
const jobPath = (key: JobKey): string =>
  `/compute/orgs/${key.orgId}/${key.topic}/${key.task}/${key.jobId}`;

/**
 * What execute answers as `Location`: the path of the job's status. The public Python client joins
 * that path to its base address and would repeat a prefix, so with one it is sent the whole address.
 */
export function statusLocation(
  key: JobKey,
  request: Pick<FastifyRequest, 'headers' | 'protocol' | 'host'>,
  config: Pick<Config, 'PUBLIC_URL'>,
): string {
  // The configured prefix, so that the path is right behind any proxy.
  const prefix =
    config.PUBLIC_URL === undefined ? '' : new URL(config.PUBLIC_URL).pathname.replace(/\/$/, '');
  const job =
    prefix !== '' && SDK_HEADER in request.headers
      ? jobUrl(key, request, config)
      : prefix + jobPath(key);
  return `${job}/status`;
}

/** The absolute address of a job. */
export const jobUrl = (
  key: JobKey,
  request: Pick<FastifyRequest, 'protocol' | 'host'>,
  config: Pick<Config, 'PUBLIC_URL'>,
): string => serviceUrl(request, config) + jobPath(key);
